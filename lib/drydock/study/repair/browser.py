"""A page's request to another origin, as a browser sends it and lets the page read the answer.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

import httpx

SIMPLE_METHODS = {"GET", "HEAD", "POST"}  # need no leave of the other origin
NEVER_WILD = "authorization"
SECONDS = 60


class Blocked(Exception):
    """The browser does not let the page have it; the message is one line and says why."""


def fetch(
    origin: str, url: str, method: str, headers: dict[str, str], credentials: bool
) -> httpx.Response:
    """Ask with a preflight, then in earnest. No header of `headers` is a CORS-safelisted one.

    `credentials` is whether the page sends its cookies along. Raises Blocked.
    """
    if headers or method not in SIMPLE_METHODS:
        _preflight(origin, url, method, sorted(name.lower() for name in headers), credentials)
    answer = httpx.request(
        method, url, headers={**headers, "Origin": origin}, timeout=SECONDS, trust_env=False
    )
    _check(answer, "answer", origin, credentials)
    return answer


def _preflight(origin: str, url: str, method: str, names: list[str], credentials: bool) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    if names:
        asked["Access-Control-Request-Headers"] = ",".join(names)
    answer = httpx.options(url, headers=asked, timeout=SECONDS, trust_env=False)
    _check(answer, "preflight's answer", origin, credentials)
    if not answer.is_success:
        raise Blocked(f"the preflight is answered with {answer.status_code}")
    methods = _listed(answer, "methods")
    wild = "*" in methods and not credentials
    if method not in SIMPLE_METHODS | methods and not wild:
        raise Blocked(f"Access-Control-Allow-Methods does not name {method}")
    known = {name.lower() for name in _listed(answer, "headers")}
    for name in names:
        wild = "*" in known and not credentials and name != NEVER_WILD
        if name not in known and not wild:
            raise Blocked(f"Access-Control-Allow-Headers does not name {name}")


def _check(answer: httpx.Response, what: str, origin: str, credentials: bool) -> None:
    allowed = answer.headers.get("access-control-allow-origin")
    if allowed is None:
        raise Blocked(f"the {what} has no Access-Control-Allow-Origin")
    if allowed == "*" and credentials:
        raise Blocked("Access-Control-Allow-Origin is *, and the page sends its cookies")
    if allowed not in ("*", origin):
        raise Blocked("Access-Control-Allow-Origin names another origin")
    if credentials and answer.headers.get("access-control-allow-credentials") != "true":
        raise Blocked(
            "the page sends its cookies, and Access-Control-Allow-Credentials is not true"
        )


def _listed(answer: httpx.Response, what: str) -> set[str]:
    value = answer.headers.get(f"access-control-allow-{what}", "")
    return {one.strip() for one in value.split(",")} - {""}
