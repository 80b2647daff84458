"""An ECS task definition and a Kubernetes pod beside each other: where each line has gone."""

import re
from typing import Any

import pandas as pd

CONTAINER, MAIN = "containerDefinitions[0].", "spec.containers[0]."
# What it is, where ECS has it, where Kubernetes has it; in brackets what no line of a pod says.
PLACES = (
    ("name", "family", "metadata.name"),
    ("image", CONTAINER + "image", MAIN + "image"),
    ("program", CONTAINER + "entryPoint", MAIN + "command"),
    ("its words", CONTAINER + "command", MAIN + "args"),
    ("CPU", "cpu", MAIN + "resources.limits.cpu"),
    ("memory", "memory", MAIN + "resources.limits.memory"),
    ("settings", CONTAINER + "environment", MAIN + "envFrom"),
    ("secret", CONTAINER + "secrets", MAIN + "env"),
    ("program's role", "taskRoleArn", "spec.serviceAccountName"),
    ("agent's role", "executionRoleArn", "(the node's role)"),
    ("log", CONTAINER + "logConfiguration", "(stdout, read by an agent)"),
    ("time to stop", CONTAINER + "stopTimeout", "spec.terminationGracePeriodSeconds"),
    ("at its end", CONTAINER + "essential", "spec.restartPolicy"),
    ("network", "networkMode", "(each pod has an address)"),
    ("machine", "requiresCompatibilities", "(labels, or Fargate profile)"),
)


def table(definition: dict, pod: dict) -> pd.DataFrame:
    """Return where both documents say a thing, and what, if it is a plain value."""
    rows = {
        what: {
            "task definition": _told(definition, task, CONTAINER),
            "pod": kube if kube.startswith("(") else _told(pod, kube, MAIN),
        }
        for what, task, kube in PLACES
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _told(document: Any, path: str, inner: str) -> str:
    """The last words of the path with the value; an image and a role only by their last part."""
    short = path.removeprefix(inner).removeprefix("spec.").removeprefix("resources.")
    value = document
    for word in re.findall(r"[^.\[\]]+", path):
        try:
            value = value[int(word) if isinstance(value, list) else word]
        except (KeyError, IndexError):
            return f"{short}: -"
    if isinstance(value, dict) or (
        isinstance(value, list) and value and isinstance(value[0], dict)
    ):
        return f"{short}: ..."
    if isinstance(value, list):
        return f"{short}: {', '.join(map(str, value))[:24]}"
    return f"{short}: {str(value).rpartition('/')[2].partition('@')[0]}"
