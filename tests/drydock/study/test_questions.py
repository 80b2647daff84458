"""The question bank as it stands: well made, broad, and without hints in its form."""

from collections import Counter

import pytest

from drydock.errors import WrongInput
from drydock.study import question_checks, questions

BANK = questions.load()
CHOICES = [one for one in BANK if one.type == "multiple_choice"]


def test_every_question_is_well_made():
    assert [str(problem) for problem in question_checks.problems()] == []


def test_there_are_at_least_150_questions_of_all_types():
    assert len(BANK) >= 150
    assert {one.type for one in BANK} == set(questions.TYPES)


def test_every_skill_of_this_book_has_two_questions():
    counts = Counter(skill for one in BANK for skill in one.skills)
    few = [
        skill
        for skill, about in questions.guide()["skills"].items()
        if about["in_this_book"] and counts[skill] < 2
    ]
    assert few == []


def test_every_domain_has_enough_for_the_largest_mock_exam():
    guide = questions.guide()
    for domain, about in guide["domains"].items():
        found = questions.select(BANK, domain=domain, types=guide["format"]["types"])
        assert len(found) >= 65 * about["weight"] / 100, domain


def test_the_weights_of_the_domains_add_up():
    assert sum(one["weight"] for one in questions.guide()["domains"].values()) == 100


def test_the_place_of_the_right_option_gives_nothing_away():
    places = Counter(one.answer[0] for one in CHOICES)
    assert max(places.values()) - min(places.values()) <= 0.1 * len(CHOICES)


def test_the_length_of_the_right_option_gives_little_away():
    longest = sum(max(one.options, key=lambda option: len(option.text)).correct for one in CHOICES)
    assert longest <= 0.45 * len(CHOICES)


def test_select_by_skill_task_theme_domain_and_difficulty():
    jdbc = questions.select(BANK, skill="1.2.2", theme="connect", difficulty=2)
    assert jdbc and all(
        "1.2.2" in one.skills and one.theme == "connect" and one.difficulty == 2 for one in jdbc
    )
    task = questions.select(BANK, skill="1.2")
    assert set(jdbc) < set(task)
    assert all(any(skill.startswith("1.2.") for skill in one.skills) for one in task)
    assert {one.domain for one in questions.select(BANK, domain="4")} == {"4"}
    assert not any(one.skills == ("1.2.10",) for one in questions.select(BANK, skill="1.2.1"))


def entry(kind, count, right=()):
    options = [
        {"text": f"option {index}", "why": "because of this and that"}
        | ({"correct": True} if index in right else {})
        | ({"match": f"half {index}"} if kind == "matching" else {})
        for index in range(count)
    ]
    return questions.question(
        {
            "id": f"theme-{kind}",
            "skills": ["1.2.1"],
            "type": kind,
            "difficulty": 1,
            "stem": "What is it that is asked for here?",
            "options": options,
            "source": "https://example.org/",
            "checked": "2026-11-23",
        },
        "theme",
    )


def test_multiple_response_has_no_part_marks():
    one = entry("multiple_response", 5, right=(1, 3))
    assert one.prompt.endswith("(Choose two.)")
    assert one.is_right(["b", "d"]) and one.is_right(["d", "b"])
    assert not any(one.is_right(some) for some in (["b"], ["b", "d", "e"], ["a", "d"], [], None))


def test_an_ordering_is_right_in_its_order_only_and_shown_in_another():
    one = entry("ordering", 5)
    assert one.is_right(["a", "b", "c", "d", "e"])
    assert not one.is_right(["b", "a", "c", "d", "e"]) and not one.is_right(["a", "b", "c", "d"])
    shown = [[option.key for option in one.shown(seed)] for seed in range(20)]
    assert all(sorted(keys) == list("abcde") for keys in shown)
    assert len({tuple(keys) for keys in shown}) > 5
    assert one.shown(3) == one.shown(3)


def test_a_matching_needs_every_pair():
    one = entry("matching", 3)
    assert one.is_right({"a": "a", "b": "b", "c": "c"})
    assert not one.is_right({"a": "b", "b": "a", "c": "c"}) and not one.is_right({"a": "a"})


@pytest.mark.parametrize(
    ("kind", "response"),
    [
        ("multiple_choice", ["x"]),
        ("multiple_choice", {"a": "a"}),
        ("multiple_response", ["a", "a"]),
        ("ordering", ["a", "b", "q"]),
        ("matching", ["a"]),
        ("matching", {"a": "z"}),
    ],
)
def test_a_response_in_the_wrong_form_is_refused_with_the_question(kind, response):
    one = entry(kind, 5, right=(0, 1) if kind == "multiple_response" else ())
    with pytest.raises(WrongInput, match=f"theme-{kind}"):
        one.check(response)
