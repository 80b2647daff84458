"""`kubectl exec`: a command in a running container, with the caller's streams."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import struct
import termios
from typing import TYPE_CHECKING, Any

from localcloud.kubernetes import errors, websockets
from localcloud.kubernetes.pod_volumes import pointer
from localcloud.kubernetes.resources import PODS
from localcloud.kubernetes.websockets import CLOSE, ERROR, RESIZE, STDERR, STDIN, STDOUT, Channels
from localcloud.runtimes.attached import close
from localcloud.runtimes.base import CannotStart

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.front import Request
    from localcloud.kubernetes.requests import Place

LOOK_SECONDS = 0.1


class Exec:
    """``serve`` is called with the connection once it may be taken over. Raises ApiError."""

    def __init__(self, cluster: Cluster, request: Request, place: Place):
        if not websockets.wanted(request.headers):
            words = "unable to upgrade: only WebSocket connections are served here"
            raise errors.bad_request(words)
        websockets.protocol(request.headers)
        self._request = request
        self.command = request.lists.get("command", [])
        if not self.command:
            raise errors.bad_request("you must specify at least one command for the container")
        self._tty, self._stdin = request.flag("tty"), request.flag("stdin")
        pod = cluster.store.need(PODS, place.namespace, place.name)
        self._run, worker = _run_of(cluster, pod, request.query.get("container", ""))
        if cluster.footing.runtime.kind == "process":
            point = pointer(worker.mounts(self._run.spec))
            self.command = [point(word) for word in self.command]

    def serve(self, connection: Any) -> None:
        channels = Channels(connection, self._request.headers, self._request.path)
        with contextlib.suppress(OSError):
            self._serve(channels)
            channels.close()

    def _serve(self, channels: Channels) -> None:
        theirs, ours = _terminal() if self._tty else _pipes()
        live = self._run.live
        try:
            if live is None:
                raise CannotStart("cannot exec in a stopped container")
            started = live.attached(self.command, theirs, self._tty)
        except CannotStart as error:
            close([*theirs, *ours.values()])
            channels.send(ERROR, json.dumps(self._failure(error)).encode())
            return
        close(theirs)
        if not self._stdin:
            _shut(ours, STDIN)
        try:
            _carry(channels, ours, self._tty, started)
        except OSError:
            started.kill()
            raise
        finally:
            close(list(ours.values()))
        channels.send(ERROR, json.dumps(_ending(started.wait().code)).encode())

    def _failure(self, error: Exception) -> dict[str, Any]:
        words = (
            "Internal error occurred: error executing command in container: failed to exec in "
            "container: failed to start exec: OCI runtime exec failed: exec failed: unable to "
            f'start container process: exec: "{self.command[0]}": {error}'
        )
        return errors.ApiError(500, "InternalError", words).status()


def _run_of(cluster: Cluster, pod: dict, container: str) -> Any:
    """The container's run and its worker. Raises ApiError in the kubelet's words."""
    names = [one["name"] for one in pod["spec"]["containers"]]
    every = names + [one["name"] for one in pod["spec"].get("initContainers", [])]
    if container and container not in every:
        told = f"container {container} is not valid for pod {pod['metadata']['name']}"
        raise errors.bad_request(told)
    if not container and len(names) > 1:
        chosen = " ".join(names)
        words = f"a container name must be specified for pod {pod['metadata']['name']}, choose one"
        raise errors.bad_request(f"{words} of: [{chosen}]")
    name = container or names[0]
    for worker in cluster.kubelet.workers():
        if worker.uid == pod["metadata"]["uid"]:
            for run in worker.runs:
                if run.name == name and run.live is not None:
                    return run, worker
    words = f'unable to upgrade connection: container not found ("{name}")'
    raise errors.ApiError(500, "InternalError", words)


def _pipes() -> tuple[list[int], dict[int, int]]:
    """The command's ends, and ours by channel."""
    (read_in, in_), (out, write_out), (err, write_err) = os.pipe(), os.pipe(), os.pipe()
    os.set_blocking(in_, False)
    return [read_in, write_out, write_err], {STDIN: in_, STDOUT: out, STDERR: err}


def _terminal() -> tuple[list[int], dict[int, int]]:
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    return [theirs] * 3, {STDIN: ours, STDOUT: ours}


def _carry(channels: Channels, ours: dict[int, int], tty: bool, started: Any) -> None:
    """Until the command has ended and all that it said has been sent."""
    waiting, over = b"", False
    outputs = {ours[one]: one for one in (STDOUT, STDERR) if one in ours}
    while outputs:
        writers = [ours[STDIN]] if waiting and STDIN in ours else []
        ended = started.wait(0) is not None
        ready, able = channels.wait(list(outputs), writers, 0.0 if ended else LOOK_SECONDS)
        for one in ready:
            if one is channels:
                for channel, data in channels.receive():
                    if channel == STDIN:
                        waiting += data
                    elif channel == CLOSE and data == bytes([STDIN]):
                        over = True
                    elif channel == RESIZE and tty:
                        _resize(ours[STDIN], data)
            else:
                data = _read(one)
                if data:
                    channels.send(outputs[one], data)
                else:
                    del outputs[one]
        if able:
            waiting = _write(ours, waiting)
        if over and not waiting and not tty:
            _shut(ours, STDIN)
        # A grandchild may keep the streams open: the command's own end counts.
        if ended and not [one for one in ready if one is not channels]:
            return


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 32768)
    except OSError:  # a terminal whose other side is closed
        return b""


def _write(ours: dict[int, int], data: bytes) -> bytes:
    """What could not be written yet; none if nobody reads any more."""
    try:
        return data[os.write(ours[STDIN], data) :]
    except BlockingIOError:
        return data
    except OSError:
        _shut(ours, STDIN)
        return b""


def _shut(ours: dict[int, int], channel: int) -> None:
    """Close a stream of pipes; a terminal is one stream and stays."""
    if channel in ours and list(ours.values()).count(ours[channel]) == 1:
        close([ours.pop(channel)])


def _resize(terminal: int, data: bytes) -> None:
    with contextlib.suppress(ValueError, OSError, struct.error):
        size = json.loads(data)
        packed = struct.pack("HHHH", size["Height"], size["Width"], 0, 0)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, packed)


def _ending(code: int) -> dict[str, Any]:
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    cause = {"reason": "ExitCode", "message": str(code)}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [cause]},
    }
