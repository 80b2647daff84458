"""The boards of lesson 7 say what their plain code gives, and follow every control."""

from decimal import Decimal
from html import escape
from xml.etree import ElementTree

import pytest
from ipywidgets import ToggleButton

from drydock.dashboards import BillBoard, ChoiceBoard, PlacementBoard, ScalingBoard, SizeBoard
from drydock.dashboards.packing import Machine
from drydock.dashboards.placement import STRATEGIES
from drydock.dashboards.scaling import dollars
from drydock.model import fargate, pipeline_month
from drydock.model.choice import suggested
from drydock.model.prices import region, rounded
from drydock.model.throughput import TaskTime

LAW = TaskTime(fixed=0.4, work=1.6)


def size_board() -> SizeBoard:
    return SizeBoard(LAW, 336_776, 171.0, "a machine")


def placement_board() -> PlacementBoard:
    return PlacementBoard([Machine(f"machine {n}", "us-east-1a", 2048, 7577) for n in (1, 2, 3)])


def value_of(code: str):
    """What the last line of the code gives."""
    lines = code.splitlines()
    scope: dict = {}
    exec("\n".join(lines[:-1]), scope)
    return eval(lines[-1], scope)


BOARDS = [size_board, ChoiceBoard, placement_board, ScalingBoard, BillBoard]


def controls(board):
    return [one for row in board.children[:2] for one in row.children if hasattr(one, "value")]


@pytest.mark.parametrize("make", BOARDS)
def test_every_control_changes_what_is_said_or_drawn(make):
    for number in range(len(controls(make()))):
        board = make()
        control = controls(board)[number]
        if isinstance(control, ToggleButton):
            continue
        shown = {(board._words.value, without_ids(board._picture.value))}
        for end in ends(control):
            control.value = end
            shown.add((board._words.value, without_ids(board._picture.value)))
        assert len(shown) > 1, control.description
    assert {"image/png", "image/svg+xml"} & set(board._repr_mimebundle_())


def ends(control):
    if hasattr(control, "options"):
        return control.options[0], control.options[-1]
    return (control.min, control.max) if hasattr(control, "min") else (False, True)


def without_ids(picture):
    """SVG names its parts anew, and dates itself, each time it is drawn."""
    if isinstance(picture, str):
        return picture
    root = ElementTree.fromstring(picture)
    return tuple((one.text, one.get("d")) for one in root.iter() if not one.tag.endswith("}date"))


@pytest.mark.parametrize("make", BOARDS)
def test_the_first_view_has_three_to_five_controls_with_room_for_their_names(make):
    board = make()
    assert 3 <= len(board.children[0].children) <= 5
    for control in board.children[0].children:
        assert control.style.description_width == "7.5em"
        assert len(control.description) <= 12


def test_the_rarer_controls_and_the_code_open_by_a_button():
    board = ChoiceBoard()
    rare, buttons, code = board.children[1:4]
    assert [one.layout.display for one in (rare, code)] == ["none", "none"]
    for button in buttons.children:
        button.value = True
    assert [one.layout.display for one in (rare, code)] == [None, None]
    board.gpus.value = 2
    assert "gpus=2" in code.value


@pytest.mark.parametrize("make", [size_board, ChoiceBoard, ScalingBoard, BillBoard])
def test_a_board_says_what_it_assumes_and_of_which_days_its_prices_are(make):
    board = make()
    days = {line.price.date for bill in board.bills() for line in bill.lines}
    said = board.children[-1].value
    assert escape(board.assumptions) in said and region() in said
    assert days and all(day in said for day in (min(days), max(days)))


def test_a_board_without_prices_says_so():
    assert "No price is used" in placement_board().children[-1].value


def test_the_adviser_shows_the_code_of_its_answer():
    board = ChoiceBoard()
    board.minutes.value, board.gpus.value = 20, 1
    best = suggested(board.value)
    assert value_of(board.code) == (best.way, best.month)
    assert f"begin the argument with {best.way}: ${best.month:,.2f}" in board.words()
    board.gpus.value, board.language.value = 8, "Rust"
    board.memory.value = 256
    assert value_of(board.code) == ((best := suggested(board.value)) and (best.way, best.month))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_packing_board_shows_the_code_of_its_picture(strategy):
    board = placement_board()
    board.strategy.value, board.large.value, board.machines.value = strategy, 8, 2
    assert value_of(board.code) == board.value.summary()
    assert board.value.summary() in board.words() and board.value.summary() in board._picture.value


def test_the_tuner_knows_time_cost_memory_and_sizes_that_there_are_not():
    board = size_board()
    seconds, cost = board.value
    assert seconds == pytest.approx(0.4 + 1.6 * 10_000_000 / 336_776)
    assert cost == fargate.run_cost([seconds], 1, 2).total()
    assert value_of(board.code) == pytest.approx(cost, rel=Decimal("0.001"))
    board.gigabytes.value, board.vcpu.value = "4", "2"
    assert board.value[0] == seconds, "the program computes in one thread"
    assert "Fargate has no size" in words_at("4", "0.5")
    assert "out of memory" in words_at("0.25", "0.5", peak=600.0)


def words_at(vcpu: str, gigabytes: str, peak: float = 171.0) -> str:
    board = SizeBoard(LAW, 336_776, peak, "a machine")
    board.vcpu.value, board.gigabytes.value = vcpu, gigabytes
    return board.words()


def test_the_simulator_shows_the_bill_of_its_simulated_fleet():
    board = ScalingBoard()
    utilization, cost = value_of(board.code)
    assert (utilization, cost) == (board.value.utilization, dollars(board.value))
    assert f"${rounded(cost)} a day (simulated)" in board.words()
    board.policy.value = "fixed"
    board.most.value = 8
    day = board.value
    # Eight workers from midnight to the end of the last task.
    assert dollars(day) == fargate.run_cost([float(day.ends.max())] * 8, 1, 2).total()


def test_the_bill_adds_up_and_a_nat_gateway_is_a_line_of_its_own():
    board = BillBoard()
    assert value_of(board.code) == pipeline_month.total(board.value)
    bills = pipeline_month.month(board.value)
    assert "NAT gateway" not in bills
    assert sum(bill.total() for bill in bills.values()) == pipeline_month.total(board.value)
    board.network.value = "NAT gateway"
    # 720 hours at 0.045 and 3 GB at 0.045, less the addresses that tasks then do without.
    nat = pipeline_month.month(board.value)["NAT gateway"].total()
    assert str(rounded(nat)) == "32.54"
