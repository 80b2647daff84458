"""Kubernetes' own waits, made shorter for a learner: 10 s of a controller are 1 s here.

That holds for the back-off of a crashing container, of image pulls and of failed Jobs, for the
autoscaler's period and windows, and for the start of machines. What a manifest says in seconds
(grace, probes, deadlines, ttl) is kept as it is. DRYDOCK_EKS_PACE changes the factor; 1 is real.
"""

import os
import sys

USUAL = 10.0


def factor() -> float:
    """How many of Kubernetes' seconds pass in one of ours."""
    given = os.environ.get("DRYDOCK_EKS_PACE") or USUAL
    try:
        value = float(given)
    except ValueError:
        value = 0.0
    if value <= 0:
        print(f"DRYDOCK_EKS_PACE={given} is no number above 0: using {USUAL}", file=sys.stderr)
        return USUAL
    return value


def ours(seconds: float) -> float:
    """Seconds to wait for so many of a controller's."""
    return seconds / factor()
