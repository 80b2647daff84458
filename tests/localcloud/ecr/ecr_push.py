"""What a client of ECR does when it pushes an image, in boto3 alone."""

import json

from drydock import oci

PART = 5 * 1024 * 1024


def upload(ecr, repository, blob, digest=None, part=PART):
    """Upload a blob as a layer, in parts; its digest."""
    upload_id = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    for first in range(0, len(blob), part):
        piece = blob[first : first + part]
        ecr.upload_layer_part(
            repositoryName=repository,
            uploadId=upload_id,
            partFirstByte=first,
            partLastByte=first + len(piece) - 1,
            layerPartBlob=piece,
        )
    answer = ecr.complete_layer_upload(
        repositoryName=repository,
        uploadId=upload_id,
        layerDigests=[digest or oci.digest(blob)],
    )
    return answer["layerDigest"]


def push(ecr, repository, image, tag=None):
    """Upload what the repository lacks of an image, and put its manifest."""
    blobs = image.blobs
    there = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=list(blobs))
    for failure in there["failures"]:
        upload(ecr, repository, blobs[failure["layerDigest"]])
    return put(ecr, repository, image.manifest.decode(), tag)


def put(ecr, repository, manifest, tag=None, **more):
    more |= {"imageTag": tag} if tag else {}
    return ecr.put_image(repositoryName=repository, imageManifest=manifest, **more)["image"]


def image_of(content, **more):
    """A small image of one layer."""
    return oci.image([oci.layer({"app/main.py": content.encode()})], **more)


def policy(*rules):
    return json.dumps({"rules": list(rules)}, indent=4)


def rule(priority, status="any", count=1, unit=None, **selection):
    kind = "sinceImagePushed" if unit else "imageCountMoreThan"
    selection = {"tagStatus": status, "countType": kind, "countNumber": count, **selection}
    if unit:
        selection["countUnit"] = unit
    return {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}
