"""Finding, resuming and removing labs."""

import re
from pathlib import Path

import pandas as pd
import pytest
from lives import LIGHT

from drydock.errors import WrongInput
from drydock.study import repair
from drydock.study.repair.cleaning import clean
from drydock.study.repair.registry import kind


@pytest.fixture
def light(lab, lives):
    """A lab that is started; its life in the other tests must be over first."""
    lives[LIGHT].result()
    case = repair.start(lab, LIGHT, alone=False)
    yield case
    clean(case)


def test_there_are_at_least_twelve_labs_with_all_that_a_table_shows():
    table = pd.concat([repair.labs(), repair.labs("4"), repair.labs("5"), repair.labs("6")])
    assert len(repair.labs()) >= 12
    assert sorted(table.index) == repair.names()
    assert table.title.is_unique
    guide = (Path(__file__).parents[4] / "data" / "exam_guide.json").read_text()
    known = set(re.findall(r'"(\d\.\d\.\d{1,2})"', guide))
    assert {skill for skills in table.skills for skill in skills.split()} <= known
    assert table.minutes.between(5, 30).all()


def test_an_unknown_lab_is_told_with_the_nearest_and_the_list(lab):
    with pytest.raises(WrongInput) as refused:
        repair.start(lab, "out_of_memroy")
    assert "did you mean 'out_of_memory'?" in str(refused.value)
    assert ", ".join(repair.names()) in str(refused.value)


def test_a_lab_that_was_not_started_cannot_be_resumed(lab, lives):
    lives[LIGHT].result()
    with pytest.raises(WrongInput, match=r'type: repair.start\(lab, "wrong_size"\)'):
        repair.resume(lab, LIGHT)


def test_a_case_survives_a_kernel_restart(lab, light):
    light.hint()
    light.solve()
    again = repair.resume(lab, LIGHT)
    assert repr(again) == repr(light)
    assert again.hint().level == 2
    assert again.check().repaired


def test_what_happened_before_a_start_does_not_count_after_it(lab, light):
    light.solve()
    assert light.check()
    assert not repair.start(lab, LIGHT, alone=False).check()


def test_clean_up_removes_what_was_started_and_says_so(lab, light, lives):
    for life in lives.values():
        life.result()
    assert repair.clean_up(lab) == [LIGHT]
    assert repair.clean_up(lab) == []


def test_a_learner_who_removes_too_much_is_told_so(lab, light):
    lab.client("ecs").delete_cluster(cluster=light.cluster)
    light.lab.client("ecs").register_task_definition(
        **light.definition() | {"cpu": "512", "memory": "3072"}
    )
    verdict = light.check()
    assert verdict.failed == "exit_code"
    assert "Cluster not found" in verdict.why


@pytest.mark.parametrize("name", repair.names())
def test_the_texts_of_a_lab_are_whole(name):
    lab = kind(name)
    assert len(lab.hints) == 3
    assert all(len(hint) > 60 for hint in lab.hints)
    assert 2 <= len(lab.look) <= 4
    assert lab.asked.endswith(".") and lab.goal.endswith(".")
