"""Layers, images and build caches: the rules of the OCI specification and of Docker's cache."""

import io
import json
import os
import subprocess
import sys
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


# ------------------------------------------------------------------------------------ layers
def test_the_same_content_is_the_same_layer(tmp_path):
    (tmp_path / "b").write_bytes(b"2")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"1")
    first = oci.layer(tmp_path)
    os.utime(tmp_path / "b", (1, 1))
    (tmp_path / "b").chmod(0o600)
    assert oci.layer(tmp_path).digest == first.digest
    assert oci.layer({"b": b"2", "/a/x": b"1"}).digest == first.digest
    assert oci.layer({"b": b"3", "a/x": b"1"}).diff_id != first.diff_id
    (tmp_path / "b").chmod(0o755)
    assert oci.layer(tmp_path).diff_id != first.diff_id


def test_a_diff_id_is_the_same_in_another_process_and_year():
    code = "from drydock import oci; print(oci.layer({'ü/b': b'1', 'a': b'2'}).diff_id)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == oci.layer({"a": b"2", "ü/b": b"1"}).diff_id


def test_tar_reads_a_layer():
    made = oci.layer({"bin/run": b"#!", "etc/x": b"y"}, removed=["etc/secret"])
    with tarfile.open(fileobj=io.BytesIO(made.blob), mode="r:gz") as archive:
        entries = archive.getmembers()
    assert [e.name for e in entries] == ["etc/.wh.secret", "bin/run", "etc/x"]
    assert {(e.uid, e.gid, e.mtime) for e in entries} == {(0, 0, 0)}


def test_a_layer_goes_under_a_folder():
    assert list(oci.layer({"x": b""}, under="/app").files()) == ["app/x"]


@pytest.mark.parametrize("path", ["", "/", ".", "../x", "a/../../x", "a/.wh.b", ".wh..wh..opq"])
def test_paths_that_no_image_can_have(path):
    with pytest.raises(WrongInput):
        oci.layer({path: b""})
    with pytest.raises(WrongInput):
        oci.layer({}, removed=[path])


def test_files_that_no_layer_can_have():
    with pytest.raises(WrongInput, match="bytes"):
        oci.layer({"a": "text"})
    with pytest.raises(WrongInput, match="twice"):
        oci.layer({"a": b"", "/a": b""})
    with pytest.raises(WrongInput, match="same layer"):
        oci.layer({"a": b"", "a/b": b""})


def test_a_layer_without_compression():
    plain = oci.read(BASE.tar)
    assert plain.diff_id == plain.digest == BASE.diff_id
    assert plain.descriptor["mediaType"] == "application/vnd.oci.image.layer.v1.tar"
    assert oci.read(BASE.blob).descriptor == BASE.descriptor


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(WrongInput, match="is not a folder"):
        oci.layer(tmp_path / "nothing")


@pytest.mark.parametrize(
    "blob", [b"no tar at all", b"\x1f\x8bno gzip", b"x" * 2000, oci.layer({"a": b"1"}).blob[:-9]]
)
def test_a_blob_that_is_no_layer(blob):
    with pytest.raises(WrongInput, match="not a layer"):
        oci.read(blob)


# ------------------------------------------------------------------------------------ applying
BASE = oci.layer({"etc/a": b"1", "etc/b": b"2", "etc/c/d": b"3", "top": b"4"})


def test_later_layers_hide_what_is_under_them():
    top = oci.layer({"etc/b": b"new"}, removed=["etc/a", "etc/c"])
    assert oci.apply([BASE, top]) == {"etc/b": b"new", "top": b"4"}
    assert oci.apply([BASE, oci.layer({"etc/c": b"a file now"})])["etc/c"] == b"a file now"
    assert "etc/c/d" not in oci.apply([BASE, oci.layer({"etc/c": b"a file now"})])
    assert "top" not in oci.apply([BASE, oci.layer({"top/x": b"a folder now"})])


def test_a_whiteout_leaves_its_own_layer_and_its_namesakes_alone():
    again = oci.layer({"etc/a": b"again"}, removed=["etc/a"])
    assert oci.apply([BASE, again])["etc/a"] == b"again"
    assert "etc/cc" in oci.apply([oci.layer({"etc/cc": b""}), oci.layer({}, removed=["etc/c"])])


