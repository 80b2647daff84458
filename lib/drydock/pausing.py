"""A server that stands still once, as programs do: garbage collection, a lock, a full disk."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
WORK_SECONDS = 0.002


@contextlib.contextmanager
def pausing(after: float, seconds: float) -> Iterator[str]:
    """Serve on this machine, and yield the URL. Answers take 2 ms, but once, `after` seconds from
    the first connection on, the server answers nobody for `seconds`."""
    ready: list[asyncio.AbstractEventLoop] = []
    address: list[str] = []
    up = threading.Event()

    def serve() -> None:
        async def forever() -> None:
            server = await asyncio.start_server(_Once(after, seconds).answer, "127.0.0.1", 0)
            ready.append(asyncio.get_running_loop())
            address.append(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            up.set()
            with contextlib.suppress(asyncio.CancelledError):
                await server.serve_forever()

        asyncio.run(forever())

    thread = threading.Thread(target=serve, name="pausing", daemon=True)
    thread.start()
    up.wait()
    try:
        yield address[0]
    finally:
        for task in asyncio.all_tasks(ready[0]):
            ready[0].call_soon_threadsafe(task.cancel)
        thread.join()


class _Once:
    def __init__(self, after: float, seconds: float):
        self.after, self.seconds, self.first = after, seconds, None

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        if self.first is None:
            self.first = loop.time()
        with contextlib.suppress(asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                since = loop.time() - self.first - self.after
                still = self.seconds - since if 0 <= since < self.seconds else 0.0
                await asyncio.sleep(still + WORK_SECONDS)
                writer.write(ANSWER)
                await writer.drain()
        writer.close()
