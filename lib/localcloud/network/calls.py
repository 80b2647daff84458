"""AWS calls of a task, on their way: one that has no path gets no answer.

On AWS such a call's packets are dropped and the SDK waits for its connect timeout, a minute by
default. Here the request is held for UNANSWERED_SECONDS and the connection then closed, which the
SDK reports as a connection error. Whose call it is, its access key tells.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote

from localcloud.http import NoAnswer
from localcloud.network import defaults, reachability
from localcloud.network.vpc import Place

UNANSWERED_SECONDS = 2.0
CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/[^/]*/([^/]+)/([^/]+)/")
# Names under which requests are signed, where those of VPC endpoints differ.
ENDPOINT_NAMES = {"ecr": "ecr.api"}
ACCOUNT = "123456789012"
REGION = "us-east-1"  # where every task is


def wsgi(app: Callable, place_of: Callable[[str], Place | None]) -> Callable:
    """``app`` without the calls that cannot reach it. ``place_of`` finds the task by access key:
    None for whoever is not a task, or one whose network is not known."""

    def front(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        signed = _signed(environ)
        place = place_of(signed[0]) if signed else None
        if place is not None:
            _, region, service = signed
            if not _reaches(place, region, ENDPOINT_NAMES.get(service, service)):
                time.sleep(UNANSWERED_SECONDS)
                raise NoAnswer
        return app(environ, start_response)

    return front


def _reaches(place: Place, region: str, service: str) -> bool:
    """A VPC endpoint leads to the services of its own region; elsewhere leads the internet."""
    ec2 = defaults.backend(ACCOUNT, REGION)
    if region == REGION:
        return bool(reachability.to_service(ec2, place, service))
    return bool(reachability.to_internet(ec2, place, reachability.HTTPS))


def _signed(environ: dict[str, Any]) -> tuple[str, str, str] | None:
    """Access key, region and service of a signed request, presigned ones too."""
    presigned = unquote(environ.get("QUERY_STRING", ""))
    found = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION") or presigned)
    return (found[1], found[2], found[3]) if found else None
