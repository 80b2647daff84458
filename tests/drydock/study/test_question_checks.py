"""The validator finds each kind of mistake and names the file, the question and the field."""

import copy

import pytest
import yaml

from drydock.errors import WrongInput
from drydock.study import question_checks, questions

GOOD = {
    "id": "theme-one",
    "skills": ["1.2.1"],
    "type": "multiple_choice",
    "difficulty": 1,
    "stem": "Which of these is the first letter of the alphabet?",
    "options": [
        {"text": "A", "correct": True, "why": "It stands before all others."},
        {"text": "B", "why": "It is the second letter."},
        {"text": "C", "why": "It is the third letter."},
        {"text": "D", "why": "It is the fourth letter."},
    ],
    "source": "https://example.org/alphabet",
    "checked": "2026-11-23",
}

ABOVE = {"text": "All of the above", "why": "Never write an option like this."}


def found(folder, *entries, name="theme.yaml"):
    (folder / name).write_text(yaml.safe_dump(list(entries)))
    return [str(problem) for problem in question_checks.problems(folder)]


def changed(**fields):
    return {**copy.deepcopy(GOOD), **fields}


def options(**fields):
    return [{**one, **fields} for one in copy.deepcopy(GOOD["options"])]


def test_a_good_file_has_no_problems_and_is_loaded(tmp_path):
    assert found(tmp_path, GOOD) == []
    (one,) = questions.load(tmp_path)
    assert (one.theme, one.answer, one.domain) == ("theme", ["a"], "1")


@pytest.mark.parametrize(
    ("entry", "field", "says"),
    [
        (changed(id="Theme One"), "id", "does not match"),
        (changed(skills=["9.9.9"]), "skills", "9.9.9 is no skill"),
        (changed(skills=[]), "skills", "[]"),
        (changed(type="essay"), "type", "essay"),
        (changed(difficulty=4), "difficulty", "4"),
        (changed(stem="word " * 91), "stem", "91 words"),
        (changed(source="http://example.org"), "source", "http://example.org"),
        (changed(checked="2026-13-01"), "checked", "2026-13-01"),
        (changed(colour="red"), "", "colour"),
        (changed(options=options(correct=True)), "options", "4 of 4 correct"),
        (changed(options=options()[:3]), "options", "1 of 3 correct"),
        (changed(options=options(text="A")), "options", "4 options say 'a'"),
        (changed(options=options(why="No.")), "options.0.why", "No."),
        (changed(type="multiple_response"), "options", "1 of 4 correct"),
        (changed(type="ordering"), "options", "correct belongs to"),
        (changed(options=options(match="a")), "options", "match belongs to matching"),
        (changed(options=[*options()[:3], ABOVE]), "options.3.text", "stand on its own"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_question_and_field(tmp_path, entry, field, says):
    lines = found(tmp_path, entry)
    assert lines
    assert all(line.startswith("theme.yaml: ") for line in lines)
    assert any(f": {field}: " in line and says in line for line in lines) or (
        not field and says in lines[0]
    )


def test_an_id_must_be_unique_in_all_files(tmp_path):
    assert found(tmp_path, GOOD, name="other.yaml") == []
    assert found(tmp_path, GOOD) == ["theme.yaml: theme-one: id: it is taken, in other.yaml"]
    (tmp_path / "other.yaml").unlink()
    assert found(tmp_path, GOOD, GOOD) == ["theme.yaml: theme-one: id: it is taken, in theme.yaml"]


def test_a_file_that_is_not_yaml_is_named_with_its_line(tmp_path):
    (tmp_path / "bad.yaml").write_text("- id: x\n  stem: 'not closed\n")
    (line,) = map(str, question_checks.problems(tmp_path))
    assert line.startswith("bad.yaml: line 3: not YAML: ")


@pytest.mark.parametrize("text", ["", "just: a mapping", "- 7", "- id: 5"])
def test_a_file_of_another_shape_is_refused_without_a_crash(tmp_path, text):
    (tmp_path / "odd.yaml").write_text(text)
    assert all(str(one).startswith("odd.yaml: ") for one in question_checks.problems(tmp_path))
    assert question_checks.problems(tmp_path)


def test_a_folder_without_questions_is_a_problem(tmp_path):
    assert "no question files" in str(question_checks.problems(tmp_path)[0])


def test_loading_a_broken_bank_says_the_first_problem_and_the_command(tmp_path):
    found(tmp_path, changed(difficulty=7), changed(id="theme-two", type="essay"))
    with pytest.raises(WrongInput, match=r"theme-one.*and 1 more.*question_checks"):
        questions.load(tmp_path)
