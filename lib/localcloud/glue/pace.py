"""How fast the minutes of a job's Timeout pass. They are real, unless DRYDOCK_GLUE_PACE says so
many times faster: 60 turns a minute into a second. Nothing else of a run is changed."""

import os
import sys


def factor() -> float:
    given = os.environ.get("DRYDOCK_GLUE_PACE") or "1"
    try:
        value = float(given)
    except ValueError:
        value = 0.0
    if value <= 0:
        print(f"DRYDOCK_GLUE_PACE={given} is no number above 0: using 1", file=sys.stderr)
        return 1.0
    return value
