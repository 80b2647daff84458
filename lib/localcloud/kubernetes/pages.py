"""Lists in pages: ``limit`` and ``continue``, all pages as of one resourceVersion.

The snapshot is made by undoing the changes since. When they are no longer known the answer is 410
Expired, with a token for the rest as it is now (apiserver, pkg/storage/continue.go).
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from localcloud.kubernetes import errors
from localcloud.kubernetes.resources import Resource
from localcloud.kubernetes.selectors import Match

if TYPE_CHECKING:
    from localcloud.kubernetes.store import Key, Object, Store

LATEST = -1
TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start "
    "a new list without the continue parameter, or use the continue token in this response to "
    "retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)


def read(
    store: Store, resource: Resource, matches: Match, query: dict[str, str]
) -> tuple[list[Object], Object]:
    """The objects of a page, and the list's metadata. Raises ApiError BadRequest and Expired."""
    limit, token = _limit(query), query.get("continue", "")
    if token and query.get("resourceVersion", "0") not in ("", "0"):
        raise errors.bad_request("specifying resource version is not allowed when using continue")
    after, version = _open(token) if token else (None, LATEST)
    with store.lock:
        if version == LATEST:
            version, found = store.version, store.keyed(resource)
        else:
            try:
                found = store.keyed_at(resource, version)
            except errors.ApiError:
                raise _expired(after) from None
    rest = [(key, found[key]) for key in sorted(found) if after is None or key > after]
    chosen = [(key, one) for key, one in rest if matches(one)]
    about: Object = {"resourceVersion": str(version)}
    page = chosen[:limit] if limit else chosen
    if len(page) < len(chosen):
        about["continue"] = _token(page[-1][0], version)
        # As in Kubernetes: with a selector nobody has counted the rest.
        if not query.get("labelSelector") and not query.get("fieldSelector"):
            about["remainingItemCount"] = len(chosen) - len(page)
    return [one for _, one in page], about


def _limit(query: dict[str, str]) -> int:
    given = query.get("limit") or "0"
    try:
        return max(0, int(given))
    except ValueError:
        words = f'strconv.ParseInt: parsing "{given}": invalid syntax'
        raise errors.bad_request(f"unable to convert query parameter limit: {words}") from None


def _token(after: Key, version: int) -> str:
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": "/".join(after)})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _open(token: str) -> tuple[Key, int]:
    try:
        found = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        namespace, _, name = found["start"].partition("/")
        return (namespace, name), int(found["rv"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise errors.bad_request(f"continue key is not valid: {error}") from None


def _expired(after: Key) -> errors.ApiError:
    error = errors.ApiError(410, "Expired", TOO_OLD)
    error.more = {"continue": _token(after, LATEST)}
    return error
