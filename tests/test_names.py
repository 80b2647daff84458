"""Test modules are imported by their bare names, whatever their folders."""

from collections import Counter
from pathlib import Path


def test_no_two_test_modules_have_one_name():
    names = Counter(path.name for path in Path(__file__).parent.rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


def test_workers_hear_of_the_groups(request):
    """xdist sends a group to one worker by its name behind the test's; some pytests hide it."""
    if hasattr(request.config, "workerinput"):
        assert request.node.nodeid.endswith("@test_names.py")
