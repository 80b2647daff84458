"""How fast Lambda's waits pass: for the end of an idle environment, and before a failed event is
tried again. They are real, unless DRYDOCK_LAMBDA_PACE says so many times faster: 60 turns a minute
into a second. Nothing of an invocation is changed.
"""

import os
import sys


def factor() -> float:
    given = os.environ.get("DRYDOCK_LAMBDA_PACE") or "1"
    try:
        value = float(given)
    except ValueError:
        value = 0.0
    if value <= 0:
        print(f"DRYDOCK_LAMBDA_PACE={given} is no number above 0: using 1", file=sys.stderr)
        return 1.0
    return value
