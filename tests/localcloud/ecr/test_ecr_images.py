"""Images, their tags, their sizes, and scans that are not made up."""

import json

import pytest
from ecr_push import image_of, push, put, upload

from drydock import oci

EMPTY = {
    "schemaVersion": 2,
    "mediaType": oci.MANIFEST_TYPE,
    "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": "sha256:x", "size": 2},
    "layers": [],
    "annotations": {"dev.drydock.context": "/somewhere"},
}


def details(ecr, repository, **more):
    found = ecr.describe_images(repositoryName=repository, **more)["imageDetails"]
    return {row["imageDigest"]: row for row in found}


def tags(ecr, repository):
    return {
        row["imageDigest"]: row.get("imageTags", []) for row in details(ecr, repository).values()
    }


def test_an_image_without_layers_is_named_by_its_manifest(ecr, repository):
    text = json.dumps(EMPTY)
    image = put(ecr, repository, text, "1", imageDigest=oci.digest(text.encode()))
    assert image["imageId"] == {"imageDigest": oci.digest(text.encode()), "imageTag": "1"}
    assert image["imageManifest"] == text
    (row,) = details(ecr, repository).values()
    assert row["imageSizeInBytes"] == 0
    assert row["imageManifestMediaType"] == oci.MANIFEST_TYPE


def test_the_layers_of_an_image_that_an_engine_built_stay_with_the_engine(ecr, repository):
    manifest = json.loads(image_of("built").manifest)
    manifest["annotations"] = {"dev.drydock.image": "sha256:1"}
    put(ecr, repository, json.dumps(manifest), "1")
    (row,) = details(ecr, repository).values()
    assert row["imageSizeInBytes"] == manifest["layers"][0]["size"]
    put(ecr, repository, json.dumps(EMPTY), "1")
    digest = row["imageDigest"]
    gone = ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageDigest": digest}])
    assert gone["imageIds"] == [{"imageDigest": digest}]


def test_an_image_is_as_large_as_its_layers(ecr, repository):
    image = oci.image([oci.layer({"a": b"1" * 1000}), oci.layer({"b": b"2"})])
    push(ecr, repository, image, "1")
    (row,) = details(ecr, repository).values()
    assert row["imageSizeInBytes"] == sum(len(layer.blob) for layer in image.layers) == image.size
    assert row["artifactMediaType"] == oci.CONFIG_TYPE


def test_a_tag_moves_and_leaves_the_old_image_untagged(ecr, repository):
    old, new = image_of("old"), image_of("new")
    push(ecr, repository, old, "latest")
    push(ecr, repository, new, "latest")
    push(ecr, repository, new, "2")
    assert tags(ecr, repository) == {old.digest: [], new.digest: ["latest", "2"]}
    untagged = details(ecr, repository, filter={"tagStatus": "UNTAGGED"})
    assert list(untagged) == [old.digest]
    assert "imageTags" not in untagged[old.digest]
    assert list(details(ecr, repository, filter={"tagStatus": "TAGGED"})) == [new.digest]
    got = ecr.batch_get_image(
        repositoryName=repository,
        imageIds=[
            {"imageTag": "latest"},
            {"imageDigest": old.digest},
            {"imageTag": "9"},
            {"imageDigest": old.digest, "imageTag": "latest"},
        ],
    )
    assert [image["imageId"] for image in got["images"]] == [
        {"imageDigest": new.digest, "imageTag": "latest"},
        {"imageDigest": old.digest},
    ]
    assert [failure["failureCode"] for failure in got["failures"]] == ["ImageNotFound"] * 2
    listed = ecr.list_images(repositoryName=repository)["imageIds"]
    assert {"imageDigest": old.digest} in listed and len(listed) == 3


def test_the_same_image_again(ecr, repository, refused):
    image = image_of("same")
    push(ecr, repository, image, "1")
    asked = {"repositoryName": repository, "imageManifest": image.manifest.decode()}
    words = refused("ImageAlreadyExistsException", "put_image", imageTag="1", **asked)
    assert image.digest in words and "'1'" in words
    refused("ImageAlreadyExistsException", "put_image", **asked)


def test_an_immutable_tag_stays_where_it_is(ecr, repository, refused):
    ecr.put_image_tag_mutability(repositoryName=repository, imageTagMutability="IMMUTABLE")
    one = image_of("one")
    push(ecr, repository, one, "1")
    # Also for the same image, as users of ECR found out.
    asked = {"repositoryName": repository, "imageManifest": one.manifest.decode()}
    refused("ImageTagAlreadyExistsException", "put_image", imageTag="1", **asked)
    other = image_of("two")
    push(ecr, repository, other, "2")
    words = refused(
        "ImageTagAlreadyExistsException",
        "put_image",
        repositoryName=repository,
        imageManifest=other.manifest.decode(),
        imageTag="1",
    )
    assert words == (
        f"The image tag '1' already exists in the '{repository}' repository and cannot be "
        "overwritten because the repository is immutable."
    )
    assert tags(ecr, repository)[other.digest] == ["2"]


