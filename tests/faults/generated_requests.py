"""Requests that AWS's own service models allow, or almost: for Hypothesis, out of botocore.

A request is right in its types and wrong in anything else, or it is right and then one value of its
body is of another type. ``Signed`` sends it as an SDK would, without an SDK's own checks.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, prepare_request_dict
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from botocore.model import OperationModel, Shape
from botocore.serialize import create_serializer
from hypothesis import strategies as st

SECONDS = 60  # what takes longer to answer hangs
DEPTH = 6  # of structures in structures
ODD_TEXT = (
    "",
    " ",
    "*",
    "0",
    "-1",
    "../../x",
    "a/b",
    "arn:aws:",
    "arn:aws:ecs:::",
    "{",
    "null",
    "é☃",
)
ODD_VALUES = (None, True, -1, 10**20, 1.5, "x", [], [None], {}, {"x": None})

Known = dict[str, list[str]]


@dataclass(frozen=True)
class Request:
    operation: str
    parameters: dict[str, Any]
    twist: tuple[int, Any] | None  # which value of the body becomes what

    def __repr__(self) -> str:
        twist = f" twisted {self.twist}" if self.twist else ""
        return f"{self.operation} {self.parameters!r}{twist}"


def models() -> botocore.session.Session:
    return botocore.session.Session()


def requests(service: str, known: Known) -> st.SearchStrategy[Request]:
    """Any request to a service.

    ``known`` has, by the lower-case name of a parameter, values that mean something in this lab.
    """
    model = models().get_service_model(service)
    operations = [model.operation_model(name) for name in model.operation_names]
    twist = mostly(st.none(), st.tuples(st.integers(0, 50), st.sampled_from(ODD_VALUES)), seldom=8)
    return st.sampled_from(operations).flatmap(
        lambda operation: st.builds(
            Request,
            st.just(operation.name),
            _parameters(operation, known),
            twist,
        )
    )


def mostly(usual: st.SearchStrategy, odd: st.SearchStrategy, seldom: int) -> st.SearchStrategy:
    """The usual, and one time in so many the odd."""
    return st.integers(1, seldom).flatmap(lambda drawn: odd if drawn == seldom else usual)


def _parameters(operation: OperationModel, known: Known) -> st.SearchStrategy[dict[str, Any]]:
    if operation.input_shape is None:
        return st.just({})
    return _value("", operation.input_shape, known, 0)


@st.composite
def _structure(draw: st.DrawFn, shape: Shape, known: Known, depth: int) -> dict[str, Any]:
    needed = list(shape.required_members)
    others = [name for name in shape.members if name not in needed]
    if getattr(shape, "is_tagged_union", False):
        chosen = [draw(st.sampled_from(others))] if others else []
    elif others and depth < DEPTH:
        chosen = draw(st.lists(st.sampled_from(others), unique=True, max_size=5))
    else:
        chosen = []
    if needed and draw(st.integers(0, 39)) == 39:
        needed.remove(draw(st.sampled_from(needed)))
    if depth >= DEPTH + 2:
        needed = []
    return {
        name: draw(_value(name, shape.members[name], known, depth + 1))
        for name in [*needed, *chosen]
    }


def _value(name: str, shape: Shape, known: Known, depth: int) -> st.SearchStrategy[Any]:
    if shape.type_name == "structure":
        return _structure(shape, known, depth)
    if shape.type_name == "list":
        return st.lists(_value(name, shape.member, known, depth + 1), max_size=3)
    if shape.type_name == "map":
        keys = _value(name, shape.key, known, depth + 1)
        return st.dictionaries(keys, _value(name, shape.value, known, depth + 1), max_size=3)
    if shape.type_name == "string":
        return _text(name, shape, known)
    if shape.type_name in ("integer", "long"):
        return _number(shape)
    if shape.type_name in ("float", "double"):
        return st.sampled_from((0.0, 1.0, -1.5, 1e18)) | st.floats(-100, 100)
    if shape.type_name == "boolean":
        return st.booleans()
    if shape.type_name == "blob":
        return st.binary(max_size=40)
    if shape.type_name == "timestamp":
        return st.sampled_from((0, 1_700_000_000, 4_000_000_000))
    raise NotImplementedError(shape.type_name)


def _text(name: str, shape: Shape, known: Known) -> st.SearchStrategy[str]:
    odd = st.sampled_from(ODD_TEXT) | st.text(
        st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12
    )
    meant = [*known.get(name.lower(), ()), *getattr(shape, "enum", ())]
    longest = shape.metadata.get("max")
    if longest and longest < 10_000:
        odd |= st.just("x" * (longest + 1))
    plain = (
        st.sampled_from(meant)
        if getattr(shape, "enum", ())
        else st.sampled_from([*meant, *meant, "fuzz", "fuzz-2", "1"])
    )
    return mostly(plain, odd, seldom=12)


def _number(shape: Shape) -> st.SearchStrategy[int]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    edges = [one for one in (low, high, 0, -1, 2**31 - 1) if one is not None]
    return mostly(
        st.integers(low or 0, min(high or 20, (low or 0) + 20)), st.sampled_from(edges), 4
    )


# --------------------------------------------------------------------------------------------
# sending
@dataclass(frozen=True)
class Answer:
    status: int
    text: str


class Signed:
    """Sends requests to one service of a local cloud."""

    def __init__(self, service: str, endpoint: str, variables: dict[str, str]):
        self.model = models().get_service_model(service)
        self._serializer = create_serializer(self.model.resolved_protocol, False)
        self._endpoint = endpoint
        keys = Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
        self._sign = SigV4Auth(keys, self.model.signing_name, variables["AWS_REGION"]).add_auth
        self._http = URLLib3Session(timeout=SECONDS)

    def send(self, request: Request) -> Answer | None:
        """None: no request can be made of these parameters, such as one with an empty path."""
        operation = self.model.operation_model(request.operation)
        try:
            given = self._serializer.serialize_to_request(request.parameters, operation)
            if request.twist:
                given["body"] = twisted(given["body"], *request.twist)
            prepare_request_dict(given, self._endpoint)
            made = AWSRequest(
                given["method"], given["url"], headers=given["headers"], data=given["body"]
            )
            self._sign(made)
            prepared = made.prepare()
        except (BotoCoreError, TypeError, ValueError, AttributeError, KeyError):
            return None
        answer = self._http.send(prepared)
        return Answer(answer.status_code, answer.text)


def twisted(body: Any, which: int, value: Any) -> Any:
    """The body with one of its values, the ``which``-th, replaced by another one."""
    if isinstance(body, dict):  # of the query protocol, not yet encoded
        names = [name for name in body if name not in ("Action", "Version")]
        return body | {names[which % len(names)]: str(value)} if names else body
    if not isinstance(body, bytes | str) or not body:
        return body
    try:
        content = json.loads(body)
    except ValueError:
        return body
    places = list(_places(content))
    if not places:
        return body
    holder, key = places[which % len(places)]
    holder[key] = value
    return json.dumps(content).encode()


def _places(content: Any) -> Iterator[tuple[Any, Any]]:
    keys = content if isinstance(content, dict) else range(len(content))
    for key in list(keys):
        yield content, key
        if isinstance(content[key], dict | list):
            yield from _places(content[key])
