"""Answer GET /rows with rows of PostgreSQL as JSON, and GET /healthz with 200.

Settings: DB_SECRET, in the JSON form of RDS. ROWS is the query. EACH, if it is set, is a second
query, asked once for every row of the first: the row's columns are its parameters, %(name)s, and
the columns that it finds are added to the row. HOST, PORT (8000). With PGSSLROOTCERT the server's
certificate has to come from that authority and bear the host's name.
"""

import http.server
import json
import os
import signal

import psycopg
from psycopg.rows import dict_row


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/healthz":
            return self.answer(200, {"status": "ok"})
        if self.path != "/rows":
            return self.answer(404, {"error": "there are only /rows and /healthz"})
        try:
            found = rows(os.environ["ROWS"], os.environ.get("EACH"))
        except psycopg.Error as error:
            trouble = str(error).strip().splitlines()[0]
            print(f"500: {trouble}", flush=True)
            return self.answer(500, {"error": trouble})
        print(f"200: {len(found):,} rows", flush=True)
        return self.answer(200, found)

    def answer(self, status: int, content: object) -> None:
        body = json.dumps(content, default=str).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """One line for each health check would drown the log."""


def rows(query: str, each: str | None) -> list[dict]:
    with connect() as connection, connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(query).fetchall()
        for row in found if each else ():
            row |= cursor.execute(each, row).fetchone() or {}
        return found


def connect() -> psycopg.Connection:
    secret = json.loads(os.environ["DB_SECRET"])
    return psycopg.connect(
        host=secret["host"],
        port=int(secret["port"]),
        dbname=secret["dbname"],
        user=secret["username"],
        password=secret["password"],
        sslmode="verify-full" if os.environ.get("PGSSLROOTCERT") else "require",
        connect_timeout=10,
        autocommit=True,
        prepare_threshold=None,  # a proxy may give the next query another connection
    )


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    address = (os.environ.get("HOST", "0.0.0.0"), int(os.environ.get("PORT", "8000")))
    server = http.server.ThreadingHTTPServer(address, Handler)
    print(f"rows are served on port {address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
