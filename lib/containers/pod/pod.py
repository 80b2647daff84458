"""What a pod can find out and do: the program of lesson 4.

pod.py whoami                  the role that its service account gives it
pod.py read BUCKET KEY         read an object
pod.py write BUCKET KEY        write an object
pod.py serve MILLISECONDS      answer requests, each with so much CPU time
pod.py call SERVICE RATE       send so many requests a second to a Service
"""

import http.client
import http.server
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

PORT = 8000
WORKERS = 8


def whoami() -> int:
    import boto3
    from botocore.exceptions import ClientError

    session = boto3.Session()
    try:
        if session.get_credentials() is None:
            print("no credentials")
            return 0
        arn = session.client("sts").get_caller_identity()["Arn"]
    except ClientError as error:  # keys are fetched at the first call
        told = error.response["Error"]
        print(f"{told['Code']}: {told['Message']}")
        return 1
    print(arn.split(":")[-1].rpartition("/")[0])
    return 0


def try_object(words: list[str]) -> int:
    """Read or write an object; say what S3 says."""
    import boto3
    from botocore.exceptions import ClientError, NoCredentialsError

    verb, bucket, key = words
    s3 = boto3.client("s3")
    try:
        if verb == "read":
            s3.get_object(Bucket=bucket, Key=key)
        else:
            s3.put_object(Bucket=bucket, Key=key, Body=b"written by a pod\n")
    except ClientError as error:
        print(f"{verb} {key}: {error.response['Error']['Code']}")
        return 1
    except NoCredentialsError:
        print(f"{verb} {key}: no credentials")
        return 1
    print(f"{verb} {key}: ok")
    return 0


class Handler(http.server.BaseHTTPRequestHandler):
    seconds, began, requests = 0.0, 0.0, 0
    counting = threading.Lock()

    def do_GET(self) -> None:
        work = self.path != "/healthz"
        if work:
            with Handler.counting:
                Handler.requests += 1
                due = Handler.began + Handler.requests * Handler.seconds
            # Of the whole process: what a machine needs to take a request is part of its price.
            while time.process_time() < due:
                pass
        body = b"done\n" if work else b"well\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """One line for each request would drown the log."""


def serve(milliseconds: float) -> None:
    Handler.seconds, Handler.began = milliseconds / 1000, time.process_time()
    # All addresses in a container; as a process of this machine only the pod's own.
    address = (os.environ.get("HOST", "0.0.0.0"), PORT)
    print(f"{milliseconds:g} ms of CPU for each request", flush=True)
    http.server.ThreadingHTTPServer(address, Handler).serve_forever()


def call(service: str, rate: float) -> None:
    """One late tick is made up for, and no more: the rate may fall, and hardly ever rises."""
    name = service.upper().replace("-", "_")
    address = os.environ[f"{name}_SERVICE_HOST"], int(os.environ[f"{name}_SERVICE_PORT"])
    print(f"{rate:g} requests a second to {service}", flush=True)
    waiting = [0]

    def ask() -> None:
        try:
            connection = http.client.HTTPConnection(*address, timeout=10)
            connection.request("GET", "/")
            connection.getresponse().read()
            connection.close()
        except OSError as error:
            print(error, flush=True)
        finally:
            waiting[0] -= 1

    with ThreadPoolExecutor(WORKERS) as pool:
        due = time.monotonic()
        while True:
            if waiting[0] < WORKERS:
                waiting[0] += 1
                pool.submit(ask)
            due = max(due, time.monotonic() - 1 / rate) + 1 / rate
            time.sleep(max(0.0, due - time.monotonic()))


def main(words: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    match words:
        case ["whoami"]:
            return whoami()
        case ["read" | "write", _, _]:
            return try_object(words)
        case ["serve", milliseconds]:
            serve(float(milliseconds))
        case ["call", service, rate]:
            call(service, float(rate))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
