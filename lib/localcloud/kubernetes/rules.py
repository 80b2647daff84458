"""The rules that schemas do not tell, with Kubernetes' own messages: pkg/apis/*/validation."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator
from typing import Any

from localcloud.kubernetes import quantities, schedules, selectors
from localcloud.kubernetes.errors import Problem, bad_value, required, unsupported
from localcloud.kubernetes.resources import Resource

Object = dict[str, Any]
LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
LABEL_WORDS = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    f"for validation is '{LABEL}')"
)
SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    f"for validation is '{LABEL}(\\.{LABEL})*')"
)
VALUE = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
VALUE_WORDS = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    f"or '12345', regex used for validation is '{VALUE}')"
)
ENV_NAME = re.compile(r"[^=\x00-\x1f\x7f-\uffff]+")
LONGEST_LABEL, LONGEST_NAME = 63, 253
# Kinds whose name is one label, not several with dots between.
ONE_LABEL = ("Namespace", "Service")


def check(resource: Resource, document: Object) -> list[Problem]:
    """Everything that is wrong with the document."""
    problems = list(_metadata(resource, document["metadata"]))
    found = KINDS.get(resource.kind)
    return problems + list(found(document)) if found else problems


def _metadata(resource: Resource, meta: Object) -> Iterator[Problem]:
    name = meta.get("name", "")
    label = resource.kind in ONE_LABEL
    pattern, words = (LABEL, LABEL_WORDS) if label else (SUBDOMAIN, SUBDOMAIN_WORDS)
    longest = LONGEST_LABEL if label else LONGEST_NAME
    if len(name) > longest:
        yield bad_value("metadata.name", name, f"must be no more than {longest} characters")
    if not re.fullmatch(pattern, name):
        yield bad_value("metadata.name", name, words)
    yield from _labels(meta.get("labels") or {}, "metadata.labels")


def _labels(labels: dict[str, str], field: str) -> Iterator[Problem]:
    for value in labels.values():
        if len(value) > LONGEST_LABEL:
            yield bad_value(field, value, "must be no more than 63 characters")
        elif not re.fullmatch(VALUE, value):
            yield bad_value(field, value, VALUE_WORDS)


def _pod(pod: Object) -> Iterator[Problem]:
    yield from pod_spec(pod["spec"], "spec", ("Always", "OnFailure", "Never"))


def pod_spec(spec: Object, path: str, policies: tuple[str, ...]) -> Iterator[Problem]:
    volumes = {volume.get("name") for volume in spec.get("volumes", [])}
    if not spec.get("containers"):
        yield required(f"{path}.containers")
    names: set[str] = set()
    for kind in ("initContainers", "containers"):
        for at, container in enumerate(spec.get(kind, [])):
            yield from _container(container, f"{path}.{kind}[{at}]", names, volumes)
    if spec.get("restartPolicy") not in policies:
        words = [f'"{policy}"' for policy in policies]
        yield (
            "FieldValueNotSupported",
            f'Unsupported value: "{spec.get("restartPolicy")}": supported values: '
            + ", ".join(words),
            f"{path}.restartPolicy",
        )


def _container(
    container: Object, path: str, names: set[str], volumes: set[str]
) -> Iterator[Problem]:
    name = container.get("name", "")
    if not name:
        yield required(f"{path}.name")
    elif not re.fullmatch(LABEL, name) or len(name) > LONGEST_LABEL:
        yield bad_value(f"{path}.name", name, LABEL_WORDS)
    elif name in names:
        yield ("FieldValueDuplicate", f'Duplicate value: "{name}"', f"{path}.name")
    names.add(name)
    if not container.get("image"):
        yield required(f"{path}.image")
    for at, variable in enumerate(container.get("env", [])):
        if not variable.get("name"):
            yield required(f"{path}.env[{at}].name")
    for at, mount in enumerate(container.get("volumeMounts", [])):
        if mount.get("name") not in volumes:
            field = f"{path}.volumeMounts[{at}].name"
            yield ("FieldValueNotFound", f'Not found: "{mount.get("name")}"', field)
    for at, port in enumerate(container.get("ports", [])):
        if not 0 < port.get("containerPort", 0) < 65536:
            field = f"{path}.ports[{at}].containerPort"
            yield bad_value(
                field, port.get("containerPort", 0), "must be between 1 and 65535, inclusive"
            )
    yield from _amounts(container.get("resources", {}), f"{path}.resources")


def _amounts(resources: Object, path: str) -> Iterator[Problem]:
    wrong = False
    for kind in ("limits", "requests"):
        for name, value in resources.get(kind, {}).items():
            try:
                if quantities.parse(value) < 0:
                    yield bad_value(
                        f"{path}.{kind}[{name}]", value, "must be greater than or equal to 0"
                    )
            except ValueError as error:
                wrong = True
                yield bad_value(f"{path}.{kind}[{name}]", value, str(error))
    if wrong:
        return
    limits = resources.get("limits", {})
    for name, value in resources.get("requests", {}).items():
        if name in limits and quantities.parse(value) > quantities.parse(limits[name]):
            yield bad_value(
                f"{path}.requests",
                value,
                f"must be less than or equal to {name} limit of {limits[name]}",
            )


def _job(job: Object) -> Iterator[Problem]:
    spec = job["spec"]
    for name in ("parallelism", "completions", "backoffLimit", "activeDeadlineSeconds"):
        if spec.get(name, 0) < 0:
            yield bad_value(f"spec.{name}", spec[name], "must be greater than or equal to 0")
    if spec["completionMode"] not in ("NonIndexed", "Indexed"):
        yield unsupported("spec.completionMode", spec["completionMode"], ["Indexed", "NonIndexed"])
    if spec["completionMode"] == "Indexed" and "completions" not in spec:
        words = "Required value: when completion mode is Indexed"
        yield ("FieldValueRequired", words, "spec.completions")
    path = "spec.template.spec"
    policy = spec["template"]["spec"].get("restartPolicy")
    if policy == "Always":
        words = 'Unsupported value: "Always": supported values: "OnFailure", "Never"'
        yield ("FieldValueNotSupported", words, f"{path}.restartPolicy")
        yield from pod_spec(spec["template"]["spec"], path, ("Always", "OnFailure", "Never"))
    else:
        yield from pod_spec(spec["template"]["spec"], path, ("OnFailure", "Never"))
    if "podFailurePolicy" in spec and policy != "Never":
        yield bad_value(
            f"{path}.restartPolicy",
            policy,
            'only "Never" is supported when podFailurePolicy is specified',
        )


def _cron_job(job: Object) -> Iterator[Problem]:
    try:
        schedules.parse(job["spec"]["schedule"])
    except ValueError as error:
        yield bad_value("spec.schedule", job["spec"]["schedule"], str(error))
    zone = job["spec"].get("timeZone", "UTC")
    if zone not in zoneinfo.available_timezones():
        yield bad_value("spec.timeZone", zone, f"unknown time zone {zone}")
    spec = job["spec"]["jobTemplate"].get("spec", {}).get("template", {}).get("spec", {})
    path = "spec.jobTemplate.spec.template.spec"
    yield from pod_spec(spec, path, ("OnFailure", "Never"))


def _with_template(document: Object) -> Iterator[Problem]:
    spec = document["spec"]
    if "selector" not in spec:
        yield required("spec.selector")
    labels = spec["template"].get("metadata", {}).get("labels", {})
    if "selector" in spec and not selectors.of_object(spec["selector"])(labels):
        shown = "{" + ",".join(f'"{k}":"{v}"' for k, v in sorted(labels.items())) + "}"
        words = f"Invalid value: {shown}: `selector` does not match template `labels`"
        yield ("FieldValueInvalid", words, "spec.template.metadata.labels")
    if spec.get("replicas", 0) < 0:
        yield bad_value("spec.replicas", spec["replicas"], "must be greater than or equal to 0")
    yield from pod_spec(spec["template"]["spec"], "spec.template.spec", ("Always",))


def _service(service: Object) -> Iterator[Problem]:
    spec = service["spec"]
    kinds = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]
    if spec["type"] not in kinds:
        yield unsupported("spec.type", spec["type"], kinds)
    if not spec.get("ports") and spec.get("clusterIP") != "None" and spec["type"] != "ExternalName":
        yield required("spec.ports")
    for at, port in enumerate(spec.get("ports", [])):
        if not 0 < port.get("port", 0) < 65536:
            yield bad_value(
                f"spec.ports[{at}].port",
                port.get("port", 0),
                "must be between 1 and 65535, inclusive",
            )
        if len(spec["ports"]) > 1 and not port.get("name"):
            yield required(f"spec.ports[{at}].name")


def _autoscaler(autoscaler: Object) -> Iterator[Problem]:
    spec = autoscaler["spec"]
    least, most = spec["minReplicas"], spec.get("maxReplicas", 0)
    if least < 1:
        yield bad_value("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield bad_value("spec.maxReplicas", most, "must be greater than 0")
    elif most < least:
        yield bad_value("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")


def _config_map(config: Object) -> Iterator[Problem]:
    for name in {**config.get("data", {}), **config.get("binaryData", {})}:
        if not re.fullmatch(r"[-._a-zA-Z0-9]+", name):
            yield bad_value(
                f"data[{name}]",
                name,
                "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
                "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
                "'[-._a-zA-Z0-9]+')",
            )


KINDS = {
    "Pod": _pod,
    "Job": _job,
    "CronJob": _cron_job,
    "Deployment": _with_template,
    "ReplicaSet": _with_template,
    "Service": _service,
    "HorizontalPodAutoscaler": _autoscaler,
    "ConfigMap": _config_map,
    "Secret": _config_map,
}


def unchangeable(resource: Resource, before: Object, after: Object) -> list[Problem]:
    """What an update may not change."""
    found = []
    if resource.kind == "Pod" and _fixed(before["spec"]) != _fixed(after["spec"]):
        words = (
            "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
            "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously "
            "negative),`spec.tolerations` (only additions to existing tolerations)"
        )
        found.append(("FieldValueForbidden", words, "spec"))
    for path in IMMUTABLE.get(resource.kind, ()):
        old, new = _at(before, path), _at(after, path)
        if old != new and (old is not None or path == "spec.selector"):
            found.append(
                ("FieldValueInvalid", f"Invalid value: {_shown(new)}: field is immutable", path)
            )
    if before.get("immutable") and before.get("data") != after.get("data"):
        words = "Forbidden: field is immutable when `immutable` is set"
        found.append(("FieldValueForbidden", words, "data"))
    return found


IMMUTABLE = {
    "Job": ("spec.completionMode", "spec.selector", "spec.template"),
    "Deployment": ("spec.selector",),
    "ReplicaSet": ("spec.selector",),
    "Secret": ("type",),
}


def _fixed(spec: Object) -> Object:
    free = ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds")
    kept = {name: value for name, value in spec.items() if name not in free}
    for kind in ("containers", "initContainers"):
        kept[kind] = [{k: v for k, v in c.items() if k != "image"} for c in spec.get(kind, [])]
    return kept


def _at(document: Object, path: str) -> Any:
    for part in path.split("."):
        document = (document or {}).get(part)
    return document


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
