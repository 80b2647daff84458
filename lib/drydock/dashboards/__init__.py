"""Pictures that a lesson turns or watches. Each is a widget around plain functions."""

from drydock.dashboards.bills import BillBoard
from drydock.dashboards.choosing import ChoiceBoard
from drydock.dashboards.pipeline import PipelinePicture
from drydock.dashboards.placement import PlacementBoard
from drydock.dashboards.pools import PoolBoard
from drydock.dashboards.scaling import ScalingBoard
from drydock.dashboards.sizing import SizeBoard

__all__ = [
    "BillBoard",
    "ChoiceBoard",
    "PipelinePicture",
    "PlacementBoard",
    "PoolBoard",
    "ScalingBoard",
    "SizeBoard",
]
