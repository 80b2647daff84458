"""Tasks that are queued all at once drain without loss, and leave nothing open in the server."""

import json
import subprocess
import sys
from pathlib import Path


def test_what_is_queued_drains():
    script = Path(__file__).with_name("drain.py")
    done = subprocess.run(
        [sys.executable, script, "--tasks", "50", "--json"],
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert [result[name] for name in ("tasks", "failed", "lost", "doubled")] == [50, 0, 0, 0]
    assert [one["ended"] for one in result["samples"]] == list(range(0, 51, 5))
