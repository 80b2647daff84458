"""moto's backends as bytes: what pickle alone cannot do with them."""

import io
import pickle
import threading
import time
import weakref
from collections import defaultdict
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from moto.backends import get_backend
from moto.core.base_backend import BaseBackend
from moto.iam.models import AWSManagedPolicy, iam_backends

LOCKS = {type(threading.Lock()): threading.Lock, type(threading.RLock()): threading.RLock}
# Another request may change a dictionary while it is being walked: then walk it again.
ATTEMPTS = 50


class NotPicklable(Exception):
    """Something in the state is of a kind that cannot be kept."""


class _Pickler(pickle.Pickler):
    def persistent_id(self, thing: Any) -> tuple[str, str, str] | None:
        """A backend that another one refers to is a name, so that it stays one and the same."""
        if not isinstance(thing, BaseBackend):
            return None
        service = service_of(type(thing))
        try:
            registered = get_backend(service)[thing.account_id].get(thing.region_name)
        except (ImportError, AttributeError, KeyError):
            return None
        return (service, thing.account_id, thing.region_name) if registered is thing else None

    def reducer_override(self, thing: Any) -> Any:
        if type(thing) in LOCKS:
            return LOCKS[type(thing)], ()
        if isinstance(thing, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            der = thing.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            return _private_key, (der,)
        if isinstance(thing, x509.Certificate):
            return _certificate, (thing.public_bytes(serialization.Encoding.DER),)
        if isinstance(thing, defaultdict) and not _rebuildable(thing):
            return dict, (), None, None, iter(thing.items())
        if isinstance(thing, weakref.WeakValueDictionary):
            return weakref.WeakValueDictionary, (dict(thing),)
        if type(thing) is AWSManagedPolicy:
            # 4 MB of them come with moto
            where = (thing.account_id, thing.partition, thing.arn)
            return _aws_managed_policy, where, {"attachment_count": thing.attachment_count}
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, name: tuple[str, str, str]) -> BaseBackend:
        service, account, region = name
        return get_backend(service)[account][region]


def _private_key(der: bytes) -> Any:
    return serialization.load_der_private_key(der, None)


def _certificate(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def _rebuildable(thing: defaultdict) -> bool:
    """pickle makes a defaultdict from its factory alone; restore_backend fills in the others."""
    factory = getattr(thing.default_factory, "__name__", None)
    return type(thing) is defaultdict and factory != "<lambda>"


def _aws_managed_policy(account: str, partition: str, arn: str) -> AWSManagedPolicy:
    return iam_backends[account][partition].managed_policies[arn]


def dumps(thing: Any) -> bytes:
    """Raises NotPicklable."""
    for attempt in range(ATTEMPTS):
        buffer = io.BytesIO()
        try:
            _Pickler(buffer, protocol=5).dump(thing)
            return buffer.getvalue()
        except RuntimeError as error:
            if "changed size" not in str(error) and "mutated" not in str(error):
                raise
            time.sleep(0.001 * attempt)
        except (TypeError, AttributeError, pickle.PicklingError) as error:
            raise NotPicklable(str(error)) from error
    raise NotPicklable("it never stopped changing")


def loads(data: bytes) -> Any:
    return _Unpickler(io.BytesIO(data)).load()


def service_of(backend_class: type) -> str:
    """moto's name for a service: the folder its backend comes from (moto.NAME.models)."""
    return backend_class.__module__.split(".")[1]


def restore_backend(service: str, account: str, region: str, state: dict[str, Any]) -> None:
    backend = get_backend(service)[account][region]
    for name, value in state.items():
        fresh = backend.__dict__.get(name)
        if isinstance(fresh, defaultdict) and type(value) is dict:
            fresh.update(value)
        else:
            backend.__dict__[name] = value
