"""The certificate authorities that a home's databases and clusters are verified with."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = timedelta(days=3650)
ADDRESS = "127.0.0.1"


class Authority:
    """ca.pem is the bundle that clients verify with; ca.key never leaves the folder."""

    def __init__(self, folder: Path, name: str):
        """``name`` is the common name of a certificate that is made here for the first time."""
        self.bundle = folder / "ca.pem"
        self._key_file = folder / "ca.key"
        if not (self.bundle.exists() and self._key_file.exists()):
            self._create(name)

    def _create(self, common_name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        certificate = (
            _unsigned(name, name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        write_key(self._key_file, key)
        self.bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.bundle.chmod(0o644)

    def issue(self, certificate_file: Path, key_file: Path, address: str = ADDRESS) -> None:
        """Write a server certificate for localhost and a loopback address, and its key."""
        ca_key = serialization.load_pem_private_key(self._key_file.read_bytes(), None)
        ca = x509.load_pem_x509_certificate(self.bundle.read_bytes())
        key = ec.generate_private_key(ec.SECP256R1())
        names = [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address(address)),
            # libpq before 15 compares an address with the names only
            x509.DNSName(address),
        ]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        certificate = (
            _unsigned(subject, ca.subject, key.public_key())
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(ca_key, hashes.SHA256())
        )
        write_key(key_file, key)
        certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def sign(self, names: list[str]) -> tuple[bytes, bytes]:
        """A server certificate for these host names or addresses, and its key, as PEM."""
        ca_key = serialization.load_pem_private_key(self._key_file.read_bytes(), None)
        ca = x509.load_pem_x509_certificate(self.bundle.read_bytes())
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        certificate = (
            _unsigned(subject, ca.subject, key.public_key())
            .add_extension(x509.SubjectAlternativeName(map(_name, names)), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(ca_key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM), _pem(key)


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _unsigned(subject: x509.Name, issuer: x509.Name, public_key) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALID)
    )


def write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(_pem(key))


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
