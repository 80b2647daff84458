"""Stored answers of the lab image_pull."""


def solve(lab, case):
    ecr = lab.client("ecr")
    [repository] = ecr.describe_repositories(repositoryNames=[case.repository])["repositories"]
    images = ecr.list_images(repositoryName=case.repository)["imageIds"]
    digest = next(image["imageDigest"] for image in images if image.get("imageTag") == "1")
    container = {"name": "web", "image": f"{repository['repositoryUri']}@{digest}"}
    change = {"spec": {"template": {"spec": {"containers": [container]}}}}
    case.apps.patch_namespaced_deployment("web", "default", change)


def _image(lab, case, ending):
    ecr = lab.client("ecr")
    [repository] = ecr.describe_repositories(repositoryNames=[case.repository])["repositories"]
    container = {"name": "web", "image": repository["repositoryUri"] + ending}
    change = {"spec": {"template": {"spec": {"containers": [container]}}}}
    case.apps.patch_namespaced_deployment("web", "default", change)


def by_tag(lab, case):
    _image(lab, case, ":1")


def push_the_wrong_tag(lab, case):
    ecr, name = lab.client("ecr"), case.repository
    [image] = ecr.batch_get_image(repositoryName=name, imageIds=[{"imageTag": "1"}])["images"]
    ecr.put_image(
        repositoryName=name,
        imageTag="1.0.l",
        imageManifest=image["imageManifest"],
        imageManifestMediaType=image["imageManifestMediaType"],
    )
    _image(lab, case, "@" + image["imageId"]["imageDigest"])


def a_digest_of_nothing(lab, case):
    _image(lab, case, "@sha256:" + "0" * 64)


WRONG = (
    (by_tag, "digest"),
    (push_the_wrong_tag, "repository"),
    (a_digest_of_nothing, "available"),
)
