"""Addresses that anything in a network may try: what listens there refuses by itself."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from moto.apigatewayv2.models import apigatewayv2_backends
from moto.elbv2.models import elbv2_backends
from moto.rds.models import rds_backends

from localcloud import arns

Door = tuple[str, int]


def databases() -> Iterator[Door]:
    for instance in list(rds_backends[arns.ACCOUNT][arns.REGION].databases.values()):
        if isinstance(getattr(instance, "port", None), int):
            yield instance.address, instance.port


def load_balancers() -> Iterator[Door]:
    backend = elbv2_backends[arns.ACCOUNT].get(arns.REGION)
    for balancer in list(backend.load_balancers.values()) if backend else ():
        for listener in list(balancer.listeners.values()):
            yield balancer.dns_name, int(listener.port)


def apis() -> Iterator[Door]:
    """Of HTTP APIs: public addresses, for whom API Gateway's endpoint can be reached."""
    backend = apigatewayv2_backends[arns.ACCOUNT].get(arns.REGION)
    for api in list(backend.apis.values()) if backend else ():
        address = urlsplit(api.api_endpoint)
        yield address.hostname, address.port or 80
