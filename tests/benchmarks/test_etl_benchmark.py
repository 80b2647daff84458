"""The benchmark runs, its engines agree, and what it promises of memory holds on any machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_engines_agree_and_ours_takes_a_third_of_the_memory_of_pandas():
    script = Path(__file__).with_name("etl.py")
    options = ["--runs", "1", "--scales", "1", "--engines", "pandas", "duckdb", "--json"]
    done = subprocess.run(
        [sys.executable, script, *options], capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    results = {one["engine"]: one for one in json.loads(done.stdout)["results"]}
    assert list(results) == ["ours", "pandas", "duckdb"]
    assert {one["rows"] for one in results.values()} == {336_776}
    assert results["ours"]["peak_mb"] * 3 < results["pandas"]["peak_mb"], results
