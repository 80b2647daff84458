"""The local cloud's one process: everything it is made of, in the order in which it starts."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from localcloud.home import Home
from localcloud.runtimes.choice import Choice, NoSuchRuntime, choose

HOST = "127.0.0.1"


class CannotServe(Exception):
    """Why the server does not start, in one line."""


def serve(path: Path, port: int, or_free: bool) -> None:
    """Serve a home until SIGTERM or SIGINT. Raises CannotServe, HomeInUse.

    or_free: when the port is taken, take any free one and say so.
    """
    home = Home(path)
    held = home.lock()  # until the process ends
    listening = listen(home, port, or_free)
    endpoint = f"http://{HOST}:{listening.getsockname()[1]}"
    choice = chosen_runtime()
    set_surroundings()

    # moto is slow to import, so its users come after what can fail at once.
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    from localcloud import percentiles, presigned, wellformed
    from localcloud.acm import Acm
    from localcloud.cloudformation import CloudFormation
    from localcloud.durable import Durable
    from localcloud.ecr import Ecr
    from localcloud.ecs import Ecs
    from localcloud.eks import Eks
    from localcloud.elb import Elb
    from localcloud.emr import Emr
    from localcloud.functions import Functions
    from localcloud.gateway import Gateway
    from localcloud.glue import Glue
    from localcloud.http import make_server
    from localcloud.rds import Rds
    from localcloud.rds_data import RdsData
    from localcloud.rotation import Rotation
    from localcloud.scaling.scaler import Scaler
    from localcloud.storage import Storage

    percentiles.install()
    wellformed.install()
    Acm(home).register()
    rds = Rds(home)
    rds.register()
    rds_data = RdsData(rds.instances)
    rds_data.register()
    ecr = Ecr(home)
    ecr.register()
    storage = Storage(home)
    ecr.start(storage)
    ecs = Ecs(home, endpoint, choice.runtime(home.tasks))
    ecs.register()
    eks = Eks(home, ecs)
    eks.register()
    emr = Emr(eks)
    emr.register()
    glue = Glue(home, endpoint, ecs.clients, storage)
    glue.register()
    functions = Functions(home, endpoint, ecs.clients)
    functions.register()
    rotation = Rotation(functions)
    rotation.register()
    elb = Elb(ecs.place_of_peer, ecs.place_of_address)
    elb.register()
    gateway = Gateway(endpoint, functions)
    gateway.register()
    scaler = Scaler(ecs)
    scaler.register()
    formation = CloudFormation(home, ecs.clients)
    formation.register()
    moto = DomainDispatcherApplication(create_backend_app)
    about = {"status": "ok", "pid": os.getpid(), "home": str(home.path), "version": own_version()}
    about["runtime"] = choice.shown()
    kept = presigned.wsgi(Durable(moto, storage))
    app = with_health(ecr.wsgi(eks.wsgi(glue.wsgi(ecs.wsgi(kept)))), about)
    server = make_server(listening, app)
    stopping = stop_on_signals()
    threading.Thread(target=server.serve_forever, args=[0.05], name="http", daemon=True).start()
    rds.start(storage, ecs.place_of_peer)
    rds_data.start()
    elb.start()
    gateway.start()
    ecs.start()
    eks.start()
    emr.start()
    glue.start()
    functions.start()
    scaler.start()
    announce(home, endpoint)

    stopping.wait()
    formation.stop()
    scaler.stop()
    rotation.stop()
    functions.stop()
    glue.stop()
    emr.stop()
    eks.stop()
    ecs.stop()  # what its tasks say last still goes through the server
    gateway.stop()
    elb.stop()
    rds_data.stop()
    rds.stop()
    ecr.stop()
    server.shutdown()
    storage.close()
    (home.path / "server.json").unlink(missing_ok=True)
    os.close(held)


def listen(home: Home, port: int, or_free: bool) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError as error:
        if not or_free:
            raise CannotServe(
                f"Cannot listen on {HOST}:{port} ({error.strerror}; {holder_of(port)}): "
                "choose another with DRYDOCK_PORT, or unset it"
            ) from None
        listening.bind((HOST, 0))
        home.say(
            f"Port {port} is taken ({holder_of(port)}): "
            f"the local cloud listens on {listening.getsockname()[1]} instead"
        )
    listening.listen(256)
    return listening


def chosen_runtime() -> Choice:
    try:
        return choose(os.environ)
    except NoSuchRuntime as error:
        raise CannotServe(str(error)) from None


def holder_of(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN
            if listens and connection.laddr.port == port and connection.pid:
                return f"held by {psutil.Process(connection.pid).name()}, pid {connection.pid}"
    except psutil.Error:
        pass
    return "by whom is not known"


def set_surroundings() -> None:
    """What a person has set for the real AWS must not reach the SDK inside moto."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    # One account: moto need not look for the caller's in every partition.
    os.environ["MOTO_ACCOUNT_ID"] = "123456789012"
    # AmazonECSTaskExecutionRolePolicy and its like can be attached.
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"


def with_health(app: Callable, about: dict[str, Any]) -> Callable:
    from localcloud.http import answer_json

    def routed(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/_localcloud/health":
            return answer_json(start_response, about)
        return app(environ, start_response)

    return routed


def stop_on_signals() -> threading.Event:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def announce(home: Home, endpoint: str) -> None:
    """Say where the server is: it is ready from here on."""
    home.write_json(
        home.path / "server.json",
        {
            "pid": os.getpid(),
            "started": psutil.Process().create_time(),
            "port": int(endpoint.rpartition(":")[2]),
            "endpoint": endpoint,
            "home": str(home.path),
            "version": own_version(),
            "messages": home.messages,
        },
    )
    print(f"Serving {home.path} at {endpoint}", file=sys.stderr, flush=True)


def own_version() -> str:
    return version("drydock")
