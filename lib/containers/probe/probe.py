"""What a container can find out about itself, and the ways in which one can end.

probe.py whoami                  the role, the size and the network that this task has
probe.py exit CODE               end with this exit code
probe.py eat MIB                 keep this much memory
probe.py wait [--deaf]           run until SIGTERM; deaf: take no notice of it
probe.py count N BUCKET KEY      count to N, a step each 0.1 s, from where the object says
"""

import json
import os
import signal
import sys
import time
import urllib.request

STEP_SECONDS = 0.1


class Stopped(Exception):
    """SIGTERM has come: ECS wants the task to end."""


def whoami() -> None:
    import boto3

    with urllib.request.urlopen(f"{os.environ['ECS_CONTAINER_METADATA_URI_V4']}/task") as answer:
        task = json.load(answer)
    role = boto3.client("sts").get_caller_identity()["Arn"]
    print("role     ", role.split(":")[-1].rsplit("/", 1)[0])
    print("family   ", task["Family"], "on", task["LaunchType"])
    print("size     ", f"{task['Limits']['CPU']} vCPU, {task['Limits']['Memory']} MiB")
    container = task["Containers"][0]
    networks = container["Networks"]
    print("network  ", networks[0]["NetworkMode"], len(networks[0]["IPv4Addresses"]), "address")


def eat(mib: int) -> None:
    kept = []
    for _ in range(mib):
        kept.append(bytearray(os.urandom(1024)) * 1024)
    print(f"kept {len(kept)} MiB")


def wait(deaf: bool) -> None:
    if deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("waiting, deaf to SIGTERM" if deaf else "waiting for SIGTERM", flush=True)
    while True:
        time.sleep(60)


def count(last: int, bucket: str, key: str) -> None:
    """Count up; on SIGTERM keep in S3 how far it came, so that the next task goes on from there."""
    import boto3

    s3 = boto3.client("s3")
    try:
        done = int(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except s3.exceptions.NoSuchKey:
        done = 0
    print(f"counting from {done}", flush=True)
    try:
        while done < last:
            time.sleep(STEP_SECONDS)
            done += 1
    except Stopped:
        s3.put_object(Bucket=bucket, Key=key, Body=str(done).encode())
        print("SIGTERM: kept the count in S3", flush=True)
        raise
    s3.put_object(Bucket=bucket, Key=key, Body=str(done).encode())
    print(f"counted to {done}")


def stop(*_) -> None:
    raise Stopped


def main(words: list[str]) -> int:
    signal.signal(signal.SIGTERM, stop)
    match words:
        case ["whoami"]:
            whoami()
        case ["exit", code]:
            return int(code)
        case ["eat", mib]:
            eat(int(mib))
        case ["wait"] | ["wait", "--deaf"]:
            wait(deaf="--deaf" in words)
        case ["count", last, bucket, key]:
            count(int(last), bucket, key)
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Stopped:
        sys.exit(128 + signal.SIGTERM)
