"""ECR on the wire: moto parses and answers, and what a request asks for really happens."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from moto.core.responses import ActionResult
from moto.ecr.exceptions import ImageNotFoundException, LifecyclePolicyNotFoundException
from moto.ecr.models import Repository
from moto.ecr.responses import ECRResponse

from localcloud.ecr import errors, images, lifecycle, manifests, policies
from localcloud.ecr.downloads import Downloads
from localcloud.ecr.layers import LayerFiles


class Responses(ECRResponse):
    files: LayerFiles  # both set when the service is registered
    downloads: Downloads

    def initiate_layer_upload(self) -> ActionResult:
        with self.files.lock:
            return ActionResult(self.files.initiate(self._repository()))

    def upload_layer_part(self) -> ActionResult:
        upload_id, part = self._get_param("uploadId"), b64decode(self._get_param("layerPartBlob"))
        first, last = self._get_param("partFirstByte"), self._get_param("partLastByte")
        with self.files.lock:
            repository = self._repository()
            last = self.files.add_part(repository, upload_id, int(first), int(last), part)
        return self._about(repository, uploadId=upload_id, lastByteReceived=last)

    def complete_layer_upload(self) -> ActionResult:
        upload_id, digests = self._get_param("uploadId"), self._get_param("layerDigests")
        with self.files.lock:
            repository = self._repository()
            digest = self.files.complete(repository, upload_id, digests)
        return self._about(repository, uploadId=upload_id, layerDigest=digest)

    def get_download_url_for_layer(self) -> ActionResult:
        digest = self._get_param("layerDigest")
        with self.files.lock:
            repository = self._repository()
            if digest not in repository.layers:
                raise errors.layer_not_found(repository, digest)
            if not any(digest in manifests.layers(manifests.of(i)) for i in repository.images):
                raise errors.layer_inaccessible(repository, digest)
        address = self.downloads.address(self.headers["Host"], digest)
        return ActionResult({"downloadUrl": address, "layerDigest": digest})

    def put_image(self) -> ActionResult:
        with self.files.lock:
            repository = self._repository()
            image = images.put(
                repository,
                self._get_param("imageManifest"),
                self._get_param("imageTag"),
                self._get_param("imageManifestMediaType"),
                self._get_param("imageDigest"),
            )
            named = {"imageDigest": image.image_digest, "imageTag": self._get_param("imageTag")}
            (put,) = images.get(repository, [named])["images"]
        return ActionResult({"image": put})

    def batch_get_image(self) -> ActionResult:
        with self.files.lock:
            return ActionResult(images.get(self._repository(), self._get_param("imageIds")))

    def batch_delete_image(self) -> ActionResult:
        with self.files.lock:
            return ActionResult(images.delete(self._repository(), self._get_param("imageIds")))

    def describe_images(self) -> ActionResult:
        with self.files.lock:
            repository = self._repository()
            status = self._get_param("filter", {}).get("tagStatus", "ANY")
            rows = [
                images.detail(repository, image)
                for image in self._asked_for(repository)
                if status == "ANY" or bool(image.image_tags) == (status == "TAGGED")
            ]
        return ActionResult(self._page("imageDetails", rows))

    def _asked_for(self, repository: Repository) -> list[Any]:
        image_ids = self._get_param("imageIds")
        if not image_ids:
            return list(repository.images)
        found = []
        for image_id in image_ids:
            image = images.find(repository, image_id)
            if image is None:
                raise _no_image(repository, image_id)
            if image not in found:
                found.append(image)
        return found

    # ------------------------------------------------------------------------------ lifecycle
    def put_lifecycle_policy(self) -> ActionResult:
        policies.parse(self._get_param("lifecyclePolicyText"))
        with self.files.lock:
            return super().put_lifecycle_policy()

    def get_lifecycle_policy(self) -> ActionResult:
        repository = self._repository()
        text = self._policy_of(repository)
        # AWS answers 1970 until the policy was evaluated for the first time.
        evaluated = getattr(repository, "lifecycle_evaluated_at", 0)
        return self._about(repository, lifecyclePolicyText=text, lastEvaluatedAt=evaluated)

    def start_lifecycle_policy_preview(self) -> ActionResult:
        with self.files.lock:
            repository = self._repository()
            text = self._get_param("lifecyclePolicyText") or self._policy_of(repository)
            repository.lifecycle_preview = lifecycle.preview(repository, text)
        return self._about(repository, lifecyclePolicyText=text, status="IN_PROGRESS")

    def get_lifecycle_policy_preview(self) -> ActionResult:
        repository = self._repository()
        preview = getattr(repository, "lifecycle_preview", None)
        if preview is None:
            raise errors.no_preview(repository)
        wanted = [image["imageDigest"] for image in self._get_param("imageIds") or []]
        rows = [r for r in preview["previewResults"] if not wanted or r["imageDigest"] in wanted]
        return ActionResult({**preview, **self._page("previewResults", rows)})

    @staticmethod
    def _policy_of(repository: Repository) -> str:
        if not repository.lifecycle_policy:
            raise LifecyclePolicyNotFoundException(repository.name, repository.registry_id)
        return repository.lifecycle_policy

    # ------------------------------------------------------------------------------ scanning
    def start_image_scan(self) -> ActionResult:
        self._image()
        raise errors.no_scanner()

    def describe_image_scan_findings(self) -> ActionResult:
        repository, image_id = self._image()
        raise errors.no_findings(repository, _written(image_id))

    # ------------------------------------------------------------------------------ helpers
    def _repository(self) -> Repository:
        return self.ecr_backend._get_repository(
            self._get_param("repositoryName"), self._get_param("registryId")
        )

    def _image(self) -> tuple[Repository, dict[str, str]]:
        repository, image_id = self._repository(), self._get_param("imageId")
        if images.find(repository, image_id) is None:
            raise _no_image(repository, image_id)
        return repository, image_id

    def _page(self, name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """One page of rows. The token is the digest of the last row that was given."""
        size, token = self._get_param("maxResults") or 100, self._get_param("nextToken")
        if token:
            digests = [row["imageDigest"] for row in rows]
            if token not in digests:
                raise errors.invalid("nextToken", "Invalid token")
            rows = rows[digests.index(token) + 1 :]
        page = {name: rows[:size]}
        if len(rows) > size:
            page["nextToken"] = rows[size - 1]["imageDigest"]
        return page

    @staticmethod
    def _about(repository: Repository, **more: Any) -> ActionResult:
        return ActionResult(
            {"registryId": repository.registry_id, "repositoryName": repository.name, **more}
        )


def _written(image_id: dict[str, str]) -> str:
    digest, tag = image_id.get("imageDigest", "null"), image_id.get("imageTag", "null")
    return f"{{imageDigest:'{digest}', imageTag:'{tag}'}}"


def _no_image(repository: Repository, image_id: dict[str, str]) -> Exception:
    return ImageNotFoundException(_written(image_id), repository.name, repository.registry_id)
