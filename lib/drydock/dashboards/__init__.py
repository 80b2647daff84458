"""Pictures that a lesson turns or watches. Each is a widget around plain functions."""

from drydock.dashboards.pipeline import PipelinePicture
from drydock.dashboards.placement import PlacementBoard

__all__ = ["PipelinePicture", "PlacementBoard"]
