"""Build caches: which instructions of a Dockerfile are run again after a change."""

import os

import pytest

from drydock import oci
from drydock.errors import WrongInput

DOCKERFILE = """\
# syntax=docker/dockerfile:1
ARG BASE=python:3.13-slim
FROM ${BASE} AS build
WORKDIR /app
COPY requirements.txt .
RUN pip install \\
    -r requirements.txt
COPY app/ app/

FROM ${BASE}
COPY --from=build /app /app
USER 1000
"""


@pytest.fixture
def context(tmp_path):
    (tmp_path / "requirements.txt").write_text("httpx\n")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text("print(1)\n")
    (tmp_path / "notes.md").write_text("a note\n")
    return tmp_path


def cached(before, after):
    return {row["instruction"].split("\n")[0]: row["cached"] for row in oci.compare(before, after)}


def test_nothing_changed(context):
    before = oci.steps(DOCKERFILE, context)
    assert [step.instruction.split()[0] for step in before] == [
        *("FROM", "WORKDIR", "COPY", "RUN", "COPY"),
        *("FROM", "COPY", "USER"),
    ]
    assert [step.stage for step in before] == ["build"] * 5 + ["1"] * 3
    os.utime(context / "app" / "main.py", (1, 1))
    (context / "notes.md").write_text("not copied\n")
    assert all(cached(before, oci.steps(DOCKERFILE, context)).values())


def test_a_change_of_the_program_keeps_its_dependencies(context):
    before = oci.steps(DOCKERFILE, context)
    (context / "app" / "main.py").write_text("print(2)\n")
    hit = [row["cached"] for row in oci.compare(before, oci.steps(DOCKERFILE, context))]
    assert hit == [True, True, True, True, False, True, False, False]


def test_a_naive_order_loses_them(context):
    naive = "FROM x\nCOPY . /app\nRUN pip install -r /app/requirements.txt\nCMD run\n"
    before = oci.steps(naive, context)
    (context / "notes.md").write_text("changed\n")
    assert list(cached(before, oci.steps(naive, context)).values()) == [True, False, False, False]
    (context / ".dockerignore").write_text("*.md\n.dockerignore\n")
    before = oci.steps(naive, context)
    (context / "notes.md").write_text("changed again\n")
    assert all(cached(before, oci.steps(naive, context)).values())


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "app" / "new.py").write_text(""),
        lambda folder: (folder / "app" / "main.py").rename(folder / "app" / "other.py"),
        lambda folder: (folder / "app" / "main.py").chmod(0o755),
    ],
)
def test_names_and_permissions_count(context, change):
    before = oci.steps("FROM x\nCOPY app /app\n", context)
    change(context)
    after = oci.steps("FROM x\nCOPY app /app\n", context)
    assert list(cached(before, after).values()) == [True, False]


def test_a_pinned_digest_is_known_to_change(context):
    old = oci.steps("FROM python\nRUN x\n", context, bases={"python": "sha256:aa"})
    new = oci.steps("FROM python\nRUN x\n", context, bases={"python": "sha256:bb"})
    assert not any(cached(old, new).values())


def test_a_build_argument_counts_where_it_is_used(context):
    text = "FROM x\nARG V=1\nWORKDIR /a\nENV A=${V}\nRUN y\n"
    before = oci.steps(text, context)
    after = oci.steps(text, context, arguments={"V": "2"})
    assert list(cached(before, after).values()) == [True, True, True, False, False]
    late = "FROM x\nRUN y\nARG V\nRUN z\n"
    old, new = (oci.steps(late, context, arguments={"V": v}) for v in "12")
    assert list(cached(old, new).values()) == [True, True, True, False]
    base = "ARG B=a\nFROM $B\nRUN y\n"
    assert not any(
        cached(oci.steps(base, context), oci.steps(base, context, arguments={"B": "b"})).values()
    )


def test_a_stage_may_stand_on_another(context):
    text = "FROM x AS one\nRUN a\nFROM one AS two\nRUN b\nFROM y\nCOPY --from=0 /a /a\n"
    before = oci.steps(text, context)
    after = oci.steps(text.replace("RUN a", "RUN c"), context)
    assert list(cached(before, after).values()) == [True, False, False, False, True, False]
    renamed = oci.steps(text.replace("AS two", "AS three"), context)
    assert [step.key for step in renamed] == [step.key for step in before]


@pytest.mark.parametrize(
    ("ignore", "left"),
    [
        ("", {"a.md", "b.py", "d/c.md", "d/e/f.md"}),
        ("*.md", {"b.py", "d/c.md", "d/e/f.md"}),
        ("**/*.md", {"b.py"}),
        ("*.md\n!a.md", {"a.md", "b.py", "d/c.md", "d/e/f.md"}),
        ("d", {"a.md", "b.py"}),
        ("/d/", {"a.md", "b.py"}),
        ("*/*.md", {"a.md", "b.py", "d/e/f.md"}),
        ("*\n!d/e", {"d/e/f.md"}),
        ("# d\n\n  [ab].?? ", {"d/c.md", "d/e/f.md"}),
        ("[^a].*", {"a.md", "d/c.md", "d/e/f.md"}),
    ],
)
def test_dockerignore(tmp_path, ignore, left):
    names = ["a.md", "b.py", "d/c.md", "d/e/f.md"]
    (tmp_path / "d" / "e").mkdir(parents=True)
    text = "FROM x\nCOPY . /\n"
    (tmp_path / ".dockerignore").write_text(ignore)

    def key():
        return oci.steps(text, tmp_path)[-1].key

    for name in names:
        (tmp_path / name).write_text("")
    seen = set()
    for name in names:
        before = key()
        (tmp_path / name).write_text("changed")
        if key() != before:
            seen.add(name)
    assert seen == left


def test_a_dockerfile_may_have_its_own_dockerignore(context):
    (context / "Dockerfile").write_text("FROM x\nCOPY . /\n")
    (context / "Dockerfile.dockerignore").write_text("notes.md\n")
    before = oci.steps(context / "Dockerfile", context)
    (context / "notes.md").write_text("changed")
    assert all(cached(before, oci.steps(context / "Dockerfile", context)).values())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("RUN x\n", "no FROM"),
        ("", "no FROM"),
        ("FROM x\nCOPY nothing /\n", "not in the build context"),
        ("FROM x\nCOPY notes.md /\n", ".dockerignore"),
        ("FROM x\nCOPY [ab /\n", "pattern"),
        ("FROM x\nARG A='b\n", "ARG"),
        ("FROM x\nCOPY <<E /a\nhello\nE\n", "here-documents"),
    ],
)
def test_what_no_build_would_begin_with(context, text, words):
    (context / ".dockerignore").write_text("notes.md")
    with pytest.raises(WrongInput, match=words):
        oci.steps(text, context)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(WrongInput, match="cannot read"):
        oci.steps(tmp_path / "Dockerfile", tmp_path)
    with pytest.raises(WrongInput, match="not a folder"):
        oci.steps("FROM x\n", tmp_path / "nothing")
