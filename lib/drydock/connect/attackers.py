"""What stands between a client and its database when somebody attacks: for lessons and tests.

Each listens on a port of its own on this machine. A client that is given this port instead of the
database's is in the place of one whose network or name service has been taken over.
"""

import datetime as dt
import socket
import ssl
import struct
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
TLS_ASKED, GSS_ASKED = 80877103, 80877104
ASK_PASSWORD = b"R" + struct.pack("!ii", 8, 3)
STARTING = b"SFATAL\0C57P03\0Mthe database system is starting up\0\0"
BLOCK = 1 << 16


class _Listener:
    """Serves each connection in a thread, from entering the context to leaving it."""

    def __init__(self):
        self._listening = socket.create_server((HOST, 0))
        self.host = HOST
        self.port: int = self._listening.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._safely, args=[client], daemon=True).start()

    def _safely(self, client: socket.socket) -> None:
        # a client that goes away, or refuses our certificate, is what is tried here
        with client, suppress(OSError, struct.error):
            self._serve(client)

    def _serve(self, client: socket.socket) -> None:
        raise NotImplementedError


class Wiretap(_Listener):
    """Passes everything on to the real database and changes nothing: it only listens."""

    def __init__(self, host: str, port: int):
        super().__init__()
        self._database = (host, port)
        self._heard: list[bytes] = []

    def saw(self, text: str) -> bool:
        """Whether this text went past in clear, in either direction."""
        return text.encode() in b"".join(self._heard)

    def _serve(self, client: socket.socket) -> None:
        with socket.create_connection(self._database) as server:
            back = threading.Thread(target=self._pump, args=[server, client], daemon=True)
            back.start()
            self._pump(client, server)
            back.join()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while block := source.recv(BLOCK):
                self._heard.append(block)
                sink.sendall(block)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


class Impostor(_Listener):
    """Pretends to be the database and asks for the password in clear; `passwords` are its loot.

    `tls` None: it says that it has no TLS. "own": it offers TLS with a certificate that it has made
    itself for this host. A pair of files, certificate chain and key: it offers TLS with these, such
    as those of another host of the same authority.
    """

    def __init__(self, tls: str | tuple[Path, Path] | None = None):
        super().__init__()
        self.passwords: list[str] = []
        self._context: ssl.SSLContext | None = None
        if tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            if tls == "own":
                _load_own(self._context)
            else:
                self._context.load_cert_chain(*tls)

    def _serve(self, client: socket.socket) -> None:
        asked = self._start(client)
        if asked == GSS_ASKED:
            client.sendall(b"N")
            asked = self._start(client)
        if asked == TLS_ASKED:
            client.sendall(b"S" if self._context else b"N")
            if self._context:
                client = self._context.wrap_socket(client, server_side=True)
            self._start(client)
        client.sendall(ASK_PASSWORD)
        kind, size = struct.unpack("!ci", _exactly(client, 5))
        if kind == b"p":
            self.passwords.append(_exactly(client, size - 4).rstrip(b"\0").decode())
        client.sendall(b"E" + struct.pack("!i", len(STARTING) + 4) + STARTING)

    @staticmethod
    def _start(client: socket.socket) -> int:
        """Read a message without a type, as a connection begins with; return its code."""
        size, code = struct.unpack("!ii", _exactly(client, 8))
        _exactly(client, size - 8)
        return code


def _exactly(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        block = source.recv(size - len(data))
        if not block:
            raise ConnectionError
        data += block
    return data


def _load_own(context: ssl.SSLContext) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # Python's TLS reads certificates from files only.
    with tempfile.NamedTemporaryFile() as file:
        file.write(private + certificate.public_bytes(pem))
        file.flush()
        context.load_cert_chain(file.name)
