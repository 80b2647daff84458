"""Read the rows of QUERY from PostgreSQL and say how many came.

Settings: DB_SECRET, in the JSON form of RDS. QUERY; one that names {month} is asked twelve times,
for each month. CONNECTIONS is how many share this work; all are opened first. FETCH_ROWS is how
many rows come at a time from a cursor in the server; with 0 fetchall() takes them all at once.
CONNECT_SECONDS is how long to wait for the database. With PGSSLROOTCERT the server's certificate
has to come from that authority and bear the host's name.
"""

import json
import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

import psycopg

MONTHS = range(1, 13)
KEYS = ("host", "port", "username", "password", "dbname")


def connect(secret: dict) -> psycopg.Connection:
    host, port = secret["host"], int(secret["port"])
    try:
        socket.getaddrinfo(host, port)
    except OSError:
        sys.exit(f"reader: no host is called {host}: DNS does not know that name")
    try:
        return psycopg.connect(
            host=host,
            port=port,
            dbname=secret["dbname"],
            user=secret["username"],
            password=secret["password"],
            sslmode="verify-full" if os.environ.get("PGSSLROOTCERT") else "require",
            connect_timeout=int(os.environ.get("CONNECT_SECONDS", "10")),
            prepare_threshold=None,  # a proxy may give the next query another connection
        )
    except psycopg.OperationalError as error:
        sys.exit(f"reader: {host} lets {secret['username']} not in: {last_line(error)}")


def last_line(error: Exception) -> str:
    """What the server said, without the addresses that were tried before."""
    return str(error).strip().splitlines()[-1].rpartition("failed: ")[2]


def read(connection: psycopg.Connection, queries: list[str], fetch_rows: int) -> int:
    rows = 0
    for query in queries:
        with connection.cursor(name="reader" if fetch_rows else "") as cursor:
            cursor.execute(query)
            if not fetch_rows:
                rows += len(cursor.fetchall())
                continue
            while taken := cursor.fetchmany(fetch_rows):
                rows += len(taken)
    return rows


def main() -> None:
    secret, query = json.loads(os.environ["DB_SECRET"]), os.environ["QUERY"]
    if missing := [key for key in KEYS if key not in secret]:
        sys.exit(f"reader: DB_SECRET lacks {', '.join(missing)}")
    asked = [query.format(month=month) for month in MONTHS] if "{month}" in query else [query]
    count = int(os.environ.get("CONNECTIONS", "1"))
    connections = [connect(secret) for _ in range(count)]
    parts = [asked[first::count] for first in range(count)]
    sizes = [int(os.environ.get("FETCH_ROWS", "5000"))] * count
    try:
        with ThreadPoolExecutor(count) as pool:
            rows = sum(pool.map(read, connections, parts, sizes))
    except psycopg.Error as error:
        sys.exit(f"reader: {last_line(error)}")
    print(f"{rows:,} rows", flush=True)


if __name__ == "__main__":
    main()
