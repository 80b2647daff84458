"""What CloudFormation refuses, in its codes and, where known, its words."""

from __future__ import annotations

from moto.core.exceptions import ServiceException


class ValidationError(ServiceException):
    """A request or a template is refused before anything is made."""

    code = "ValidationError"


class AlreadyExists(ServiceException):
    code = "AlreadyExistsException"


class InsufficientCapabilities(ServiceException):
    code = "InsufficientCapabilitiesException"


class ChangeSetNotFound(ServiceException):
    code = "ChangeSetNotFound"


class ResourceFailed(Exception):
    """Why a resource could not be made, changed or deleted: its event's ResourceStatusReason."""


def no_stack(name: str) -> ValidationError:
    return ValidationError(f"Stack with id {name} does not exist")
