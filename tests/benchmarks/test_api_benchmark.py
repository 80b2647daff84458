"""The benchmark of the API runs, and all that is asked in it is answered."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from api_targets import targets

OURS = "data API"


def closed(**rates):
    names = {"hello": "FastAPI hello world", "ours": OURS, "datasette": "Datasette"}
    return [{"name": names[name], "per_second": rate} for name, rate in rates.items()]


def opened(**changes):
    full = {"answers": {"200": 1000}, "cut": 0, "unanswered": 0, "per_second": 1000, "p99_ms": 50}
    twice = full | {"answers": {"200": 800, "503": 1200}, "per_second": 800} | changes
    return [full | {"share": 1.0}, twice | {"share": 2.0}]


def soaked(*megabytes, **answers):
    return [{"megabytes": one, "answers": answers or {"200": 9}} for one in megabytes]


FLAT = soaked(90, *[100] * 9)


@pytest.mark.parametrize(
    ("results", "short"),
    [
        ((closed(hello=1000, ours=500, datasette=50), opened(), FLAT), []),
        ((closed(hello=1000, ours=499, datasette=50), opened(), []), ["0.50 of", "10.0 times"]),
        ((closed(hello=1000, ours=500, datasette=51), [], []), ["9.8 times"]),
        ((closed(ours=500), opened(p99_ms=1001), []), ["p99 1001 ms"]),
        ((closed(ours=500), opened(p99_ms=None, per_second=400), []), ["p99 None", "0.40 of the"]),
        ((closed(ours=500), opened(cut=2, answers={"200": 1, "500": 1}), []), ["3 requests"]),
        ((closed(ours=500), [], soaked(90, *[100] * 6, *[106] * 3)), ["memory grows 1.06"]),
        ((closed(ours=500), [], soaked(*[100] * 10, **{"503": 1})), ["10 errors"]),
    ],
)
def test_a_target_that_is_missed_is_told(results, short):
    told = [text for text, holds in targets(*results) if not holds]
    assert len(told) == len(short)
    assert all(text.startswith(words) for text, words in zip(told, short, strict=True))


@pytest.mark.slow
def test_every_contender_answers_and_an_overload_is_refused_not_dropped():
    script = Path(__file__).with_name("api.py")
    options = ["--seconds", "0.5", "--runs", "1", "--connections", "8", "--json"]
    done = subprocess.run(
        [sys.executable, script, *options], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    for one in found["closed"]:
        assert (set(one["answers"]), one["cut"]) == ({"200"}, 0), one
    assert {"FastAPI hello world", OURS} <= {one["name"] for one in found["closed"]}
    assert [one["share"] for one in found["open"]] == [0.5, 1.0, 2.0]
    for one in found["open"]:
        assert set(one["answers"]) <= {"200", "503"}
        assert (one["cut"], one["unanswered"]) == (0, 0), one
