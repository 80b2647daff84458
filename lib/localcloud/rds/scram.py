"""SCRAM-SHA-256 verifiers: what PostgreSQL stores in place of a password (RFC 5802, RFC 7677).

Made here, so that a master password is never written to a disk or a log, not even when the
server is killed while the database is being created.
"""

import base64
import hashlib
import hmac
import os

ITERATIONS = 4096  # PostgreSQL's own default


def verifier(password: str) -> str:
    """For printable ASCII, which RDS restricts passwords to and SASLprep leaves as it is."""
    return _verifier(password, os.urandom(16), ITERATIONS)


def matches(password: str, stored: str | None) -> bool:
    """Whether a verifier that PostgreSQL has stored is of this password."""
    kind, _, rest = (stored or "").partition("$")
    if kind != "SCRAM-SHA-256":
        return False
    iterations, _, salt = rest.partition("$")[0].partition(":")
    made = _verifier(password, base64.b64decode(salt), int(iterations))
    return hmac.compare_digest(made, stored)


def _verifier(password: str, salt: bytes, iterations: int) -> str:
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    stored = hashlib.sha256(_mac(salted, b"Client Key")).digest()
    server = _mac(salted, b"Server Key")
    return f"SCRAM-SHA-256${iterations}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
