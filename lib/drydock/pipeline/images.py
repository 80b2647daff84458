"""Moved to drydock.images."""

from drydock.images import CONTAINERS, build

__all__ = ["CONTAINERS", "build"]
