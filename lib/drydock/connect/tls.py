"""How sure a connection is of whom it talks to: the six modes that every PostgreSQL driver knows.

Source: PostgreSQL documentation, "SSL Support", table of sslmode descriptions.
"""

from pathlib import Path

FULL = "verify-full"
# The attacks of `attackers` that each mode stops, from listening in to a thief with a certificate
# of the same authority.
STOPS = {
    "disable": (),
    "allow": (),
    "prefer": ("listening",),
    "require": ("listening", "no TLS offered"),
    "verify-ca": ("listening", "no TLS offered", "own certificate"),
    FULL: ("listening", "no TLS offered", "own certificate", "another host's certificate"),
}
MODES = tuple(STOPS)


def settings(mode: str, certificates: Path | None) -> dict[str, str]:
    """Return libpq's settings for a mode; JDBC has the same under the same names.

    `certificates` is the authority's bundle, which only the verifying modes read: libpq would take
    a "require" that has one for "verify-ca". Raises ValueError.
    """
    if mode not in STOPS:
        raise ValueError(f"tls is {mode!r}: type one of {', '.join(MODES)}")
    if not mode.startswith("verify"):
        return {"sslmode": mode}
    if certificates is None:
        raise ValueError(f"tls is {mode!r}: give the certificates to verify with")
    return {"sslmode": mode, "sslrootcert": str(certificates)}
