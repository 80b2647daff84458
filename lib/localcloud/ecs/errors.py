"""ECS's errors, with the codes and the wording of AWS."""

from __future__ import annotations

from moto.core.exceptions import ServiceException


class EcsError(ServiceException):
    """An error that a caller sees; ``code`` is a shape name of the ECS API."""

    def __init__(self, code: str, message: str):
        super().__init__(code, message)


def client_error(message: str) -> EcsError:
    return EcsError("ClientException", message)


def invalid_parameter(message: str) -> EcsError:
    return EcsError("InvalidParameterException", message)


def cluster_not_found() -> EcsError:
    return EcsError("ClusterNotFoundException", "Cluster not found.")


def service_not_found() -> EcsError:
    return EcsError("ServiceNotFoundException", "Service not found.")


def service_not_active() -> EcsError:
    return EcsError("ServiceNotActiveException", "Service was not ACTIVE.")


def unsupported(what: str) -> EcsError:
    """For what AWS can do and the local cloud cannot."""
    return EcsError(
        "UnsupportedFeatureException", f"The local cloud's ECS does not support {what}."
    )
