"""Layers, uploads under way and policies survive SIGKILL; files of no use do not pile up."""

import sqlite3

import httpx
import pytest
from ecr_push import PART, image_of, policy, push, put, rule, upload
from live import client, kill, wait_for

from drydock import cloud, oci

REPOSITORY = "kept"


@pytest.fixture
def info(home):
    started = cloud.start(home, port=0)
    client(started, "ecr").create_repository(repositoryName=REPOSITORY)
    return started


def files(info):
    found = (info.home / "state" / "ecr").rglob("*")
    return {path.name for path in found if path.is_file()}


def names(*digests):
    return {digest.removeprefix("sha256:") for digest in digests}


def test_two_kills(info):
    ecr = client(info, "ecr")
    image = image_of("kept")
    push(ecr, REPOSITORY, image, "1")
    gone = image_of("gone")
    push(ecr, REPOSITORY, gone, "2")
    ecr.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": "2"}])
    blob = b"x" * PART + b"the end"
    upload_id = ecr.initiate_layer_upload(repositoryName=REPOSITORY)["uploadId"]

    def add(first, data):
        return ecr.upload_layer_part(
            repositoryName=REPOSITORY,
            uploadId=upload_id,
            partFirstByte=first,
            partLastByte=first + len(data) - 1,
            layerPartBlob=data,
        )

    add(0, blob[:PART])
    kill(info)
    # As if the server had died between the bytes and the record of them.
    with open(info.home / "state" / "ecr" / "uploads" / upload_id, "ab") as file:
        file.write(b"never acknowledged, and longer than what comes")
    stray = info.home / "state" / "ecr" / "layers" / ("0" * 64)
    stray.write_bytes(b"stray")
    info = cloud.start(info.home, port=0)
    ecr = client(info, "ecr")
    assert files(info) == names(*image.blobs) | {upload_id}
    assert add(PART, blob[PART:])["lastByteReceived"] == len(blob) - 1
    assert ecr.complete_layer_upload(
        repositoryName=REPOSITORY, uploadId=upload_id, layerDigests=[oci.digest(blob)]
    )["layerDigest"] == oci.digest(blob)
    kill(info)
    info = cloud.start(info.home, port=0)
    ecr = client(info, "ecr")
    assert files(info) == names(*image.blobs, oci.digest(blob))
    layer = image.layers[0]
    url = ecr.get_download_url_for_layer(repositoryName=REPOSITORY, layerDigest=layer.digest)
    assert httpx.get(url["downloadUrl"]).content == layer.blob
    (row,) = ecr.describe_images(repositoryName=REPOSITORY)["imageDetails"]
    assert (row["imageDigest"], row["imageTags"]) == (image.digest, ["1"])


def test_a_policy_goes_on_after_a_kill_and_its_work_stays_done(info):
    ecr = client(info, "ecr")
    text = policy(rule(1, count=1))
    ecr.put_lifecycle_policy(repositoryName=REPOSITORY, lifecyclePolicyText=text)
    old, new = image_of("old"), image_of("new")
    push(ecr, REPOSITORY, old)
    push(ecr, REPOSITORY, new)
    kill(info)
    info = cloud.start(info.home, port=0)
    ecr = client(info, "ecr")

    def left():
        rows = ecr.describe_images(repositoryName=REPOSITORY)["imageDetails"]
        return [row["imageDigest"] for row in rows]

    wait_for(lambda: left() == [new.digest], "expiry", 10)
    # Done is done: the record of an expiry is written with it.
    wait_for(lambda: not recorded(info, old), "the record of the expiry", 5)
    kill(info)
    info = cloud.start(info.home, port=0)
    ecr = client(info, "ecr")
    assert left() == [new.digest]
    assert files(info) == names(*new.blobs)


def recorded(info, image):
    """Whether the state on the disk still names the image."""
    with sqlite3.connect(info.home / "state" / "moto.sqlite") as database:
        rows = database.execute("SELECT data FROM rows WHERE service = 'ecr'").fetchall()
    return any(image.digest.encode() in data for (data,) in rows)


def test_a_layer_whose_file_was_lost_has_to_be_pushed_again(info):
    image = image_of("lost")
    push(client(info, "ecr"), REPOSITORY, image, "1")
    cloud.stop(info.home)
    lost = image.layers[0].digest
    (info.home / "state" / "ecr" / "layers" / lost.removeprefix("sha256:")).write_bytes(b"half")
    info = cloud.start(info.home, port=0)
    ecr = client(info, "ecr")
    answer = ecr.batch_check_layer_availability(repositoryName=REPOSITORY, layerDigests=[lost])
    assert answer["layers"] == []
    upload(ecr, REPOSITORY, image.layers[0].blob)
    put(ecr, REPOSITORY, image.manifest.decode(), "2")
    url = ecr.get_download_url_for_layer(repositoryName=REPOSITORY, layerDigest=lost)
    assert httpx.get(url["downloadUrl"]).content == image.layers[0].blob
