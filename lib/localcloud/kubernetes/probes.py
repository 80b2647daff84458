"""Startup, readiness and liveness probes: exec, httpGet and tcpSocket."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

from localcloud.runtimes.base import Container

if TYPE_CHECKING:
    from localcloud.kubernetes.pod_status import Run
    from localcloud.kubernetes.pod_worker import PodWorker

Object = dict[str, Any]
KINDS = ("startupProbe", "readinessProbe", "livenessProbe")


def watch(worker: PodWorker, run: Run, live: Container, address: str) -> None:
    """Probe the container until it ends."""
    for kind in KINDS:
        if kind in run.spec:
            arguments = (worker, run, live, address, kind)
            threading.Thread(target=_loop, args=arguments, daemon=True).start()


def _loop(worker: PodWorker, run: Run, live: Container, address: str, kind: str) -> None:
    probe, word = run.spec[kind], kind.removesuffix("Probe").capitalize()
    good = bad = 0
    if live.wait(probe.get("initialDelaySeconds", 0)) is not None:
        return
    while live.wait(0) is None and run.live is live:
        if kind == "startupProbe" and run.started:
            return
        if kind == "startupProbe" or run.started:
            why = failure(probe, run, live, address)
            good, bad = (good + 1, 0) if why is None else (0, bad + 1)
            if why is not None and live.wait(0) is None:
                worker.tell("Warning", "Unhealthy", f"{word} probe failed: {why}", run)
            if good >= probe["successThreshold"]:
                _passed(worker, run, kind)
            elif bad >= probe["failureThreshold"]:
                _failed(worker, run, live, kind, word)
        if live.wait(probe["periodSeconds"]) is not None:
            return


def _passed(worker: PodWorker, run: Run, kind: str) -> None:
    before = (run.started, run.ready)
    if kind == "startupProbe":
        run.started = True
        run.ready = "readinessProbe" not in run.spec
    elif kind == "readinessProbe":
        run.ready = True
    if before != (run.started, run.ready):
        worker.wake()


def _failed(worker: PodWorker, run: Run, live: Container, kind: str, word: str) -> None:
    if kind == "readinessProbe":
        if run.ready:
            run.ready = False
            worker.wake()
        return
    words = f"Container {run.name} failed {word.lower()} probe, will be restarted"
    worker.restart(run, live, words)


def failure(probe: Object, run: Run, live: Container, address: str) -> str | None:
    """Why the probe fails, in the kubelet's words; None if it passes."""
    timeout = probe["timeoutSeconds"]
    if "exec" in probe:
        code = live.execute(probe["exec"]["command"], timeout)
        if code is None:
            return f"command timed out: {probe['exec']['command']} timed out after {timeout}s"
        return None if code == 0 else f"command exited with code {code}"
    if "tcpSocket" in probe:
        port = _port(probe["tcpSocket"]["port"], run)
        try:
            socket.create_connection((address, port), timeout).close()
        except OSError as error:
            return f"dial tcp {address}:{port}: connect: {_words(error)}"
        return None
    if "httpGet" in probe:
        return _get(probe["httpGet"], run, address, timeout)
    return "the local cloud has no such probe"


def _get(wanted: Object, run: Run, address: str, timeout: float) -> str | None:
    host, port = wanted.get("host") or address, _port(wanted["port"], run)
    secure = wanted["scheme"] == "HTTPS"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    more = {"context": ssl._create_unverified_context()} if secure else {}
    connection = kind(host, port, timeout=timeout, **more)
    headers = {"User-Agent": "kube-probe/1.36"}
    headers |= {header["name"]: header["value"] for header in wanted.get("httpHeaders", [])}
    url = f"{wanted['scheme'].lower()}://{host}:{port}{wanted['path']}"
    began = time.monotonic()
    try:
        connection.request("GET", wanted["path"], headers=headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        if time.monotonic() - began >= timeout:
            return (
                f'Get "{url}": context deadline exceeded (Client.Timeout exceeded while awaiting '
                "headers)"
            )
        return f'Get "{url}": dial tcp {host}:{port}: connect: {_words(error)}'
    finally:
        connection.close()
    return None if 200 <= status < 400 else f"HTTP probe failed with statuscode: {status}"


def _words(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()


def _port(value: Any, run: Run) -> int:
    if isinstance(value, int) or str(value).isdigit():
        return int(value)
    named = {p.get("name"): p["containerPort"] for p in run.spec.get("ports", [])}
    return named.get(value, 0)
