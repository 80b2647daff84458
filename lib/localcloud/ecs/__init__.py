"""Amazon ECS whose tasks really run. ``plane.Ecs`` is the whole service."""

from localcloud.ecs.plane import Ecs

__all__ = ["Ecs"]
