"""Karpenter's own names: https://karpenter.sh/docs/concepts/scheduling/#well-known-labels"""

from __future__ import annotations

from localcloud.kubernetes.resources import BY_KIND

NODE_POOLS = BY_KIND["karpenter.sh", "NodePool"]
NODE_CLAIMS = BY_KIND["karpenter.sh", "NodeClaim"]
NODE_CLASSES = BY_KIND["karpenter.k8s.aws", "EC2NodeClass"]

SOURCE = "karpenter"
POOL = "karpenter.sh/nodepool"
CAPACITY_TYPE = "karpenter.sh/capacity-type"
REGISTERED = "karpenter.sh/registered"
INITIALIZED = "karpenter.sh/initialized"
FINALIZER = "karpenter.sh/termination"
DO_NOT_DISRUPT = "karpenter.sh/do-not-disrupt"
DISRUPTED = {"key": "karpenter.sh/disrupted", "effect": "NoSchedule"}
AWS = "karpenter.k8s.aws/"
INSTANCE_TYPE = "node.kubernetes.io/instance-type"
ZONE = "topology.kubernetes.io/zone"
ON_DEMAND, SPOT = "on-demand", "spot"
