"""Layers are uploaded in order, checked by their digest, and come back byte for byte."""

import os

import httpx
import pytest
from ecr_push import PART, image_of, push, put, upload

from drydock import oci

NEVER = f"sha256:{'0' * 64}"
NO_UPLOAD = "00000000-0000-0000-0000-000000000000"


def part(upload_id, repository, first, last, data):
    return {
        "repositoryName": repository,
        "uploadId": upload_id,
        "partFirstByte": first,
        "partLastByte": last,
        "layerPartBlob": data,
    }


def begun(ecr, repository):
    answer = ecr.initiate_layer_upload(repositoryName=repository)
    assert answer["partSize"] >= PART
    return answer["uploadId"]


def test_a_layer_in_three_parts_comes_back(ecr, repository):
    layer = oci.layer({"data": os.urandom(2 * PART + 1000)})
    assert upload(ecr, repository, layer.blob) == layer.digest
    (found,) = ecr.batch_check_layer_availability(
        repositoryName=repository, layerDigests=[layer.digest]
    )["layers"]
    assert found["layerAvailability"] == "AVAILABLE"
    assert found["layerSize"] == len(layer.blob)
    push(ecr, repository, oci.image([layer]), "1")
    url = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=layer.digest)
    got = httpx.get(url["downloadUrl"]).content
    assert got == layer.blob
    assert oci.read(got).diff_id == layer.diff_id


def test_the_address_of_a_layer_is_for_it_alone(ecr, repository):
    image = image_of("secret")
    push(ecr, repository, image, "1")
    layer = image.layers[0].digest
    url = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=layer)
    url = url["downloadUrl"]
    assert httpx.get(url).status_code == 200
    for wrong in (
        url.partition("?")[0],
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        url.replace("expires=", "expires=9"),
        url.replace(layer, oci.digest(image.config)),
        url.replace(layer, "../../../server.json"),
        url.replace("signature=", "signature=%C3%BC"),
    ):
        assert httpx.get(wrong).status_code in (403, 404), wrong


def test_bytes_that_are_not_what_they_were_said_to_be(ecr, repository, refused):
    upload_id = begun(ecr, repository)
    ecr.upload_layer_part(**part(upload_id, repository, 0, 4, b"hello"))
    words = refused(
        "InvalidLayerException",
        "complete_layer_upload",
        repositoryName=repository,
        uploadId=upload_id,
        layerDigests=[NEVER],
    )
    assert NEVER in words and oci.digest(b"hello") in words
    answer = ecr.batch_check_layer_availability(
        repositoryName=repository, layerDigests=[oci.digest(b"hello"), "nonsense"]
    )
    assert answer["layers"] == []
    assert [f["failureCode"] for f in answer["failures"]] == [
        "MissingLayerDigest",
        "InvalidLayerDigest",
    ]


@pytest.mark.parametrize(
    ("first", "last", "data"),
    [(3, 5, b"abc"), (6, 8, b"abc"), (5, 6, b"abc"), (5, 5, b""), (0, 4, b"hello")],
)
def test_parts_that_do_not_follow_each_other(ecr, repository, first, last, data):
    upload_id = begun(ecr, repository)
    ecr.upload_layer_part(**part(upload_id, repository, 0, 4, b"hello"))
    with pytest.raises(ecr.exceptions.InvalidLayerPartException) as caught:
        ecr.upload_layer_part(**part(upload_id, repository, first, last, data))
    assert caught.value.response["lastValidByteReceived"] == 4
    assert caught.value.response["uploadId"] == upload_id
    ecr.upload_layer_part(**part(upload_id, repository, 5, 5, b"!"))


def test_small_parts_in_the_middle(ecr, repository, refused):
    upload_id = begun(ecr, repository)
    ecr.upload_layer_part(**part(upload_id, repository, 0, 4, b"hello"))
    ecr.upload_layer_part(**part(upload_id, repository, 5, 5, b"!"))
    words = refused(
        "LayerPartTooSmallException",
        "complete_layer_upload",
        repositoryName=repository,
        uploadId=upload_id,
        layerDigests=[oci.digest(b"hello!")],
    )
    assert "5 MiB" in words


