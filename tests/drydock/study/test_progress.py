"""The progress file: added to only, mended after a crash, taken along to another machine."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from drydock.errors import WrongInput
from drydock.study import progress, room, standing


@pytest.fixture(autouse=True)
def own_study(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "folder", lambda: tmp_path / "study")
    monkeypatch.delenv("DRYDOCK_LEARNER", raising=False)


def test_what_is_noted_is_read():
    assert progress.read().events == ()
    progress.note("answer", "cost-fargate-minimum", right=False)
    progress.note("answer", "cost-fargate-minimum", right=True)
    tally = progress.read().answers()["cost-fargate-minimum"]
    assert (tally.tries, tally.right, tally.last, tally.done) == (2, 1, True, True)


def test_many_writers_lose_nothing():
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: progress.note("answer", f"q{n}", right=True), range(60)))
    assert len(progress.read().answers()) == 60


@pytest.mark.parametrize(
    "broken",
    [
        b'{"v": 1, "kind": "answ',
        b"\xff\xfe\n",
        b'{"v": 99, "kind": "answer", "about": "q", "when": "2026-01-01", "right": true}\n',
        b'{"v": 1, "kind": "answer", "about": "q", "when": "2026-01-01"}\n',
        b'{"v": 1, "kind": "answer", "about": "q", "when": "soon", "right": true}\n',
        b"[]\n",
        b"null\n",
    ],
)
def test_a_broken_line_is_set_aside_and_nothing_else_lost(broken, capsys):
    progress.note("answer", "before", right=True)
    with progress.file().open("ab") as file:
        file.write(broken)
    progress.note("answer", "after", right=True)
    assert set(progress.read().answers()) == {"before", "after"}
    assert "1 line of progress.jsonl could not be read" in capsys.readouterr().err
    aside = progress.folder() / "progress.broken.jsonl"
    assert aside.read_bytes().strip() == broken.strip()
    assert set(progress.read().answers()) == {"before", "after"}
    assert capsys.readouterr().err == ""


def test_the_learners_id_is_made_once():
    name = progress.learner()
    assert name == progress.learner() == progress.read().learner and len(name) == 8


def test_an_exported_file_is_taken_in_once(tmp_path):
    progress.note("answer", "here", right=True)
    other = tmp_path / "other.jsonl"
    line = {"v": 1, "kind": "answer", "about": "there", "when": "2026-01-01T00:00:00+00:00"}
    other.write_text(json.dumps({**line, "right": False}) + "\n{\n")
    assert [progress.take_in(other), progress.take_in(other)] == [1, 0]
    assert set(progress.read().answers()) == {"here", "there"}
    assert other.read_text().endswith("{\n")  # another's file is not ours to mend
    for content in (None, "", "x"):
        bad = tmp_path / "bad.jsonl"
        bad.unlink(missing_ok=True)
        if content is not None:
            bad.write_text(content)
        with pytest.raises(WrongInput, match=r"bad\.jsonl"):
            progress.take_in(bad)


def test_standing_by_skill_and_what_is_next():
    for number in range(3):
        progress.note("answer", f"fargate-run-cost:{number}", right=True)
    progress.note("answer", "cost-fargate-minimum", right=False)
    progress.note("answer", "gone-from-the-bank", right=False)
    found = standing.by_skill(progress.read())
    assert (found["1.2.4"].right, found["1.2.4"].tried) == (3, 4)
    assert found["1.2.4"].level == standing.FAIR
    progress.note("answer", "cost-fargate-minimum", right=True)
    assert standing.by_skill(progress.read())["1.2.4"].level == standing.KNOWN
    progress.note("exercise", "1.2", right=False, failed="a task that has stopped")
    found = standing.by_skill(progress.read())
    assert standing.next_up(found)[0] == "1.2.7"  # what is weak comes before what was not seen
    assert "exercise 1.2" in standing.lessons("1.2.7")
    text = standing.text(progress.read())
    assert "1.2.7" in text and "drydock practice --skill 1.2.7" in text


def test_the_heat_map_has_a_box_for_each_skill():
    progress.note("answer", "cost-fargate-minimum", right=True)
    found = standing.by_skill(progress.read())
    [axes] = standing.heat_map(found).axes
    shown = [text.get_text() for text in axes.texts]
    assert len(shown) == len(found)
    assert shown.count("1/1 ~") == sum(one.tried for one in found.values())


def test_the_room_shows_who_is_stuck(tmp_path):
    files = []
    for name, wrong in (("ann", 0), ("bob", 3)):
        path = tmp_path / f"{name}.jsonl"
        line = {"v": 1, "when": "2026-01-01T10:00:00+00:00"}
        events = [{**line, "kind": "learner", "about": name}]
        events += [{**line, "kind": "exercise", "about": "1.2", "right": False}] * wrong
        events += [{**line, "kind": "exercise", "about": "1.2", "right": True}] * (not wrong)
        path.write_text("".join(json.dumps(one) + "\n" for one in events))
        files.append(path)
    first, second = room.read(files)
    assert (first.name, first.stuck, second.stuck) == ("bob", ["1.2"], [])
    assert "stuck in 1.2 (A month that does not exist): bob" in room.text([first, second])
    with pytest.raises(WrongInput, match="no such file"):
        room.read([tmp_path / "no.jsonl"])
