"""The packing picture and the board that rearranges it."""

import xml.etree.ElementTree as ET

import pytest

from drydock.dashboards import PlacementBoard
from drydock.dashboards.packing import Machine, Packing, Task, draw, pack, waiting_words
from drydock.dashboards.placement import STRATEGIES

SMALL, LARGE = Task("small", 256, 512), Task("large", 512, 4096)
FLEET = [Machine(f"machine {n}", f"us-east-1{z}", 2048, 7577) for n, z in enumerate("abc", start=1)]


def counts(packing):
    return [len(machine.tasks) for machine in packing.machines]


def texts(svg):
    return [node.text for node in ET.fromstring(svg).iter() if node.text and node.text.strip()]


def test_spread_takes_zones_in_turn_and_binpack_fills_one_machine():
    assert counts(pack(FLEET, [(SMALL, 6)], ("spread", "zone"))) == [2, 2, 2]
    assert counts(pack(FLEET, [(SMALL, 6)], ("binpack", "memory"))) == [6, 0, 0]


def test_a_full_machine_sends_tasks_to_the_next_and_then_leaves_them_waiting():
    packing = pack(FLEET, [(LARGE, 5)], ("binpack", "memory"))
    assert counts(packing) == [1, 1, 1]
    assert packing.waiting == (LARGE, LARGE)
    assert waiting_words(packing) == "2 x large: RESOURCE:MEMORY"
    assert packing.summary() == "3 of 5 tasks, on 3 of 3 machines; 2 found no room"


def test_what_is_short_is_named():
    greedy = Task("greedy", 4096, 512)
    assert waiting_words(pack(FLEET, [(greedy, 1)], ("random", ""))) == "1 x greedy: RESOURCE:CPU"
    assert waiting_words(pack(FLEET, [(SMALL, 1)], ("random", ""))) == ""


def test_spread_counts_each_kind_by_itself_and_tasks_that_run_already():
    busy = [Machine("machine 1", "us-east-1a", 2048, 7577, (SMALL,)), *FLEET[1:]]
    assert counts(pack(busy, [(SMALL, 2)], ("spread", "zone"))) == [1, 1, 1]
    assert counts(pack(busy, [(LARGE, 1)], ("spread", "zone"))) == [2, 0, 0]


def test_no_task_is_lost_and_no_machine_is_overfull():
    for strategy in STRATEGIES.values():
        packing = pack(FLEET, [(SMALL, 16), (LARGE, 8)], strategy)
        assert sum(counts(packing)) + len(packing.waiting) == 24
        assert all(amount >= 0 for m in packing.machines for amount in m.free.values())


def test_the_picture_says_in_words_what_it_draws():
    words = texts(draw(pack(FLEET, [(SMALL, 4), (LARGE, 2)], ("spread", "zone"))))
    assert "6 tasks, on 3 of 3 machines" in words
    assert "A = small: 0.25 vCPU, 512 MiB" in words
    assert words.count("A") == 2 * 4 and words.count("B") == 2 * 2  # in the CPU and memory bars
    assert "machine 3" in words and "us-east-1c" in words


def test_names_are_escaped_and_an_empty_fleet_can_be_drawn():
    svg = draw(pack([Machine("<m&1>", "z", 1024, 1024)], [(Task("<t>", 1, 1), 1)], ("random", "")))
    assert "<m&1>" in texts(svg)
    assert "0 tasks, on 0 of 0 machines" in texts(draw(Packing(())))


def test_the_board_follows_its_controls():
    board = PlacementBoard(FLEET)
    assert counts(board.value) == [3, 2, 1]  # each kind is spread by itself, from the first zone
    board.strategy.value = "binpack on memory"
    assert counts(board.value) == [5, 1, 0]
    assert "RESOURCE" not in board._words.value
    board.large.value = 8
    assert "RESOURCE:MEMORY" in board._words.value
    board.machines.value = 1
    assert len(board.value.machines) == 1
    assert repr(board) == f"PlacementBoard({board.value.summary()})"


def test_the_board_starts_from_empty_machines_whatever_runs_on_them():
    busy = [Machine("machine 1", "us-east-1a", 2048, 7577, (LARGE,))]
    board = PlacementBoard(busy)
    board.small.value = board.large.value = 0
    assert counts(board.value) == [0]


def test_an_unknown_strategy_names_the_known_ones():
    with pytest.raises(ValueError, match="spread, binpack, random"):
        pack(FLEET, [(SMALL, 1)], ("pack", "memory"))