def by_hand(names):
    """A layer whose tar another tool wrote, with folders, a symlink and ./ in front."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in names:
            entry = tarfile.TarInfo(name)
            if name.endswith("/"):
                entry.type = tarfile.DIRTYPE
            elif name.endswith("link"):
                entry.type, entry.linkname = tarfile.SYMTYPE, "etc/a"
            archive.addfile(entry)
    return oci.read(buffer.getvalue())


def test_an_opaque_whiteout_hides_lower_siblings_wherever_it_stands():
    top = by_hand(["./", "./etc/", "./etc/new", "./etc/.wh..wh..opq", "./link"])
    assert oci.apply([BASE, top]) == {"etc/new": b"", "link": b"-> etc/a", "top": b"4"}
    assert oci.apply([BASE, by_hand([".wh..wh..opq"])]) == {}


paths = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.dictionaries(paths, st.binary(max_size=3)), st.lists(paths))))
def test_what_shows_was_put_there_last(changes):
    layers = []
    for files, removed in changes:
        files = {p: c for p, c in files.items() if not any(o.startswith(p + "/") for o in files)}
        layers.append(oci.layer(files, removed=removed))
    shown = oci.apply(layers)
    for path, content in shown.items():
        last = max(i for i, layer in enumerate(layers) if path in layer.files())
        assert layers[last].files()[path] == content
        assert not any(other.startswith(path + "/") for other in shown)
    if layers:
        assert set(layers[-1].files()) - set(shown) == {
            p for p in layers[-1].files() if p.rpartition("/")[2].startswith(".wh.")
        }


def test_a_secret_stays_in_its_layer():
    secret = oci.layer({"app/.env": b"TOKEN=hunter2"}, created_by="COPY .env /app/")
    layers = [BASE, secret, oci.layer({}, removed=["app/.env"], created_by="RUN rm /app/.env")]
    assert "app/.env" not in oci.apply(layers)
    assert oci.find(layers, "hunter2") == [oci.Found(1, "app/.env", visible=False)]
    assert oci.find(layers[:2], b"hunter2") == [oci.Found(1, "app/.env", visible=True)]
    changed = [*layers[:2], oci.layer({"app/.env": b"TOKEN="})]
    assert oci.find(changed, "hunter2") == [oci.Found(1, "app/.env", visible=False)]
    assert oci.find(layers, "not there") == []
    with pytest.raises(WrongInput):
        oci.find(layers, "")


def test_deleting_in_a_later_layer_makes_an_image_no_smaller():
    big = oci.layer({"cache": os.urandom(100_000)}, created_by="RUN apt-get install")
    rows = oci.sizes([big, oci.layer({}, removed=["cache"], created_by="RUN rm cache")])
    assert rows[0]["compressed"] > 100_000 and rows[0]["uncompressed"] > 100_000
    assert rows[1]["compressed"] < 1000
    assert rows[1]["files"] == 1 and rows[1]["created_by"] == "RUN rm cache"
    text = oci.sizes([oci.layer({"text": b"abc" * 100_000})])[0]
    assert text["compressed"] < text["uncompressed"] / 50


# ------------------------------------------------------------------------------------ images
def test_an_image_names_its_parts_by_their_bytes():
    image = oci.image([BASE], {"Env": ["A=1"], "User": "1000"})
    config, manifest = json.loads(image.config), json.loads(image.manifest)
    assert config["rootfs"] == {"type": "layers", "diff_ids": [oci.digest(BASE.tar)]}
    assert (config["architecture"], config["os"]) == ("amd64", "linux")
    assert config["config"] == {"Env": ["A=1"], "User": "1000"}
    assert manifest["schemaVersion"] == 2 and manifest["mediaType"] == oci.MANIFEST_TYPE
    assert manifest["config"] == {
        "mediaType": oci.CONFIG_TYPE,
        "digest": oci.digest(image.config),
        "size": len(image.config),
    }
    assert manifest["layers"] == [
        {"mediaType": oci.LAYER_TYPE, "digest": oci.digest(BASE.blob), "size": len(BASE.blob)}
    ]
    assert image.digest == oci.digest(image.manifest)
    assert image.size == len(BASE.blob)
    assert {oci.digest(blob): blob for blob in image.blobs.values()} == image.blobs
    assert oci.image([BASE], {"User": "0"}).digest != image.digest


def test_an_index_has_one_image_for_each_platform():
    intel, arm = oci.image([BASE]), oci.image([BASE], architecture="arm64", variant="v8")
    assert intel.digest != arm.digest
    made = json.loads(oci.index([intel, arm]))
    assert made["mediaType"] == oci.INDEX_TYPE
    assert [m["digest"] for m in made["manifests"]] == [intel.digest, arm.digest]
    assert made["manifests"][1]["platform"] == {
        "architecture": "arm64",
        "os": "linux",
        "variant": "v8",
    }
    with pytest.raises(WrongInput, match="platform"):
        oci.index([intel, intel])


# ------------------------------------------------------------------------------------ the cache
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


def test_a_plain_layer_is_its_tar():
    plain = oci.layer({"a": b"x" * 5000}, compressed=False)
    packed = oci.layer({"a": b"x" * 5000})
    assert plain.blob == plain.tar and plain.digest == plain.diff_id == packed.diff_id
    assert plain.descriptor["mediaType"] == "application/vnd.oci.image.layer.v1.tar"
    assert packed.descriptor["mediaType"].endswith("+gzip") and len(packed.blob) < len(plain.blob)
    assert oci.read(plain.blob).files() == oci.read(packed.blob).files()
