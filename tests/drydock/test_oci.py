"""Layers and images: the rules of the OCI specification."""

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


def test_a_plain_layer_is_its_tar():
    plain = oci.layer({"a": b"x" * 5000}, compressed=False)
    packed = oci.layer({"a": b"x" * 5000})
    assert plain.blob == plain.tar and plain.digest == plain.diff_id == packed.diff_id
    assert plain.descriptor["mediaType"] == "application/vnd.oci.image.layer.v1.tar"
    assert packed.descriptor["mediaType"].endswith("+gzip") and len(packed.blob) < len(plain.blob)
    assert oci.read(plain.blob).files() == oci.read(packed.blob).files()


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
