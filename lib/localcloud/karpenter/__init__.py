"""Node autoscaling as Karpenter does it: machines for pods that wait, fewer for none.

It is there in every cluster and does nothing until somebody applies a NodePool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localcloud.karpenter.disruption import Disruption
from localcloud.karpenter.lifecycle import Lifecycle
from localcloud.karpenter.pools import Pools
from localcloud.karpenter.provisioner import Provisioner

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster


def parts(cluster: Cluster) -> list[Any]:
    """What ``cluster`` has to start."""
    return [Pools(cluster), Lifecycle(cluster), Provisioner(cluster), Disruption(cluster)]
