"""A real PostgreSQL for the tests of drydock.connect: its certificate authority, and a stranger's.

Its certificate names 127.0.0.1 only: a connection to "localhost" reaches the same server under a
name that the certificate does not have.
"""

import datetime as dt
import ipaddress
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from drydock.connect.secrets import DatabaseSecret

sys.path.append(str(Path(__file__).parents[2] / "containers" / "etl"))
import postgres_server

ADDRESS = "127.0.0.1"
CANARY = "c4nary;}{=' \"\\%/@:?&ü"  # what a password may hold, and what no message may


@dataclass(frozen=True)
class Database:
    """`admin` owns the database, `reader` may read; `ca` verifies the server, `stranger` cannot."""

    admin: DatabaseSecret
    reader: DatabaseSecret
    ca: Path
    stranger: Path

    def connect(self, secret: DatabaseSecret | None = None) -> psycopg.Connection:
        """Connect apart from the library under test."""
        secret = secret or self.admin
        return psycopg.connect(
            host=secret.host,
            port=secret.port,
            user=secret.username,
            password=secret.password,
            dbname=secret.dbname,
            sslmode="verify-full",
            sslrootcert=str(self.ca),
            autocommit=True,
        )


@contextmanager
def serving(folder: Path) -> Iterator[Database]:
    """Start a server; write the certificates of both authorities to `folder`."""
    with postgres_server.running() as (port, password, certificate):
        first = folder / "first.pem"
        first.write_text(certificate)
        admin = DatabaseSecret(ADDRESS, port, "postgres", "postgres", password)
        reader = replace(admin, username="reader", password=CANARY)
        database = Database(admin, reader, folder / "ca.pem", folder / "stranger.pem")
        with replace(database, ca=first).connect() as connection:
            data = Path(connection.execute("SHOW data_directory").fetchone()[0])
            _certify(data, database.ca)
            _certify(folder, database.stranger)
            verifier = connection.pgconn.encrypt_password(
                CANARY.encode(), b"reader", b"scram-sha-256"
            ).decode()
            connection.execute(f"CREATE ROLE reader LOGIN PASSWORD '{verifier}'")
            connection.execute("GRANT pg_read_all_data TO reader")
            connection.execute("SELECT pg_reload_conf()")
        yield database


def _certify(data: Path, ca_file: Path) -> None:
    """Write a new authority's certificate to `ca_file`, and a server's with its key to `data`."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's authority")])
    ca = _signed(ca_name, ca_name, ca_key.public_key(), ca_key, x509.BasicConstraints(True, 0))
    server = _signed(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's database")]),
        ca_name,
        key.public_key(),
        ca_key,
        x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(ADDRESS))]),
    )
    owner = data.stat()
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    ca_file.write_bytes(ca.public_bytes(pem))
    for name, content in (("server.crt", server.public_bytes(pem)), ("server.key", private)):
        (data / name).write_bytes(content)
        (data / name).chmod(0o600)
        os.chown(data / name, owner.st_uid, owner.st_gid)


def _signed(subject, issuer, public_key, ca_key, extension) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(extension, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
