"""A pod's volumes: folders of this machine, filled from ConfigMaps, Secrets and the pod itself."""

from __future__ import annotations

import base64
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from localcloud.kubernetes import quantities, sizes
from localcloud.kubernetes.resources import CONFIG_MAPS, SECRETS, SERVICE_ACCOUNTS

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Object

TOKEN_SECONDS = 3600


class NotYet(Exception):
    """Something that the pod names is not there; the message is the kubelet's."""


class Volumes:
    """The folders of one pod below ``root``. Raises NotYet while a source is missing."""

    def __init__(self, cluster: Cluster, pod: Object, root: Path):
        self._cluster, self._pod, self._root = cluster, pod, root
        self._namespace = pod["metadata"]["namespace"]

    def make(self) -> None:
        for volume in self._pod["spec"].get("volumes", []):
            kind = next((name for name in volume if name != "name"), "emptyDir")
            fill = FILLERS.get(kind)
            if fill is None:
                raise NotYet(
                    f'MountVolume.SetUp failed for volume "{volume["name"]}" : the local cloud has '
                    f"no {kind} volumes: use emptyDir, configMap, secret, downwardAPI or projected"
                )
            folder = self._root / volume["name"]
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o777)
            for path, content, mode in fill(self, volume[kind], volume["name"]):
                self._write(folder, path, content, mode)

    def _write(self, folder: Path, path: str, content: bytes, mode: int) -> None:
        file = folder / path
        if ".." in Path(path).parts:
            raise NotYet(f"invalid path {path}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(mode | 0o444)

    def mounts(self, container: Object) -> dict[str, tuple[Path, bool]]:
        """The folder, and whether it is read-only, by the path in the container."""
        found = {}
        for mount in container.get("volumeMounts", []):
            folder = self._root / mount["name"] / mount.get("subPath", "")
            if "subPath" in mount and not folder.exists():
                folder.mkdir(parents=True)
            found[mount["mountPath"].rstrip("/")] = (folder, mount.get("readOnly", False))
        return found

    def remove(self) -> None:
        shutil.rmtree(self._root, ignore_errors=True)

    def config_map(self, source: Object, volume: str) -> list[tuple[str, bytes, int]]:
        return self._keys(source, CONFIG_MAPS, "configmap", source.get("name"), volume)

    def secret(self, source: Object, volume: str) -> list[tuple[str, bytes, int]]:
        name = source.get("secretName") or source.get("name")
        return self._keys(source, SECRETS, "secret", name, volume)

    def _keys(self, source: Object, resource, word: str, name: str, volume: str) -> list:
        found = self._cluster.store.get(resource, self._namespace, name)
        if found is None:
            if source.get("optional"):
                return []
            raise NotYet(
                f'MountVolume.SetUp failed for volume "{volume}" : {word} "{name}" not found'
            )
        content = contents(found)
        mode = source.get("defaultMode", 0o644)
        if "items" not in source:
            return [(key, value, mode) for key, value in content.items()]
        chosen = []
        for item in source["items"]:
            if item["key"] in content:
                chosen.append((item["path"], content[item["key"]], item.get("mode", mode)))
            elif not source.get("optional"):
                raise NotYet(
                    f'MountVolume.SetUp failed for volume "{volume}" : references non-existent '
                    f"{word} key: {item['key']}"
                )
        return chosen

    def downward(self, source: Object, volume: str) -> list[tuple[str, bytes, int]]:
        found = []
        for item in source.get("items", []):
            if "fieldRef" in item:
                value = field_of(self._pod, item["fieldRef"]["fieldPath"])
            else:
                reference = item["resourceFieldRef"]
                containers = self._pod["spec"]["containers"]
                container = next(
                    c for c in containers if c["name"] == reference.get("containerName", c["name"])
                )
                value = resource_field(container, reference)
            found.append((item["path"], value.encode(), item.get("mode", 0o644)))
        return found

    def token(self, source: Object, volume: str) -> list[tuple[str, bytes, int]]:
        name = self._pod["spec"]["serviceAccountName"]
        account = self._cluster.store.get(SERVICE_ACCOUNTS, self._namespace, name)
        audience = source.get("audience")
        token, _ = self._cluster.tokens.issue(
            account,
            [audience] if audience else [],
            source.get("expirationSeconds", TOKEN_SECONDS),
            self._pod,
        )
        return [(source["path"], token.encode(), 0o644)]

    def projected(self, source: Object, volume: str) -> list[tuple[str, bytes, int]]:
        found = []
        for one in source.get("sources", []):
            for kind, inner in one.items():
                found += FILLERS[kind](self, inner, volume)
        return found


def contents(found: Object) -> dict[str, bytes]:
    """What a ConfigMap or a Secret holds."""
    if found["kind"] == "Secret":
        return {key: base64.b64decode(value) for key, value in found.get("data", {}).items()}
    plain = {key: value.encode() for key, value in found.get("data", {}).items()}
    binary = {k: base64.b64decode(v) for k, v in found.get("binaryData", {}).items()}
    return {**plain, **binary}


def field_of(pod: Object, path: str) -> str:
    """What a fieldRef names: metadata.name, metadata.labels['app'], status.podIP and the like."""
    keyed = re.fullmatch(r"metadata\.(labels|annotations)\['([^']+)'\]", path)
    if keyed:
        return (pod["metadata"].get(keyed[1]) or {}).get(keyed[2], "")
    value = pod
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, dict):
        return "\n".join(f'{key}="{one}"' for key, one in sorted(value.items()))
    return "" if value is None else str(value)


def resource_field(container: Object, reference: Object) -> str:
    kind, _, name = reference["resource"].partition(".")
    value = sizes.amounts(container.get("resources", {}).get(kind)).get(name, 0)
    divisor = reference.get("divisor") or "1"
    step = max(1, (quantities.milli if name == "cpu" else quantities.whole)(divisor))
    return str(-(-value // step))


def pointer(mounts: dict[str, tuple[Path, bool]]) -> Callable[[str], str]:
    """A process sees this machine's files: every mounted path in a text becomes its folder."""
    paths = "|".join(re.escape(path) for path in sorted(mounts, key=len, reverse=True))
    if not paths:
        return lambda text: text
    pattern = re.compile(rf"(?<![\w./-])({paths})(?![\w.-])")
    return lambda text: pattern.sub(lambda match: os.fspath(mounts[match[1]][0]), text)


FILLERS: dict[str, Callable] = {
    "emptyDir": lambda volumes, source, volume: [],
    "configMap": Volumes.config_map,
    "secret": Volumes.secret,
    "downwardAPI": Volumes.downward,
    "projected": Volumes.projected,
    "serviceAccountToken": Volumes.token,
}
