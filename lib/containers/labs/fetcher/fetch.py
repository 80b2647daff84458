"""Read the pages 1 to PAGES of the API at the address API, CLIENTS at a time.

A page that is refused for a passing reason is asked for again, TRIES times in all.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

PASSING = {429, 503}
SECONDS = 60


def pause(tried: int, least: float) -> float:
    """Seconds to wait after so many tries. `least` is what the refusal's Retry-After asks for, 0
    where it has none."""
    return 0


def page(number: int) -> list[dict] | None:
    """The rows of a page; None if it was refused each time."""
    for tried in range(1, int(os.environ["TRIES"]) + 1):
        status, least, rows = ask(f"{os.environ['API']}/pages/{number}")
        if status == 200:
            return rows
        if status not in PASSING:
            sys.exit(f"fetch: page {number}: {status}")
        time.sleep(pause(tried, least))
    return None


def ask(url: str) -> tuple[int, float, list[dict]]:
    """The status, the seconds of Retry-After, and the rows of the answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=SECONDS) as answer:
            return answer.status, 0, json.load(answer)["items"]
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, float(refusal.headers.get("Retry-After", 0)), []


def main() -> None:
    numbers = range(1, int(os.environ["PAGES"]) + 1)
    with ThreadPoolExecutor(int(os.environ["CLIENTS"])) as pool:
        pages = list(pool.map(page, numbers))
    if None in pages:
        sys.exit(f"fetch: pages are missing that were refused {os.environ['TRIES']} times")
    print(f"{sum(map(len, pages))} days in {len(pages)} pages", flush=True)


if __name__ == "__main__":
    main()
