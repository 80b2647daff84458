"""Stored answers of the lab bad_image."""


def solve(lab, case):
    ecr, ecs = lab.client("ecr"), lab.client("ecs")
    [repository] = ecr.describe_repositories(repositoryNames=[case.repository])["repositories"]
    images = ecr.list_images(repositoryName=case.repository)["imageIds"]
    digest = next(image["imageDigest"] for image in images if image.get("imageTag") == "1")

    definition = case.definition()
    container = definition["containerDefinitions"][0]
    container["image"] = f"{repository['repositoryUri']}@{digest}"
    ecs.register_task_definition(**definition)
    ecs.run_task(**case.run_task)


def take_the_latest(lab, case):
    _run_tag(lab, case, "latest")


def take_the_tag(lab, case):
    _run_tag(lab, case, "1")


def do_something_else_instead(lab, case):
    definition = case.definition()
    container = definition["containerDefinitions"][0]
    container["image"] = container["image"].rpartition(":")[0] + ":1"
    container["entryPoint"] = ["python", "-c", "print('done')"]
    lab.client("ecs").register_task_definition(**definition)
    lab.client("ecs").run_task(**case.run_task)


def _run_tag(lab, case, tag):
    definition = case.definition()
    container = definition["containerDefinitions"][0]
    container["image"] = f"{container['image'].rpartition(':')[0]}:{tag}"
    lab.client("ecs").register_task_definition(**definition)
    lab.client("ecs").run_task(**case.run_task)


WRONG = (
    (take_the_latest, "exit_code"),
    (take_the_tag, "digest"),
    (do_something_else_instead, "reported"),
)
