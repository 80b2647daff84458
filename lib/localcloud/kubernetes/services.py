"""Services: a loopback address each, whose ports lead to the ready pods in turn.

Endpoints and EndpointSlice say which pods those are. A headless Service has no address of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from localcloud.kubernetes import selectors
from localcloud.kubernetes.replica_sets import is_active, is_ready
from localcloud.kubernetes.resources import ENDPOINTS, PODS, SERVICES, SLICES
from localcloud.kubernetes.work import Controller, reference

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Change, Object

BLOCK = 1 << 16
Door = tuple[str, int]


class Services:
    def __init__(self, cluster: Cluster):
        self._cluster, self._store = cluster, cluster.store
        self._controller = Controller("services", self._reconcile)
        self.controllers = [self._controller]
        self._proxy = Proxy()
        self._store.subscribe(self._told)

    def admit(self, resource: Any, service: Object, before: Object | None) -> None:
        """Give a new Service its address; an address stays as it is."""
        if resource is not SERVICES:
            return
        spec = service["spec"]
        if before is not None:
            for name in ("clusterIP", "clusterIPs"):
                if name in before["spec"]:
                    spec.setdefault(name, before["spec"][name])
            return
        if spec["type"] == "ExternalName":
            return
        if spec.get("clusterIP") == "None":
            spec["clusterIPs"] = ["None"]
            return
        spec["clusterIP"] = self._cluster.footing.addresses.take()
        spec["clusterIPs"] = [spec["clusterIP"]]

    def start(self) -> None:
        for service in self._store.list(SERVICES):
            meta = service["metadata"]
            if "." in service["spec"].get("clusterIP", ""):
                self._cluster.footing.addresses.hold(service["spec"]["clusterIP"])
            self._controller.put(meta["namespace"], meta["name"])

    def stop(self) -> None:
        self._proxy.close()

    def _told(self, change: Change) -> None:
        meta = change.object["metadata"]
        if change.resource is SERVICES:
            self._controller.put(meta["namespace"], meta["name"])
            address = change.object["spec"].get("clusterIP", "")
            if change.kind == "DELETED" and "." in address:
                self._cluster.footing.addresses.give_back(address)
        elif change.resource is PODS:
            labels = meta.get("labels") or {}
            for service in self._store.list(SERVICES, meta["namespace"]):
                if _selects(service, labels):
                    self._controller.put(meta["namespace"], service["metadata"]["name"])

    def _reconcile(self, namespace: str, name: str) -> None:
        service = self._store.get(SERVICES, namespace, name)
        if service is None:
            self._proxy.close_service((namespace, name))
            for resource in (ENDPOINTS, SLICES):
                if self._store.get(resource, namespace, name):
                    self._store.delete(resource, namespace, name)
            return
        pods = [
            pod
            for pod in self._store.list(PODS, namespace)
            if _selects(service, pod["metadata"].get("labels") or {})
            and is_active(pod)
            and pod["status"].get("podIP")
        ]
        if service["spec"].get("selector"):
            self._publish(service, pods)
        address = service["spec"].get("clusterIP", "None")
        if address not in ("None", ""):
            doors = {
                (address, port["port"]): [
                    (pod["status"]["podIP"], target_port(port, pod))
                    for pod in pods
                    if is_ready(pod)
                ]
                for port in service["spec"].get("ports", [])
                if port["protocol"] == "TCP"
            }
            self._proxy.serve((namespace, name), doors)

    def _publish(self, service: Object, pods: list[Object]) -> None:
        spec, ports = service["spec"], []
        for port in spec.get("ports", []):
            number = target_port(port, pods[0]) if pods else port["port"]
            named = {"name": port["name"]} if "name" in port else {}
            ports.append({**named, "port": number, "protocol": port["protocol"]})
        ready = [_address(pod) for pod in pods if is_ready(pod)]
        unready = [_address(pod) for pod in pods if not is_ready(pod)]
        subset: Object = {"ports": ports}
        if ready:
            subset["addresses"] = ready
        if unready:
            subset["notReadyAddresses"] = unready
        self._put(ENDPOINTS, service, {"subsets": [subset] if pods else []})
        told = [
            {
                "addresses": [pod["status"]["podIP"]],
                "conditions": {"ready": is_ready(pod), "serving": is_ready(pod)},
                "targetRef": _address(pod)["targetRef"],
            }
            for pod in pods
        ]
        self._put(SLICES, service, {"addressType": "IPv4", "endpoints": told, "ports": ports})

    def _put(self, resource: Any, service: Object, content: Object) -> None:
        meta = service["metadata"]
        if self._store.get(resource, meta["namespace"], meta["name"]):
            self._store.change(
                resource, meta["namespace"], meta["name"], lambda one: one.update(content)
            )
            return
        labels = {**(meta.get("labels") or {}), "kubernetes.io/service-name": meta["name"]}
        document = {
            "kind": resource.kind,
            "apiVersion": resource.api_version,
            "metadata": {
                "name": meta["name"],
                "labels": labels,
                "ownerReferences": [reference(service)],
            },
            **content,
        }
        self._cluster.registry.create(resource, meta["namespace"], document)


def _selects(service: Object, labels: dict[str, str]) -> bool:
    chosen = service["spec"].get("selector")
    return bool(chosen) and selectors.of_object({"matchLabels": chosen})(labels)


def target_port(port: Object, pod: Object) -> int:
    wanted = port["targetPort"]
    if isinstance(wanted, int) or str(wanted).isdigit():
        return int(wanted)
    for container in pod["spec"]["containers"]:
        for one in container.get("ports", []):
            if one.get("name") == wanted:
                return one["containerPort"]
    return port["port"]


def _address(pod: Object) -> Object:
    meta = pod["metadata"]
    target = {"kind": "Pod", **{name: meta[name] for name in ("name", "namespace", "uid")}}
    return {
        "ip": pod["status"]["podIP"],
        "nodeName": pod["spec"].get("nodeName"),
        "targetRef": target,
    }


class Proxy:
    """One thread that listens for all Services and passes connections on."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._doors: dict[tuple[str, str], dict[Door, asyncio.Server]] = {}
        self._targets: dict[Door, list[Door]] = {}
        self._turn = itertools.count()
        self._thread = threading.Thread(target=self._loop.run_forever, name="services", daemon=True)
        self._thread.start()

    def serve(self, service: tuple[str, str], doors: dict[Door, list[Door]]) -> None:
        self._call(self._serve(service, doors))

    def close_service(self, service: tuple[str, str]) -> None:
        self._call(self._serve(service, {}))

    def close(self) -> None:
        for service in list(self._doors):
            self.close_service(service)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _call(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _serve(self, service: tuple[str, str], doors: dict[Door, list[Door]]) -> None:
        known = self._doors.setdefault(service, {})
        for door in known.keys() - doors.keys():
            known.pop(door).close()
            self._targets.pop(door, None)
        self._targets |= doors
        for door in doors.keys() - known.keys():
            known[door] = await asyncio.start_server(self._arrived(door), *door)

    def _arrived(self, door: Door) -> Any:
        async def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                with suppress(OSError, IndexError):
                    targets = self._targets[door]
                    target = targets[next(self._turn) % len(targets)] if targets else targets[0]
                    far_reader, far_writer = await asyncio.open_connection(*target)
                    with suppress(OSError):
                        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
                    far_writer.close()
            finally:
                writer.close()

        return arrived


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(BLOCK):
            writer.write(data)
            await writer.drain()
    finally:
        with suppress(OSError):
            if writer.can_write_eof():
                writer.write_eof()