@pytest.mark.parametrize(
    ("mutability", "moves"),
    [("IMMUTABLE_WITH_EXCLUSION", "dev-1"), ("MUTABLE_WITH_EXCLUSION", "v1")],
)
def test_some_tags_may_be_excluded(ecr, repository, refused, mutability, moves):
    ecr.put_image_tag_mutability(
        repositoryName=repository,
        imageTagMutability=mutability,
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "*dev*"}],
    )
    one, two = image_of("one"), image_of("two")
    push(ecr, repository, one, "dev-1")
    push(ecr, repository, one, "v1")
    push(ecr, repository, two)
    stays = {"dev-1": "v1", "v1": "dev-1"}[moves]
    put(ecr, repository, two.manifest.decode(), moves)
    refused(
        "ImageTagAlreadyExistsException",
        "put_image",
        repositoryName=repository,
        imageManifest=two.manifest.decode(),
        imageTag=stays,
    )


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ("{", "Invalid JSON syntax"),
        ("[]", "Invalid JSON syntax"),
        ('{"schemaVersion": 2}', "mediaType"),
        (json.dumps({**EMPTY, "layers": 3}), "layers"),
        (json.dumps({**EMPTY, "layers": [{"digest": 3}]}), "layers"),
        (json.dumps({**EMPTY, "config": 3, "layers": [{"digest": "a", "size": 1}]}), "config"),
        (json.dumps({**EMPTY, "manifests": [{}]}), "manifests"),
        (json.dumps({**EMPTY, "annotations": []}), "annotations"),
    ],
)
def test_manifests_that_are_none(repository, refused, manifest, words):
    asked = {"repositoryName": repository, "imageManifest": manifest}
    assert words in refused("InvalidParameterException", "put_image", **asked)


@pytest.mark.parametrize("tag", ["-x", "a b", ".x", "a/b", "x" * 129])
def test_tags_that_are_none(repository, refused, tag):
    asked = {"repositoryName": repository, "imageManifest": json.dumps(EMPTY), "imageTag": tag}
    assert "imageTag" in refused("InvalidParameterException", "put_image", **asked)


def test_a_digest_that_is_not_the_manifests(repository, refused):
    words = refused(
        "ImageDigestDoesNotMatchException",
        "put_image",
        repositoryName=repository,
        imageManifest=json.dumps(EMPTY),
        imageDigest=f"sha256:{'1' * 64}",
    )
    assert oci.digest(json.dumps(EMPTY).encode()) in words


def test_an_index_of_two_architectures(ecr, repository, refused):
    layer = oci.layer({"a": b"1"})
    intel = oci.image([layer])
    arm = oci.image([layer, oci.layer({"b": b"2"})], architecture="arm64", variant="v8")
    index = oci.index([intel, arm]).decode()
    push(ecr, repository, intel)
    words = refused(
        "ReferencedImagesNotFoundException",
        "put_image",
        repositoryName=repository,
        imageManifest=index,
    )
    assert arm.digest in words and intel.digest not in words
    push(ecr, repository, arm)
    put(ecr, repository, index, "1")
    rows = details(ecr, repository)
    assert rows[oci.digest(index.encode())]["imageSizeInBytes"] == arm.size
    answer = ecr.batch_delete_image(
        repositoryName=repository, imageIds=[{"imageDigest": arm.digest}]
    )
    assert answer["failures"][0]["failureCode"] == "ImageReferencedByManifestList"
    assert arm.digest in details(ecr, repository)


def test_deleting_a_tag_and_an_image(ecr, repository):
    image = image_of("x")
    push(ecr, repository, image, "1")
    push(ecr, repository, image, "2")

    def delete(**image_id):
        return ecr.batch_delete_image(repositoryName=repository, imageIds=[image_id])

    assert delete(imageTag="1")["imageIds"] == [{"imageDigest": image.digest, "imageTag": "1"}]
    assert tags(ecr, repository) == {image.digest: ["2"]}
    assert delete(imageTag="1")["failures"][0]["failureCode"] == "ImageNotFound"
    assert delete()["failures"][0]["failureCode"] == "MissingDigestAndTag"
    assert delete(imageDigest="x")["failures"][0]["failureCode"] == "InvalidImageDigest"
    assert delete(imageDigest=image.digest)["failures"] == []
    assert details(ecr, repository) == {}


def test_pages_of_images(ecr, repository, refused):
    made = {push(ecr, repository, image_of(str(n)))["imageId"]["imageDigest"] for n in range(5)}
    pages = list(
        ecr.get_paginator("describe_images").paginate(
            repositoryName=repository, PaginationConfig={"PageSize": 2}
        )
    )
    assert [len(page["imageDetails"]) for page in pages] == [2, 2, 1]
    assert {row["imageDigest"] for page in pages for row in page["imageDetails"]} == made
    asked = {"repositoryName": repository, "nextToken": "made up"}
    assert "nextToken" in refused("InvalidParameterException", "describe_images", **asked)


def test_an_image_that_is_not_there(repository, refused):
    asked = {"repositoryName": repository, "imageIds": [{"imageTag": "9"}]}
    assert "imageTag:'9'" in refused("ImageNotFoundException", "describe_images", **asked)


def test_scans_are_not_made_up(ecr, repository, refused):
    push(ecr, repository, image_of("x"), "1")
    asked = {"repositoryName": repository, "imageId": {"imageTag": "1"}}
    words = refused("ValidationException", "start_image_scan", **asked)
    assert "no database of vulnerabilities" in words and "On AWS" in words
    words = refused("ScanNotFoundException", "describe_image_scan_findings", **asked)
    assert "no database of vulnerabilities" in words
    assert "imageScanStatus" not in next(iter(details(ecr, repository).values()))
    ecr.put_image_scanning_configuration(
        repositoryName=repository, imageScanningConfiguration={"scanOnPush": True}
    )
    (row,) = details(ecr, repository).values()
    assert row["imageScanStatus"]["status"] == "FAILED"
    assert "no database" in row["imageScanStatus"]["description"]
    missing = {"repositoryName": repository, "imageId": {"imageTag": "9"}}
    refused("ImageNotFoundException", "start_image_scan", **missing)


def test_a_layer_that_is_there_is_not_uploaded_again(ecr, repository):
    upload(ecr, repository, image_of("x").layers[0].blob)
    push(ecr, repository, image_of("x"), "1")
    assert len(details(ecr, repository)) == 1
