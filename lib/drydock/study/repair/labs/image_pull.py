"""A Deployment whose image has a tag that is not there."""

from drydock.study.repair import making
from drydock.study.repair.kube import DeploymentCase, container_state
from drydock.study.repair.shown import Rule

TYPED = "1.0.l"


class ImagePull(DeploymentCase):
    title = "ImagePullBackOff"
    skills = ("1.2.1", "1.2.7", "1.4.9")
    minutes = 10
    asked = (
        "Bring release 1 of a web server into use. The manifest was typed by hand. The Job that "
        "applied it was green; since then there is nothing to see, not even a log."
    )
    goal = (
        "Both pods are available. The Deployment names release 1 by its digest, so that nobody can "
        "move a tag under it; the repository is left as it was."
    )
    look = (
        "kubectl get pods: STATUS",
        "kubectl describe pod: the event Failed",
        "ecr.list_images: which tags and digests there are",
    )
    hints = (
        "The pod is Pending although it has a node: see the event Scheduled. What comes after it?",
        "The kubelet says which image it cannot find. Compare its tag with those that the "
        "repository has: a letter can look like a digit.",
        "Take the digest of tag 1 from ecr.list_images, and kubectl set image deployment/web "
        "web=<repository>@<digest>.",
    )

    def build(self) -> list[str]:
        self.open_cluster()
        repository = making.image(self, "web").partition("@")[0]
        self.create(self.web(f"{repository}:{TYPED}"))
        return self.must(self._seen)

    def _seen(self) -> list[str] | None:
        for pod in self.pods(app="web"):
            state = container_state(pod)
            if state and state.waiting and state.waiting.reason == "ImagePullBackOff":
                return [f"phase {pod.status.phase}, reason ImagePullBackOff", state.waiting.message]
        return None

    @property
    def release(self) -> str:
        """The digest of release 1."""
        images = self.client("ecr").list_images(repositoryName=self.repository)["imageIds"]
        return next(one["imageDigest"] for one in images if one.get("imageTag") == "1")

    def rules(self):
        yield self.available()
        yield Rule("digest", "The image is release 1, by its digest", self._why_no_digest)
        yield Rule("repository", "The repository has its one tag", self._why_other_tags)

    def _why_no_digest(self) -> str | None:
        image = self.deployment().spec.template.spec.containers[0].image
        if "@" not in image:
            return "It is named by a tag, which may mean another image tomorrow."
        if image.partition("@")[2] == self.release:
            return None
        return "That is the digest of another image."

    def _why_other_tags(self) -> str | None:
        images = self.client("ecr").list_images(repositoryName=self.repository)["imageIds"]
        more = sorted({one["imageTag"] for one in images if "imageTag" in one} - {"1"})
        return f"It also has {', '.join(more)}: the mistake has been published." if more else None

    def belongings(self) -> str:
        return f"{super().belongings()}, repository {self.repository} (case.repository)"


LAB = ImagePull
