"""The parent of one container's process tree: a program of its own, standard library only.

Started by ``process.py`` as ``python -I -S shim.py STATUS_FD``. Its standard input carries one
line of JSON (what to run), then one letter per request: ``T`` sends SIGTERM to the main process,
``K`` kills the tree. End of file means that the server is gone, and kills the tree as well, so
no task outlives the server however that died. It adopts orphaned descendants (subreaper), so a
grandchild that calls setsid cannot escape, and it counts the CPU time of every one of them.

On STATUS_FD it writes one line of JSON when the command has started (or could not be), and
another when everything has ended.
"""

import ctypes
import json
import os
import resource
import select
import signal
import sys
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def prctl(option, value):
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def read_line(fd):
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(fd, 1)
        if not byte:
            sys.exit(0)
        line += byte
    return line


def start(spec):
    """Fork and exec. Returns (pid, None), or (None, reason) if the command cannot be executed."""
    failed, fail = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        become(spec, parent, fail)
    os.close(fail)
    reason = os.read(failed, 4096).decode()
    os.close(failed)
    if reason:
        os.waitpid(pid, 0)
        return None, reason
    return pid, None


def become(spec, parent, fail):
    """Turn this fork into the container's main process. Never returns."""
    command, environment = spec["command"], spec["environment"]
    try:
        os.setsid()
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(137)
        # Joined before exec, so that nothing the program does happens outside its limits.
        for path in spec["cgroups"]:
            with open(path, "w") as procs:
                procs.write("0")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        try:
            os.chdir(spec["cwd"])
        except OSError as error:
            os.write(fail, f"working directory {spec['cwd']}: {error.strerror}".encode())
            os._exit(127)
        os.execvpe(command[0], command, environment)
    except FileNotFoundError:
        where = "no such file or directory" if "/" in command[0] else None
        reason = where or "executable file not found in $PATH"
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
    os.write(fail, f'exec: "{command[0]}": {reason}'.encode())
    os._exit(127)


def descendants():
    """Process ids below this one, by /proc's own lists of children."""
    found, todo = [], [os.getpid()]
    while todo:
        pid = todo.pop()
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/children") as children:
                    below = [int(word) for word in children.read().split()]
                found += below
                todo += below
        except OSError:
            continue
    return found


def kill_tree(seconds=10):
    """SIGKILL every descendant until none is left. Returns the exit statuses that were reaped."""
    statuses, deadline = {}, time.monotonic() + seconds
    while time.monotonic() < deadline:
        for pid in descendants():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid:
            statuses[pid] = status
        else:
            time.sleep(0.002)
    return statuses


def supervise(main, wake):
    """Serve requests until the main process has ended and no descendant is left."""
    while True:
        ready, _, _ = select.select([0, wake], [], [])
        if wake in ready:
            os.read(wake, 512)
        if 0 in ready:
            requests = os.read(0, 64)
            if not requests or b"K" in requests:
                return kill_tree()[main]
            os.kill(main, signal.SIGTERM)
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == main:
                    kill_tree()
                    return status
                if pid == 0:
                    break
        except ChildProcessError:
            raise SystemExit(70) from None


def report(fd, message):
    try:
        os.write(fd, json.dumps(message).encode() + b"\n")
    except BrokenPipeError:
        sys.exit(0)


def run():
    status_fd = int(sys.argv[1])
    os.set_inheritable(status_fd, False)
    spec = json.loads(read_line(0))
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    main, reason = start(spec)
    if reason:
        report(status_fd, {"error": reason})
        return
    report(status_fd, {"pid": main})
    status = supervise(main, wake)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = os.waitstatus_to_exitcode(status)
    report(
        status_fd,
        {
            "code": code if code >= 0 else 128 - code,
            "killed": code == -signal.SIGKILL,
            "cpu_seconds": spent.ru_utime + spent.ru_stime,
            "max_rss": spent.ru_maxrss * 1024,
        },
    )


if __name__ == "__main__":
    run()
