"""A database's door: owns its public port, and passes connections on to PostgreSQL.

A program of its own, standard library only, so that what flows through it never waits for the
server's other work. Started as ``python -I -S front.py LISTEN_FD INTERNAL_PORT``. For each new
connection it writes a line, its number and the peer's port; the answer, a line on its standard
input, is the number and 1 or 0. A refused connection stays open without a word, as if its packets
were dropped, until the client gives up or UNANSWERED_SECONDS are over. End of input means that the
server is gone, and ends the program with all connections.
"""

import contextlib
import errno
import os
import select
import socket
import sys
import threading
import time

ADDRESS = "127.0.0.1"
UNANSWERED_SECONDS = 15.0  # on AWS a client's connect waits for about two minutes
BLOCK = 1 << 18
CLOSED = (errno.EBADF, errno.EINVAL, errno.ENOTSOCK)
PAUSE_SECONDS = 0.1


def serve(listening, internal_port):
    waiting = {}
    threading.Thread(target=take_answers, args=[waiting, internal_port], daemon=True).start()
    while True:
        try:
            client, peer = listening.accept()
        except OSError as error:
            if error.errno in CLOSED:
                raise
            time.sleep(PAUSE_SECONDS)  # such as no file descriptor left: others will be closed
            continue
        waiting[client.fileno()] = client
        os.write(1, b"%d %d\n" % (client.fileno(), peer[1]))


def take_answers(waiting, internal_port):
    for line in sys.stdin.buffer:
        number, allowed = map(int, line.split())
        client = waiting.pop(number)
        work = [pass_on, client, internal_port] if allowed else [leave_unanswered, client]
        try:
            threading.Thread(target=work[0], args=work[1:], daemon=True).start()
        except RuntimeError:  # no thread left: this connection ends, the others do not
            client.close()
    os._exit(0)


def leave_unanswered(client):
    closed = select.poll()
    closed.register(client, select.POLLRDHUP)
    closed.poll(UNANSWERED_SECONDS * 1000)
    client.close()


def pass_on(client, internal_port):
    try:
        server = socket.create_connection((ADDRESS, internal_port))
    except OSError:
        client.close()
        return
    with client, server, contextlib.suppress(OSError, RuntimeError):
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=pump, args=[server, client], daemon=True)
        back.start()
        pump(client, server)
        back.join()


def pump(source, sink):
    """Move bytes until the source ends, then end the sink's reading side."""
    block = memoryview(bytearray(BLOCK))
    with contextlib.suppress(OSError):
        while size := source.recv_into(block):
            sink.sendall(block[:size])
    for end, way in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
        with contextlib.suppress(OSError):
            end.shutdown(way)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
