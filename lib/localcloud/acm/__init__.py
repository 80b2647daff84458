"""AWS Certificate Manager: certificates of the local cloud's own authority, for HTTPS listeners.

moto keeps the records. A requested certificate is issued at once: names are not validated through
DNS. ``get_certificate`` gives the authority's certificate as CertificateChain, to verify with.
Imported certificates are served as they are.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from functools import cache
from typing import Any

from moto.acm.models import CertBundle, acm_backends
from moto.acm.utils import make_arn_for_certificate

from localcloud.authority import Authority
from localcloud.home import Home

COMMON_NAME = "Drydock local cloud"


class Acm:
    """``register`` before the first call. The authority is made with the first certificate."""

    def __init__(self, home: Home):
        self._folder = home.path / "acm"

    def register(self) -> None:
        @cache
        def authority() -> Authority:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            return Authority(self._folder, COMMON_NAME)

        def generate_cert(
            cls: type[CertBundle],
            domain_name: str,
            account_id: str,
            region: str,
            sans: list[str] | None = None,
            cert_authority_arn: str | None = None,
        ) -> CertBundle:
            names = list(dict.fromkeys([domain_name, *(sans or [])]))
            certificate, key = authority().sign(names)
            made = cls(
                certificate=certificate,
                private_key=key,
                cert_type="PRIVATE" if cert_authority_arn else "AMAZON_ISSUED",
                cert_authority_arn=cert_authority_arn,
                account_id=account_id,
                region=region,
                arn=make_arn_for_certificate(account_id, region),
            )
            made.chain = authority().bundle.read_bytes()
            return made

        CertBundle.generate_cert = classmethod(generate_cert)


def certificate(arn: str) -> CertBundle | None:
    """The certificate with this ARN, if there is one."""
    _, _, _, region, account, _ = arn.split(":", 5)
    return acm_backends[account][region]._certificates.get(arn)


def server_context(bundle: Any, newest_only: bool) -> ssl.SSLContext:
    """TLS with this certificate: from 1.2, or 1.3 only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if newest_only else ssl.TLSVersion.TLSv1_2
    # OpenSSL takes them from a file only. It is the owner's alone, and gone at once.
    with tempfile.NamedTemporaryFile() as together:
        os.fchmod(together.fileno(), 0o600)
        together.write(bundle.key + b"\n" + bundle.cert + b"\n" + (bundle.chain or b""))
        together.flush()
        context.load_cert_chain(together.name)
    return context
