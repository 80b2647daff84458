"""A client of the data API: pages into pandas, and patience with an API that says "later"."""

import random
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from types import TracebackType

import httpx
import pandas as pd
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from drydock.errors import DrydockError

# Worth another try: throttled, or an answer of something on the way. 500 is a bug and stays one.
AGAIN = frozenset({429, 502, 503, 504})
FIRST_SECONDS, LONGEST_SECONDS = 0.2, 20.0
PATIENCE_SECONDS = 120.0  # a longer Retry-After is told to the caller instead


class ApiError(DrydockError):
    """The API refused, or stayed away for all tries. `status` is None when it never answered."""

    def __init__(self, message: str, status: int | None = None):
        super().__init__(message)
        self.status = status


class DataApi:
    """The data API at `url`, which may be a load balancer's or API Gateway's.

    Requests that fail for a passing reason are tried again, at most `tries` times in all. The wait
    doubles and is drawn anew between 0 and that ("full jitter"), so that many clients do not come
    back together; a Retry-After of the server is the least. `auth` is any httpx.Auth, and
    `headers` go with every request, such as Authorization. `retried` counts waits so far.
    https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """

    def __init__(
        self,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        auth: httpx.Auth | None = None,
        tries: int = 6,
        timeout: float = 35.0,
        sleep: Callable[[float], None] = time.sleep,
    ):
        if tries < 1:
            raise ValueError(f"tries is {tries}: set it to 1 or more")
        self.url, self.tries, self.retried = url.rstrip("/"), tries, 0
        self._sleep = sleep
        self._http = httpx.Client(headers=headers, auth=auth, timeout=timeout, trust_env=False)

    def __enter__(self) -> "DataApi":
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, **params: object) -> httpx.Response:
        """Return the answer to a GET of `path`; parameters that are None are left out.

        Raises ApiError for an answer that is an error and stays one.
        """
        given = {name: value for name, value in params.items() if value is not None}
        for tried in range(1, self.tries + 1):
            try:
                answer = self._http.get(self.url + path, params=given or None)
            except httpx.TransportError as error:
                if tried == self.tries:
                    raise ApiError(
                        f"{self.url}{path} got no answer in {tried} tries ({error}): is the "
                        "service running? drydock status tells"
                    ) from None
                least = 0.0
            else:
                if not answer.is_error:
                    return answer
                if answer.status_code not in AGAIN or tried == self.tries:
                    raise ApiError(_refusal(answer, tried), answer.status_code)
                least = retry_after(answer)
                if least > PATIENCE_SECONDS:
                    raise ApiError(
                        f"{_refusal(answer, tried)} (and to come back in {least:.0f} s)",
                        answer.status_code,
                    )
            self.retried += 1
            self._sleep(least + random.uniform(0, backoff(tried)))
        raise AssertionError("the last try returns or raises")

    def pages(
        self, limit: int = 1000, fields: list[str] | None = None, **filters: object
    ) -> Iterator[pd.DataFrame]:
        """Iterate over the flights that `filters` choose, a frame of at most `limit` a page.

        The server keeps no place for the client: to stop reading costs nothing.
        """
        cursor = None
        names = ",".join(fields) if fields else None
        while True:
            answer = self.get("/flights", limit=limit, fields=names, cursor=cursor, **filters)
            page = answer.json()
            yield pd.DataFrame(page["items"], columns=fields)
            cursor = page["next"]
            if cursor is None:
                return

    def flights(
        self,
        limit: int = 1000,
        fields: list[str] | None = None,
        progress: bool = False,
        **filters: object,
    ) -> pd.DataFrame:
        """Return all flights that `filters` choose in one frame, with a progress line if asked."""
        columns = (TextColumn("{task.description}"), TimeElapsedColumn())
        found, rows = [], 0
        with Progress(*columns, disable=not progress, transient=True) as bar:
            shown = bar.add_task("flights", total=None)
            for page in self.pages(limit, fields, **filters):
                found.append(page)
                rows += len(page)
                bar.update(shown, description=f"{rows:,} flights in {len(found):,} pages")
        return pd.concat(found, ignore_index=True)


def backoff(tried: int) -> float:
    """Return the longest wait in seconds after so many tries: 0.2 doubled each time, 20 at most."""
    return min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** (tried - 1))


def retry_after(answer: httpx.Response) -> float:
    """Return the seconds that Retry-After asks for, a number or a date; 0 if it says nothing."""
    said = answer.headers.get("retry-after", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0.0


def _refusal(answer: httpx.Response, tried: int) -> str:
    """What the answer says, whether of the API (RFC 9457), of the gateway or of a load balancer."""
    try:
        body = answer.json()
        said = body.get("detail") or body.get("message") or answer.text
    except (ValueError, AttributeError):
        said = answer.reason_phrase
    after = f" after {tried} tries" if tried > 1 else ""
    return f"GET {answer.url.path} answered {answer.status_code}{after}: {str(said)[:300]}"
