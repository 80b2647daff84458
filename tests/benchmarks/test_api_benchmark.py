"""The benchmark of the API runs, and all that is asked in it is answered."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

OURS = "data API"


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
