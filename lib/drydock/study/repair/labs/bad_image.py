"""The task definition names a tag that the repository does not have."""

from drydock.study.repair import making
from drydock.study.repair.counter import CounterCase
from drydock.study.repair.shown import Rule


class BadImage(CounterCase):
    title = "The image that is not there"
    skills = ("1.2.1", "1.2.7", "1.4.9")
    minutes = 10
    asked = (
        "Count the flights of January 2013 with the program's release 1. Last night's pipeline has "
        "written a new task definition, and no task has started since."
    )
    goal = (
        "A task ends with exit code 0 and the report is in S3. The definition names the image by "
        "its digest, so that nobody can move a tag under it again."
    )
    look = (
        "ecs.describe_tasks: stoppedReason",
        "ecs.describe_task_definition: containerDefinitions[0].image",
        "ecr.list_images: which tags and digests there are",
    )
    hints = (
        "Pulling comes before running. The message names the image that was looked for: read it "
        "to its last character.",
        "ecr.list_images(repositoryName=case.repository) tells what there is. A tag can be moved "
        "or mistyped; a digest cannot: repository@sha256:…",
        "Set containerDefinitions[0]['image'] to the repository's URI + '@' + the imageDigest of "
        "tag 1, register the definition and run it.",
    )

    def build(self) -> list[str]:
        container = self.counter()
        pinned = container["image"]
        container["image"] = f"{pinned.partition('@')[0]}:1.0.l"
        making.register(self, making.fargate(self, container))
        return self.seen_of(self.launch())

    def rules(self):
        yield from self.counter_rules()
        yield Rule(
            "digest",
            "The definition names the image of release 1 by its digest",
            self._why_not_pinned,
        )

    def _why_not_pinned(self) -> str | None:
        image = self.definition()["containerDefinitions"][0]["image"]
        _, _, digest = image.partition("@")
        if not digest:
            return f"It names {image.rpartition('/')[2]}: a tag, which can be moved."
        tags = self.client("ecr").list_images(repositoryName=self.repository)["imageIds"]
        if digest not in [found["imageDigest"] for found in tags if found.get("imageTag") == "1"]:
            return "It names the digest of another image than release 1."
        return None

    def belongings(self) -> str:
        return f"{super().belongings()}, repository {self.repository}"


LAB = BadImage
