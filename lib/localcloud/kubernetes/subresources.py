"""What may follow an object's name in an address: status, scale, log, eviction, binding, token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localcloud.kubernetes import budgets, errors, patches, pod_logs, selectors
from localcloud.kubernetes.execs import Exec
from localcloud.kubernetes.front import Answer, Request
from localcloud.kubernetes.requests import Place, delete_options, read_body
from localcloud.kubernetes.resources import PODS, Resource
from localcloud.kubernetes.store import now

if TYPE_CHECKING:
    from localcloud.kubernetes.api import Api
    from localcloud.kubernetes.store import Object

SUCCESS = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def answer(api: Api, request: Request, place: Place) -> Answer:
    """Raises ApiError."""
    if place.part not in place.resource.subresources:
        raise errors.no_such_path()
    return PARTS[place.part](api, request, place)


def _status(api: Api, request: Request, place: Place) -> Answer:
    if request.method == "GET":
        return Answer(api.store.need(place.resource, place.namespace, place.name))
    if request.method == "PATCH":
        kind = request.headers.get("Content-Type", "").partition(";")[0].strip()
        return Answer(api.patched(request, place, kind, patches.read(kind, request.body))[0])
    document, warnings = api.registry.decode(place.resource, read_body(request))
    return Answer(api.update(request, place, document), warnings=warnings)


def _scale(api: Api, request: Request, place: Place) -> Answer:
    with api.store.lock:
        found = api.store.need(place.resource, place.namespace, place.name)
        if request.method == "GET":
            return Answer(scale_of(found))
        document = _wanted(scale_of(found), request)
        replicas = document.get("spec", {}).get("replicas", 0)
        if replicas < 0:
            raise errors.invalid(
                "Scale",
                "autoscaling",
                place.name,
                [errors.bad_value("spec.replicas", replicas, "must be greater than or equal to 0")],
            )
        version = document["metadata"].get("resourceVersion")
        if version not in (None, found["metadata"]["resourceVersion"]):
            raise errors.conflict(place.resource, place.name, errors.MODIFIED)
        made = api.store.change(
            place.resource,
            place.namespace,
            place.name,
            lambda one: one["spec"].update(replicas=replicas),
        )
        return Answer(scale_of(made))


def _wanted(scale: Object, request: Request) -> Object:
    if request.method != "PATCH":
        return read_body(request)
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip()
    patch = patches.read(kind, request.body)
    if kind == patches.JSON:
        return patches.apply_patch(kind, scale, patch, PODS)
    return patches.merge(scale, patch)


def scale_of(found: Object) -> Object:
    meta, spec = found["metadata"], found["spec"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: meta[name] for name in kept},
        "spec": {"replicas": spec.get("replicas", 0)},
        "status": {
            "replicas": found.get("status", {}).get("replicas", 0),
            "selector": selectors.as_text(spec["selector"]),
        },
    }


def _log(api: Api, request: Request, place: Place) -> Answer:
    return Answer(pod_logs.read(api.cluster, request, place), kind="text/plain")


def _eviction(api: Api, request: Request, place: Place) -> Answer:
    eviction = read_body(request)
    options = {**delete_options(request), **(eviction.get("deleteOptions") or {})}
    options.pop("kind", None)
    budgets.evict(api.cluster, place.namespace, place.name, options)
    return Answer(SUCCESS, 201)


def _binding(api: Api, request: Request, place: Place) -> Answer:
    api.cluster.scheduler.bind(place.namespace, place.name, read_body(request)["target"]["name"])
    return Answer(SUCCESS, 201)


def _token(api: Api, request: Request, place: Place) -> Answer:
    account = api.store.need(place.resource, place.namespace, place.name)
    wanted = read_body(request) if request.body else {}
    spec = wanted.get("spec") or {}
    seconds = spec.get("expirationSeconds") or 3600
    audiences = spec.get("audiences") or []
    token, ends = api.cluster.tokens.issue(account, audiences, seconds)
    return Answer(
        {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"name": place.name, "namespace": place.namespace},
            "spec": {**spec, "audiences": audiences, "expirationSeconds": seconds},
            "status": {"token": token, "expirationTimestamp": ends},
        },
        201,
    )


def _exec(api: Api, request: Request, place: Place) -> Answer:
    return Answer(None, serve=Exec(api.cluster, request, place).serve)


PARTS = {
    "status": _status,
    "scale": _scale,
    "log": _log,
    "eviction": _eviction,
    "binding": _binding,
    "token": _token,
    "exec": _exec,
}


def reviewed(resource: Resource, document: Any, user: dict[str, Any]) -> Object | None:
    """The answer to a question about the caller; None if the request is something else."""
    if resource.kind == "SelfSubjectReview":
        about = {"kind": resource.kind, "apiVersion": resource.api_version}
        return {**about, "metadata": {"creationTimestamp": now()}, "status": {"userInfo": user}}
    if resource.kind == "SelfSubjectAccessReview":
        # There is no RBAC here: whoever is let in may do everything.
        return {**document, "status": {"allowed": True, "reason": "the local cloud has no RBAC"}}
    return None
