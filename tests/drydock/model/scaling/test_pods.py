"""Pods: quality of service, scheduler scores, Fargate sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drydock.model.fargate import Size
from drydock.model.scaling import pods
from drydock.model.scaling.pods import Container

FULL = Container(500, 1024, 500, 1024)
NEEDS = st.fixed_dictionaries({"cpu": st.integers(0, 5000), "memory": st.integers(0, 20000)})
ROOM = {"cpu": 4000, "memory": 16000}


@pytest.mark.parametrize(
    ("containers", "quality"),
    [
        ([FULL], "Guaranteed"),
        ([Container(cpu_limit=500, memory_limit=1024)], "Guaranteed"),  # requests follow limits
        ([FULL, Container()], "Burstable"),
        ([Container(250, 1024, 500, 1024)], "Burstable"),
        ([Container(cpu=100)], "Burstable"),
        ([Container(500, None, 500, None)], "Burstable"),
        ([Container()], "BestEffort"),
        ([Container(), Container()], "BestEffort"),
    ],
)
def test_quality_of_service(containers, quality):
    assert pods.qos_class(containers) == quality


@pytest.mark.parametrize(
    ("containers", "init", "size"),
    [
        ([Container()], [], Size(256, 512)),
        ([Container(1000, 8192)], [], Size(2048, 9 * 1024)),
        ([Container(1000, 2560)], [], Size(1024, 3 * 1024)),
        ([Container(250, 256)], [], Size(256, 512)),
        ([Container(250, 257)], [], Size(256, 1024)),
        ([Container(500, 512), Container(500, 512)], [], Size(1024, 2048)),
        ([Container(250, 256)], [Container(2000, 1024)], Size(2048, 4096)),
        ([Container(16000, 120 * 1024 - 256)], [], Size(16384, 120 * 1024)),
    ],
)
def test_fargate_size_of_a_pod(containers, init, size):
    assert pods.fargate_size(containers, init) == size


def test_fargate_refuses_what_no_size_holds():
    with pytest.raises(ValueError, match="at most 16 vCPU / 120 GB"):
        pods.fargate_size([Container(16000, 120 * 1024)])


@pytest.mark.parametrize(
    ("requested", "least", "most", "balanced"),
    [
        ({"cpu": 3000, "memory": 5000}, (25 + 68) // 2, (75 + 31) // 2, 78),
        ({"cpu": 0, "memory": 0}, 100, 0, 100),
        ({"cpu": 4000, "memory": 16000}, 0, 100, 100),
        ({"cpu": 5000, "memory": 8000}, 25, 75, 75),
        ({"cpu": 4000, "memory": 0}, 50, 50, 50),
    ],
)
def test_scores(requested, least, most, balanced):
    assert pods.least_allocated(requested, ROOM) == least
    assert pods.most_allocated(requested, ROOM) == most
    assert pods.balanced_allocation(requested, ROOM) == balanced


def test_weights_and_resources_that_a_node_lacks():
    requested = {"cpu": 3000, "memory": 8000, "gpu": 1}
    assert pods.least_allocated(requested, ROOM, {"cpu": 3, "memory": 1}) == (25 * 3 + 50) // 4
    assert pods.least_allocated({"gpu": 1}, ROOM) == 0
    assert pods.balanced_allocation({"gpu": 1}, ROOM) == 0
    three = {"cpu": 4000, "memory": 16000, "gpu": 0}
    assert pods.balanced_allocation(three, {**ROOM, "gpu": 1}) == 52


@given(NEEDS)
def test_scores_lie_between_0_and_100(requested):
    for score in (
        pods.least_allocated(requested, ROOM),
        pods.most_allocated(requested, ROOM),
        pods.balanced_allocation(requested, ROOM),
    ):
        assert 0 <= score <= 100


def test_a_pod_has_containers():
    with pytest.raises(ValueError, match="no containers"):
        pods.qos_class([])
