"""A bill of a list of usage lines in a TOML file.

[[usage]]
bill = "fargate.task_cost"   # a function of drydock.model, and below it its arguments
tasks = 150
seconds = 600
vcpu = 1
memory_gb = 2
"""

import difflib
import inspect
import tomllib
from collections.abc import Callable
from decimal import Decimal
from importlib import import_module
from pathlib import Path

from drydock.errors import WrongInput
from drydock.model.prices import ROUNDINGS, Bill, combined, region

FUNCTIONS = {
    "api_gateway": ("rest", "http", "websocket", "cache"),
    "clusters": ("eks", "eks_hybrid", "ecs_anywhere", "eks_auto_mode", "ecs_managed_instances"),
    "databases": ("postgres", "proxy", "aurora_serverless", "data_api"),
    "ec2": ("on_demand", "ebs"),
    "emr": ("on_eks", "serverless", "on_ec2"),
    "fargate": ("task_cost", "run_cost"),
    "functions": (
        "on_demand",
        "provisioned_concurrency",
        "requests_only",
        "compute_only",
        "snap_start",
        "response_streaming",
    ),
    "glue": ("spark_job", "python_shell", "dpus", "crawler", "catalog", "databrew"),
    "network": (
        "alb",
        "nlb",
        "nat_gateway",
        "interface_endpoints",
        "public_ipv4",
        "data_transfer",
    ),
    "operations": ("logs", "alarms", "secrets", "kms", "sqs"),
    "step_functions": ("standard", "express"),
    "storage": ("s3", "ecr"),
    "tiers": ("usage",),
}


def names() -> tuple[str, ...]:
    """Return what `bill =` may be, such as "fargate.task_cost"."""
    return tuple(f"{module}.{one}" for module, ones in FUNCTIONS.items() for one in ones)


def read(path: Path) -> tuple[Bill, str]:
    """Return the bill of a file and its rounding ("total" unless it says another).

    WrongInput names the entry, counted from 1, and what to type instead.
    """
    try:
        # Numbers with a point stay decimal: 0.1 is a tenth, and money is never a float.
        content = tomllib.loads(path.read_text(), parse_float=Decimal)
    except FileNotFoundError:
        raise WrongInput(f"{path} is not there: type the name of a list of usage lines") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WrongInput(f"{path} is not TOML: {error}") from None
    unknown = set(content) - {"region", "rounding", "usage"}
    if unknown:
        raise WrongInput(
            f"{path}: {sorted(unknown)[0]!r} is unknown: type region, rounding or usage"
        )
    wanted = content.get("region", region())
    if wanted != region():
        raise WrongInput(f"{path}: there are no prices of {wanted!r}: type region = {region()!r}")
    rounding = content.get("rounding", "total")
    if rounding not in ROUNDINGS:
        raise WrongInput(f"{path}: rounding {rounding!r}: type one of {', '.join(ROUNDINGS)}")
    entries = content.get("usage", [])
    if not entries or not isinstance(entries, list):
        raise WrongInput(f"{path} has no usage: type [[usage]] and below it bill = ...")
    return combined(
        _bill(f"{path}, usage {number}", entry) for number, entry in enumerate(entries, start=1)
    ), rounding


def _bill(where: str, entry: dict) -> Bill:
    arguments = dict(entry)
    call = _function(where, arguments.pop("bill", None))
    known = inspect.signature(call).parameters
    if not any(one.kind is one.VAR_KEYWORD for one in known.values()):
        for name in arguments:
            if name not in known:
                raise WrongInput(f"{where}: {name!r} is unknown: type {_near(name, tuple(known))}")
    try:
        return call(**arguments)
    except (ValueError, TypeError) as error:
        raise WrongInput(f"{where}: {error}") from None


def _function(where: str, name) -> Callable[..., Bill]:
    if name not in names():
        raise WrongInput(f"{where}: bill = {name!r} is unknown: type {_near(str(name), names())}")
    module, function = name.split(".")
    return getattr(import_module(f"drydock.model.{module}"), function)


def _near(name: str, known: tuple[str, ...]) -> str:
    return " or ".join(difflib.get_close_matches(name, known, n=3, cutoff=0.3) or known)
