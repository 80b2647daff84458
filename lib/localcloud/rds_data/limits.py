"""The limits of the Data API, from data/aurora.json.

The durations can be made shorter, never longer, for a lesson or a test that waits for one:
DRYDOCK_DATA_API_STATEMENT_SECONDS, _IDLE_SECONDS and _TRANSACTION_SECONDS. On AWS they are fixed.
"""

from __future__ import annotations

import os
import sys

from localcloud.rds.clusters import limits

PREFIX = "DRYDOCK_DATA_API_"
SETTINGS = {
    "STATEMENT_SECONDS": "statement_seconds",
    "IDLE_SECONDS": "transaction_idle_seconds",
    "TRANSACTION_SECONDS": "transaction_seconds",
}


def most(name: str) -> int:
    """A limit in bytes or characters."""
    return limits()["data_api"][name]


def seconds(setting: str) -> float:
    """One of SETTINGS, as the environment of the server has it."""
    usual = float(most(SETTINGS[setting]))
    given = os.environ.get(PREFIX + setting)
    if not given:
        return usual
    try:
        value = float(given)
    except ValueError:
        value = 0.0
    if 0 < value <= usual:
        return value
    print(
        f"{PREFIX}{setting}={given} is no number of seconds up to {usual:.0f}: using that",
        file=sys.stderr,
    )
    return usual
