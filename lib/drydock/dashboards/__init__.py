"""Pictures that a lesson turns or watches. Each is a widget around plain functions."""

from drydock.dashboards.pipeline import PipelinePicture
from drydock.dashboards.placement import PlacementBoard
from drydock.dashboards.pools import PoolBoard

__all__ = ["PipelinePicture", "PlacementBoard", "PoolBoard"]
