"""Questions in a terminal, as a person types them."""

import os
import signal
import subprocess
import sys
import time

import pytest

from drydock.errors import WrongInput
from drydock.study import progress, questions, terminal
from drydock.study.exam import Exam

BANK = questions.load()
ONE = {kind: next(one for one in BANK if one.type == kind) for kind in questions.TYPES}


def typed(question):
    """The right answer as a person types it."""
    if question.type != "matching":
        return " ".join(question.answer)
    halves = [one.key for one in question.shown_matches()]
    return " ".join(f"{key}{halves.index(key) + 1}" for key in question.answer)


def drydock(home, *words, typing="", **options):
    return subprocess.run(
        [sys.executable, "-m", "drydock.cli", *words],
        input=typing,
        capture_output=True,
        text=True,
        env=os.environ | {"DRYDOCK_HOME": str(home)},
        timeout=120,
        **options,
    )


@pytest.mark.parametrize("kind", questions.TYPES)
def test_the_right_answer_is_understood_as_people_type_it(kind):
    question = ONE[kind]
    for text in (typed(question), typed(question).upper(), typed(question).replace(" ", ", ")):
        assert question.is_right(terminal.response(question, text))
    assert question.stem.split()[0] in terminal.shown(question)


@pytest.mark.parametrize("kind", questions.TYPES)
@pytest.mark.parametrize("text", ["", "z", "aa", "a b c d e f g h", "1", "a9 b9", "%$", "ä"])
def test_a_bad_answer_is_one_line_that_says_what_to_type(kind, text):
    with pytest.raises(WrongInput) as error:
        terminal.response(ONE[kind], text)
    assert "is no answer here. Type" in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_practice_keeps_each_answer_and_says_why(tmp_path):
    done = drydock(tmp_path, "practice", "--type", "multiple_choice", "--count", "2", "--seed", "1",
                   typing="zz\na\nq\n")  # fmt: skip
    assert done.returncode == 0 and done.stderr == ""
    assert "'zz' is no answer here. Type one letter." in done.stdout
    assert "Source: https://" in done.stdout
    events = progress.read(tmp_path / "study" / "progress.jsonl").events
    assert [one.kind for one in events] == ["answer"]
    assert "nothing is due; the next on" in drydock(tmp_path, "review").stdout


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("practice", "--skill", "9.9.9"), 2, "no skill '9.9.9'"),
        (("practice", "--theme", "x"), 2, "no theme 'x': type one of api"),
        (("practice", "--family", "x"), 2, "no family 'x'"),
        (("practice", "--difficulty", "9"), 2, "9"),
        (("exam", "--size", "0"), 2, "0"),
        (("exam", "--size", "9999"), 2, "type a smaller size"),
        (("exam", "--wrong"), 2, "no mock exam was finished yet"),
        (("anki", "deck.txt"), 2, "is no deck's name"),
        (("room", "no.jsonl"), 2, "no such file: no.jsonl"),
        (("progress", "--import", "no.jsonl"), 2, "no.jsonl cannot be read"),
        (("handout", "teacher"), 2, "teacher"),
    ],
)
def test_bad_input_is_a_clear_line(words, code, says, tmp_path):
    done = drydock(tmp_path, *words, cwd=tmp_path)
    assert done.returncode == code
    assert says in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.apkg"))


def test_lists_deck_and_progress(tmp_path):
    done = drydock(tmp_path, "questions", "--skill", "1.2.2")
    assert len(done.stdout.splitlines()) == len(questions.select(BANK, skill="1.2.2"))
    assert "fargate-run-cost" in drydock(tmp_path, "questions", "--families").stdout
    done = drydock(tmp_path, "anki", str(tmp_path / "d.apkg"), "--skill", "1.2.2")
    assert (tmp_path / "d.apkg").exists() and "cards in" in done.stdout
    out, chart = tmp_path / "me.jsonl", tmp_path / "map.png"
    assert drydock(tmp_path, "progress", "--export", str(out)).returncode == 0
    assert drydock(tmp_path, "progress", "--chart", str(chart)).returncode == 0
    assert out.exists() and chart.read_bytes().startswith(b"\x89PNG")
    again = drydock(tmp_path, "progress", "--export", str(out))
    assert again.returncode == 2 and "is there already" in again.stderr


def test_an_exam_goes_on_after_the_end_of_input_and_is_scored(tmp_path):
    first = drydock(tmp_path, "exam", "--size", "4", typing="flag\ngo 9\ngo 2\nleft\n")
    assert "there is no question 9: type 1 to 4" in first.stdout
    assert "flagged: 1" in first.stdout and "Your answers are kept" not in first.stderr
    path = tmp_path / "study" / "exam.json"
    exam = Exam.load(path, BANK)
    assert (exam.flagged(), exam.finished) == ([0], False)
    script = "".join(f"go {n}\n{typed(one)}\n" for n, one in enumerate(exam.questions, start=1))
    last = drydock(tmp_path, "exam", typing=f"{script}finish\n")
    assert "1000 of 1,000: passed" in last.stdout, last.stdout + last.stderr
    assert len(progress.read(tmp_path / "study" / "progress.jsonl").answers()) == 4
    assert drydock(tmp_path, "exam", "--wrong").returncode == 0


def test_ctrl_c_in_an_exam_keeps_the_answers_and_ends_with_130(tmp_path):
    command = subprocess.Popen(
        [sys.executable, "-u", "-m", "drydock.cli", "exam", "--size", "4"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"DRYDOCK_HOME": str(tmp_path)},
    )
    path, deadline = tmp_path / "study" / "exam.json", time.monotonic() + 60
    command.stdin.write("flag\n")
    command.stdin.flush()
    while time.monotonic() < deadline and (not path.exists() or '"flags": []' in path.read_text()):
        time.sleep(0.05)
    command.send_signal(signal.SIGINT)
    _, errors = command.communicate(timeout=60)
    assert (command.returncode, "Traceback" in errors) == (130, False)
    assert Exam.load(path, BANK).flagged() == [0]
