"""The Kubernetes API of one cluster: from a request to its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localcloud.kubernetes import apply, discovery, errors, pages, patches, subresources, watches
from localcloud.kubernetes.front import Answer, Request
from localcloud.kubernetes.requests import (
    Place,
    delete_options,
    is_dry,
    read_body,
    validation,
    wants_table,
)
from localcloud.kubernetes.resources import NAMESPACES, Resource
from localcloud.kubernetes.selectors import Match, fields, labels
from localcloud.kubernetes.tables import table

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Object

HEALTH = ("/healthz", "/livez", "/readyz")
ATTEMPTS = 5


class Api:
    def __init__(self, cluster: Cluster):
        self.cluster = cluster
        self.store, self.registry = cluster.store, cluster.registry
        self._methods = {
            "POST": self._create,
            "PUT": self._update,
            "PATCH": self._patch,
            "DELETE": self._delete,
        }

    def answer(self, request: Request) -> Answer:
        """Raises ApiError."""
        if request.path.startswith(HEALTH):
            return Answer(b"ok", kind="text/plain")
        if request.path.rstrip("/") == "/version":
            return Answer(discovery.version())
        request.user = self.cluster.tokens.user(request.headers.get("Authorization", ""))
        found = self._about(request)
        if found is not None:
            return found if isinstance(found, Answer) else Answer(found)
        if not request.path.startswith(("/api/", "/apis/")):
            raise errors.no_such_path()
        return self._resource(request, Place(request.path))

    def _about(self, request: Request) -> Any:
        """Discovery, or None."""
        parts = [part for part in request.path.split("/") if part]
        if parts[:2] == ["openapi", "v3"]:
            return self._openapi(parts[2:])
        if parts == ["api"]:
            return discovery.core_versions(self.cluster.address)
        if parts == ["apis"]:
            return discovery.groups()
        if parts[:1] == ["apis"] and len(parts) == 2:
            found = discovery.group(parts[1])
        elif parts[:1] == ["api"] and len(parts) == 2:
            found = discovery.resources("", parts[1])
        elif parts[:1] == ["apis"] and len(parts) == 3:
            found = discovery.resources(parts[1], parts[2])
        else:
            return None
        if found is None:
            raise errors.no_such_path()
        return found

    def _openapi(self, parts: list[str]) -> Any:
        if not parts:
            return discovery.openapi_groups()
        group, version = ("", parts[1]) if parts[0] == "api" else parts[1:3]
        return Answer(discovery.openapi(group, version))

    def _resource(self, request: Request, place: Place) -> Answer:
        if place.part:
            return subresources.answer(self, request, place)
        if place.resource.group == "metrics.k8s.io":
            return self._measured(request, place)
        if request.method in ("GET", "HEAD"):
            return self._get(request, place) if place.name else self._list(request, place)
        method = self._methods.get(request.method)
        allowed = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
        if method is None or allowed[request.method] not in place.resource.verbs:
            raise errors.ApiError(
                405,
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            )
        return method(request, place)

    # reading ------------------------------------------------------------------------------------
    def _get(self, request: Request, place: Place) -> Answer:
        found = self.store.need(place.resource, place.namespace, place.name)
        return Answer(self._shown(request, place.resource, found))

    def _list(self, request: Request, place: Place) -> Answer:
        matches = self.matching(request, place)
        if request.flag("watch"):
            return Answer(
                watches.stream(
                    self.store,
                    place.resource,
                    matches,
                    request.query,
                    lambda one: self._shown(request, place.resource, one),
                    self.cluster.stopping.is_set,
                )
            )
        found, about = pages.read(self.store, place.resource, matches, request.query)
        return Answer(self._listed(request, place.resource, found, about))

    def _measured(self, request: Request, place: Place) -> Answer:
        found = self.cluster.measured(place.resource, place.namespace)
        if place.name:
            for one in found:
                if one["metadata"]["name"] == place.name:
                    return Answer(one)
            raise errors.not_found(place.resource, place.name)
        matches = self.matching(request, place)
        found = [one for one in found if matches(one)]
        return Answer(self._listed(request, place.resource, found, {}))

    def matching(self, request: Request, place: Place) -> Match:
        """What of the resource the request is about. Raises ApiError for a bad selector."""
        by_label = labels(request.query.get("labelSelector", ""))
        by_field = fields(request.query.get("fieldSelector", ""), place.resource.plural)

        def matches(one: Object) -> bool:
            meta = one["metadata"]
            inside = not place.namespace or meta.get("namespace") == place.namespace
            named = not place.name or meta["name"] == place.name
            return inside and named and by_label(meta.get("labels") or {}) and by_field(one)

        return matches

    def _listed(self, request: Request, resource: Resource, found: list, about: Object) -> Object:
        if wants_table(request):
            return table(resource, found, about, request.query.get("includeObject", "Metadata"))
        return {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.api_version,
            "metadata": about,
            "items": found,
        }

    def _shown(self, request: Request, resource: Resource, found: Object) -> Object:
        if not wants_table(request):
            return found
        about = {"resourceVersion": found["metadata"].get("resourceVersion", "")}
        return table(resource, [found], about, request.query.get("includeObject", "Metadata"))

    # writing ------------------------------------------------------------------------------------
    def _create(self, request: Request, place: Place) -> Answer:
        document = read_body(request)
        found = subresources.reviewed(place.resource, document, request.user)
        if found:
            return Answer(found, 201)
        document, warnings = self.registry.decode(place.resource, document, validation(request))
        made = self.registry.create(place.resource, place.namespace, document, dry=is_dry(request))
        return Answer(self._shown(request, place.resource, made), 201, warnings=warnings)

    def _update(self, request: Request, place: Place) -> Answer:
        document, warnings = self.registry.decode(
            place.resource, read_body(request), validation(request)
        )
        made = self.update(request, place, document)
        return Answer(self._shown(request, place.resource, made), warnings=warnings)

    def update(self, request: Request, place: Place, document: Object) -> Object:
        return self.registry.update(
            place.resource, place.namespace, place.name, document, place.part, is_dry(request)
        )

    def _patch(self, request: Request, place: Place) -> Answer:
        kind = request.headers.get("Content-Type", "").partition(";")[0].strip()
        patch = patches.read(kind, request.body)
        if kind == patches.APPLY:
            return self._apply(request, place, patch)
        made, warnings = self.patched(request, place, kind, patch)
        return Answer(self._shown(request, place.resource, made), warnings=warnings)

    def patched(
        self, request: Request, place: Place, kind: str, patch: Any
    ) -> tuple[Object, list[str]]:
        with self.store.lock:
            before = self.store.need(place.resource, place.namespace, place.name)
            after = patches.apply_patch(kind, before, patch, place.resource)
            after, warnings = self.registry.decode(place.resource, after, validation(request))
            return self.update(request, place, after), warnings

    def _apply(self, request: Request, place: Place, patch: Any) -> Answer:
        manager = request.query.get("fieldManager")
        if not manager:
            raise errors.ApiError(
                422,
                "Invalid",
                'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required '
                "for apply patch",
            )
        wanted, warnings = self.registry.decode(place.resource, patch, validation(request))
        wanted["metadata"].setdefault("name", place.name)
        with self.store.lock:
            before = self.store.get(place.resource, place.namespace, place.name)
            after = apply.apply(before, wanted, place.resource, manager, request.flag("force"))
            if before is None:
                made = self.registry.create(place.resource, place.namespace, after, is_dry(request))
                return Answer(self._shown(request, place.resource, made), 201, warnings=warnings)
            made = self.update(request, place, after)
        return Answer(self._shown(request, place.resource, made), warnings=warnings)

    def _delete(self, request: Request, place: Place) -> Answer:
        options = delete_options(request)
        if place.name:
            return self._delete_one(request, place, options)
        matches = self.matching(request, place)
        found = [one for one in self.store.list(place.resource, place.namespace) if matches(one)]
        for one in found:
            meta = one["metadata"]
            self.cluster.delete(place.resource, meta.get("namespace", ""), meta["name"], options)
        about = {"resourceVersion": str(self.store.version)}
        return Answer(self._listed(request, place.resource, found, about))

    def _delete_one(self, request: Request, place: Place, options: Object) -> Answer:
        resource, warnings = place.resource, []
        if resource.kind == "Job" and "propagationPolicy" not in options:
            # batch/v1 keeps this default for the sake of old clients.
            options["propagationPolicy"] = "Orphan"
            warnings.append(
                "child pods are preserved by default when jobs are deleted; set "
                "propagationPolicy=Background to remove them or set propagationPolicy=Orphan to "
                "suppress this warning"
            )
        found = self.cluster.delete(resource, place.namespace, place.name, options)
        meta = found["metadata"]
        still = self.store.get(resource, place.namespace, place.name)
        if still is not None or resource is NAMESPACES:
            return Answer(self._shown(request, resource, found), warnings=warnings)
        details = {"name": meta["name"], "kind": resource.plural, "uid": meta["uid"]}
        if resource.group:
            details["group"] = resource.group
        done = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return Answer({**done, "details": details}, warnings=warnings)