def test_uploads_that_cannot_be_completed(ecr, repository, refused):
    complete = {"repositoryName": repository, "layerDigests": [NEVER]}
    words = refused(
        "EmptyUploadException",
        "complete_layer_upload",
        uploadId=begun(ecr, repository),
        **complete,
    )
    assert "does not have any parts" in words
    refused("UploadNotFoundException", "complete_layer_upload", uploadId=NO_UPLOAD, **complete)
    refused(
        "UploadNotFoundException", "upload_layer_part", **part(NO_UPLOAD, repository, 0, 0, b"x")
    )
    blob = b"once"
    upload(ecr, repository, blob)
    with pytest.raises(ecr.exceptions.LayerAlreadyExistsException):
        upload(ecr, repository, blob)


def test_a_layer_belongs_to_its_repository(ecr, repository, refused):
    image = image_of("shared bytes")
    push(ecr, repository, image, "1")
    other = f"{repository}-other"
    ecr.create_repository(repositoryName=other)
    digest = image.layers[0].digest
    words = refused(
        "LayersNotFoundException",
        "get_download_url_for_layer",
        repositoryName=other,
        layerDigest=digest,
    )
    assert digest in words and other in words
    push(ecr, other, image, "1")
    ecr.delete_repository(repositoryName=other, force=True)
    url = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=digest)
    assert httpx.get(url["downloadUrl"]).content == image.layers[0].blob


def test_a_layer_of_no_image_cannot_be_downloaded(ecr, repository, refused):
    digest = upload(ecr, repository, b"alone")
    asked = {"repositoryName": repository, "layerDigest": digest}
    assert "not associated" in refused(
        "LayerInaccessibleException", "get_download_url_for_layer", **asked
    )


def test_the_layers_of_a_deleted_image_go_unless_another_has_them(ecr, repository):
    shared = oci.layer({"base": b"1"})
    one = oci.image([shared, oci.layer({"one": b"1"})])
    two = oci.image([shared, oci.layer({"two": b"2"})])
    for image, tag in ((one, "1"), (two, "2")):
        push(ecr, repository, image, tag)
    ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": "1"}])
    answer = ecr.batch_check_layer_availability(
        repositoryName=repository, layerDigests=list({**one.blobs, **two.blobs})
    )
    there = {layer["layerDigest"] for layer in answer["layers"]}
    assert there == set(two.blobs)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("initiate_layer_upload", {}),
        (
            "upload_layer_part",
            {k: v for k, v in part(NO_UPLOAD, "", 0, 0, b"x").items() if v != ""},
        ),
        ("complete_layer_upload", {"uploadId": NO_UPLOAD, "layerDigests": [NEVER]}),
        ("batch_check_layer_availability", {"layerDigests": [NEVER]}),
        ("get_download_url_for_layer", {"layerDigest": NEVER}),
        ("put_image", {"imageManifest": "{}"}),
        ("batch_get_image", {"imageIds": [{"imageTag": "1"}]}),
        ("batch_delete_image", {"imageIds": [{"imageTag": "1"}]}),
        ("describe_images", {}),
        ("get_lifecycle_policy_preview", {}),
        ("start_image_scan", {"imageId": {"imageTag": "1"}}),
    ],
)
def test_a_repository_that_is_not_there(refused, operation, parameters):
    parameters = {**parameters, "repositoryName": "test/nothing"}
    assert "test/nothing" in refused("RepositoryNotFoundException", operation, **parameters)


def test_an_image_needs_its_layers_and_its_config(ecr, repository, refused):
    image = image_of("x")
    asked = {"repositoryName": repository, "imageManifest": image.manifest.decode()}
    words = refused("LayersNotFoundException", "put_image", **asked)
    assert all(digest in words for digest in image.blobs)
    upload(ecr, repository, image.layers[0].blob)
    words = refused("LayersNotFoundException", "put_image", **asked)
    assert oci.digest(image.config) in words and image.layers[0].digest not in words
    upload(ecr, repository, image.config)
    assert put(ecr, repository, image.manifest.decode())["imageId"]["imageDigest"] == image.digest
