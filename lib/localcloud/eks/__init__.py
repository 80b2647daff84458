"""Amazon EKS whose clusters really answer. ``plane.Eks`` is the whole service."""

from localcloud.eks.plane import Eks

__all__ = ["Eks"]
