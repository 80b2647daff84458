"""Create, update and delete as the API server does them: from a decoded request to the store."""

from __future__ import annotations

import copy
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from localcloud.kubernetes import custom, defaults, errors, rules, schemas
from localcloud.kubernetes.resources import NAMESPACES, Resource

if TYPE_CHECKING:
    from localcloud.kubernetes.store import Object, Store

# Without vowels and look-alikes, as apimachinery's rand.SafeEncodeString.
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
LONGEST_GENERATED = 58
SERVER_OWNED = ("uid", "creationTimestamp", "generation", "resourceVersion", "deletionTimestamp")
SERVER_OWNED += ("deletionGracePeriodSeconds", "selfLink")


def suffix(length: int = 5) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


class Registry:
    """The rules between a request and the store.

    ``admit`` is called with every new or changed object before it is kept; it may fill in or
    refuse (quota, service addresses, the Job's selector).
    """

    def __init__(self, store: Store):
        self.store = store
        self.admissions: list[Any] = []

    def decode(
        self, resource: Resource, document: Any, validation: str = "Warn"
    ) -> tuple[Object, list[str]]:
        """The document with fields of its kind only, and warnings. Raises ApiError."""
        if not isinstance(document, dict):
            raise errors.bad_request("the object provided is unrecognized (must be of type object)")
        kind, version = document.get("kind"), document.get("apiVersion")
        if (kind or resource.kind) != resource.kind or (version or "") not in (
            "",
            resource.api_version,
        ):
            raise errors.bad_request(
                f"the object in the data ({version}, {kind}) does not match the expected "
                f"({resource.api_version}, {resource.kind})"
            )
        found, unknown = schemas.decode(document, resource.group, resource.version, resource.kind)
        if unknown and validation == "Strict":
            told = ", ".join(f'unknown field "{path}"' for path in unknown)
            raise errors.bad_request(
                f'{resource.kind} in version "{resource.version}" cannot be handled as a '
                f"{resource.kind}: strict decoding error: {told}"
            )
        found |= {"kind": resource.kind, "apiVersion": resource.api_version}
        found.setdefault("metadata", {})
        warned = validation == "Warn"
        return found, [f'unknown field "{path}"' for path in unknown] if warned else []

    def create(
        self, resource: Resource, namespace: str, document: Object, dry: bool = False
    ) -> Object:
        document = copy.deepcopy(document)
        meta = document["metadata"]
        self._place(resource, namespace, meta)
        for name in SERVER_OWNED:
            meta.pop(name, None)
        meta["uid"] = str(uuid.uuid4())
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"][:LONGEST_GENERATED] + suffix()
        if not meta.get("name"):
            words = "Required value: name or generateName is required"
            problem = ("FieldValueRequired", words, "metadata.name")
            raise errors.invalid(resource.kind, resource.group, "", [problem])
        if resource.has_status and resource.kind not in ("Namespace", "Node"):
            document["status"] = {}
        self._complete(resource, document)
        with self.store.together():
            self._require_namespace(resource, meta.get("namespace", ""), meta["name"])
            for admit in self.admissions:
                admit(resource, document, None)
            self._check(resource, document)
            if dry:
                if self.store.get(resource, meta.get("namespace", ""), meta["name"]):
                    raise errors.exists(resource, meta["name"])
                return document
            return self.store.create(resource, document)

    def update(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        document: Object,
        part: str = "",
        dry: bool = False,
    ) -> Object:
        """Replace; ``part`` "status" replaces the status alone, "" all but the status."""
        document = copy.deepcopy(document)
        meta = document["metadata"]
        self._place(resource, namespace, meta)
        if meta.get("name", name) != name:
            raise errors.bad_request(
                f"the name of the object ({meta['name']}) does not match the name on the URL "
                f"({name})"
            )
        key = meta.get("namespace", "")
        with self.store.together():
            before = self.store.need(resource, key, name)
            own = before["metadata"]
            if meta.get("resourceVersion", own["resourceVersion"]) != own["resourceVersion"]:
                raise errors.conflict(resource, name, errors.MODIFIED)
            if meta.get("uid", own["uid"]) != own["uid"]:
                raise errors.conflict(
                    resource,
                    name,
                    f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: "
                    f"{own['uid']}",
                )
            after = self._merged(resource, before, document, part)
            if part != "status":
                self._complete(resource, after)
                for admit in self.admissions:
                    admit(resource, after, before)
                self._check(resource, after)
                problems = rules.unchangeable(resource, before, after)
                if problems:
                    raise errors.invalid(resource.kind, resource.group, name, problems)
            if dry:
                return after

            def replace(found: Object) -> None:
                found.clear()
                found.update(after)

            return self.store.change(resource, key, name, replace)

    def _merged(self, resource: Resource, before: Object, document: Object, part: str) -> Object:
        if part == "status":
            after = copy.deepcopy(before)
            after["status"] = document.get("status", {})
            return after
        after = document
        for name in SERVER_OWNED:
            after["metadata"].pop(name, None)
            if name in before["metadata"]:
                after["metadata"][name] = before["metadata"][name]
        after["metadata"]["name"] = before["metadata"]["name"]
        if resource.has_status:
            after.pop("status", None)
            if "status" in before:
                after["status"] = before["status"]
        return after

    def delete(self, resource: Resource, namespace: str, name: str, options: Object) -> Object:
        """Begin to delete, or delete at once what waits for nothing."""
        with self.store.together():
            found = self.store.need(resource, namespace, name)
            wanted = options.get("preconditions") or {}
            for field in ("uid", "resourceVersion"):
                if wanted.get(field, found["metadata"][field]) != found["metadata"][field]:
                    raise errors.conflict(
                        resource,
                        name,
                        f"Precondition failed: {field} in precondition: {wanted[field]}, {field} "
                        f"in object meta: {found['metadata'][field]}",
                    )
            if options.get("dryRun"):
                return found
            grace = self._grace(resource, found, options)

            def mark(document: Object) -> None:
                meta = document["metadata"]
                finalizers = meta.setdefault("finalizers", [])
                policy = options.get("propagationPolicy")
                for value, finalizer in POLICIES.items():
                    if policy == value and finalizer not in finalizers:
                        finalizers.append(finalizer)
                if not finalizers:
                    del meta["finalizers"]
                known = meta.get("deletionGracePeriodSeconds")
                seconds = grace if known is None else min(known, grace)
                if seconds != known or "deletionTimestamp" not in meta:
                    at = datetime.now(UTC) + timedelta(seconds=seconds)
                    meta["deletionTimestamp"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
                    meta["deletionGracePeriodSeconds"] = seconds
                if resource is NAMESPACES:
                    document["status"]["phase"] = "Terminating"
                    meta["finalizers"] = ["kubernetes"]

            return self.store.change(resource, namespace, name, mark)

    def _grace(self, resource: Resource, found: Object, options: Object) -> int:
        """Seconds that the object may still be there. Only a pod that runs needs any."""
        if resource.plural != "pods":
            return 0
        started = found["spec"].get("nodeName")
        if not started or found["status"].get("phase") in ("Succeeded", "Failed"):
            return 0
        given = options.get("gracePeriodSeconds")
        return found["spec"]["terminationGracePeriodSeconds"] if given is None else given

    def _place(self, resource: Resource, namespace: str, meta: Object) -> None:
        if not resource.namespaced:
            meta.pop("namespace", None)
            return
        if meta.setdefault("namespace", namespace) != namespace:
            raise errors.bad_request(
                "the namespace of the provided object does not match the namespace sent on the "
                "request"
            )

    def _require_namespace(self, resource: Resource, namespace: str, name: str) -> None:
        if not resource.namespaced:
            return
        found = self.store.get(NAMESPACES, "", namespace)
        if found is None:
            raise errors.not_found(NAMESPACES, namespace)
        if "deletionTimestamp" in found["metadata"]:
            why = (
                f"unable to create new content in namespace {namespace} because it is being "
                "terminated"
            )
            raise errors.forbidden(resource, name, why)

    def _complete(self, resource: Resource, document: Object) -> None:
        missing = schemas.missing(document, resource.group, resource.version, resource.kind)
        shallow = [p for p in missing if p.count(".") < 2 and "[" not in p and p[:6] != "status"]
        # Without these there is nothing to fill defaults into.
        shallow = [path for path in shallow if not path.endswith("selector")]
        if resource.kind in WITH_SPEC and "spec" not in document:
            shallow.append("spec")
        if shallow and resource.kind in WITH_SPEC:
            raise errors.invalid(
                resource.kind,
                resource.group,
                document["metadata"].get("name", ""),
                [errors.required(path) for path in shallow],
            )
        defaults.fill(resource.kind, document)
        custom.fill(resource, document)

    def _check(self, resource: Resource, document: Object) -> None:
        problems = rules.check(resource, document) + custom.check(resource, document)
        told = {field for _, _, field in problems}
        missing = schemas.missing(document, resource.group, resource.version, resource.kind)
        for path in missing:
            if not path.startswith("status") and path not in told:
                problems.append(errors.required(path))
        if problems:
            name = document["metadata"]["name"]
            raise errors.invalid(resource.kind, resource.group, name, problems)


POLICIES = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}
WITH_SPEC = ("Pod", "Job", "CronJob", "Deployment", "ReplicaSet", "HorizontalPodAutoscaler")
