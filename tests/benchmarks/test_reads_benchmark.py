"""The benchmark of reading runs, its ways agree, and streaming keeps to its memory anywhere."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_ways_agree_and_streaming_takes_less_memory_than_keeping():
    script = Path(__file__).with_name("reads.py")
    options = ["--runs", "1", "--json", "--ways", "odbc", "jdbc", "fetchall"]
    done = subprocess.run(
        [sys.executable, script, *options], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    results = {one["way"]: one for one in json.loads(done.stdout)["results"]}
    assert list(results) == ["copy", "odbc", "jdbc", "fetchall"]
    assert {one["rows"] for one in results.values()} == {336_776}
    for way in ("copy", "odbc", "jdbc"):
        assert results[way]["peak_mb"] * 2 < results["fetchall"]["peak_mb"], results
