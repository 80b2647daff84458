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
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, ITERATIONS)
    stored = hashlib.sha256(_mac(salted, b"Client Key")).digest()
    server = _mac(salted, b"Server Key")
    return f"SCRAM-SHA-256${ITERATIONS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
