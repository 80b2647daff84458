"""Queue many tasks at once and let them drain: none may be lost or run twice, and the server may
not grow by more than the records it keeps of them. Usage: drain.py [--tasks 1000] [--json]

A local cloud of its own runs them in the process runtime. Each task prints its number. Measured are
the server's memory, threads and open files before the first task and after each tenth of them.
"""

import argparse
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil
from live import client, temporary_home

from drydock import cloud
from drydock.images import build_image
from drydock.lab import open_lab
from drydock.pipeline.roles import create_execution_role

FIRST = 10  # tasks before the first sample: what is loaded with them is no growth
GROUP = "/drain"
CODE = "import os; print(os.environ['NUMBER'])"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tasks", type=int, default=1000)
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    os.environ |= {"DRYDOCK_PORT": "0", "DRYDOCK_RUNTIME": "process"}
    with temporary_home() as home:
        info = cloud.start(home, port=0)
        result = drain(info, asked.tasks)
    print(json.dumps(result) if asked.json else shown(result))
    return 0 if result["lost"] == result["doubled"] == result["failed"] == 0 else 1


def drain(info: cloud.CloudInfo, count: int) -> dict:
    """Run so many tasks; what was measured and what went wrong."""
    ecs, logs = client(info, "ecs"), client(info, "logs")
    order = prepare(info)
    server = psutil.Process(info.pid)
    batch(ecs, order, range(-FIRST, 0))
    wait(ecs, FIRST)
    samples = [sample(server, 0)]
    began = time.monotonic()
    arns = batch(ecs, order, range(count))
    for tenth in range(1, 11):
        ended = count * tenth // 10
        wait(ecs, FIRST + ended)
        samples.append(sample(server, ended))
    seconds = time.monotonic() - began
    codes = Counter(
        task["containers"][0].get("exitCode")
        for first in range(0, count, 100)
        for task in ecs.describe_tasks(cluster="drain", tasks=arns[first : first + 100])["tasks"]
    )
    said = Counter(
        int(event["message"])
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP)
        for event in page["events"]
    )
    return {
        "tasks": count,
        "seconds": round(seconds, 1),
        "failed": count - codes[0],
        "lost": sum(said[number] == 0 for number in range(count)),
        "doubled": sum(said[number] > 1 for number in range(count)),
        "samples": samples,
    }


def prepare(info: cloud.CloudInfo) -> dict:
    """What every RunTask asks for: an image that runs Python as it is here, and a subnet."""
    os.environ |= {"DRYDOCK_HOME": str(info.home)}
    lab = open_lab()
    folder = info.home / "image"
    folder.mkdir()
    (folder / "Dockerfile").write_text('FROM python\nENTRYPOINT ["python", "-c"]\n')
    image = build_image(lab, "drain", folder)
    lab.client("ecs").create_cluster(clusterName="drain")
    lab.client("logs").create_log_group(logGroupName=GROUP)
    options = {"awslogs-group": GROUP, "awslogs-region": cloud.REGION, "awslogs-stream-prefix": "d"}
    container = {
        "name": "main",
        "image": image.uri,
        "command": [CODE],
        "logConfiguration": {"logDriver": "awslogs", "options": options},
    }
    registered = lab.client("ecs").register_task_definition(
        family="drain",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=create_execution_role(lab, "drain-execution"),
        containerDefinitions=[container],
    )
    subnet = lab.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    return {
        "cluster": "drain",
        "taskDefinition": registered["taskDefinition"]["taskDefinitionArn"],
        "launchType": "FARGATE",
        "networkConfiguration": {
            "awsvpcConfiguration": {"subnets": [subnet], "assignPublicIp": "ENABLED"}
        },
    }


def batch(ecs, order: dict, numbers: range) -> list[str]:
    """Queue one task of each number; their ARNs."""
    arns = []
    for number in numbers:
        environment = [{"name": "NUMBER", "value": str(number)}]
        overrides = {"containerOverrides": [{"name": "main", "environment": environment}]}
        answer = ecs.run_task(**order, overrides=overrides)
        assert answer["failures"] == []
        arns.append(answer["tasks"][0]["taskArn"])
    return arns


def wait(ecs, count: int) -> None:
    """Until so many tasks are to be stopped: nobody stops them, so they have ended."""
    pages = ecs.get_paginator("list_tasks")
    while True:
        found = pages.paginate(cluster="drain", desiredStatus="STOPPED")
        if sum(len(page["taskArns"]) for page in found) >= count:
            return
        time.sleep(0.5)


def sample(server: psutil.Process, ended: int) -> dict:
    return {
        "ended": ended,
        "memory_mb": round(server.memory_info().rss / 1e6, 1),
        "threads": server.num_threads(),
        "files": server.num_fds(),
    }


def shown(result: dict) -> str:
    lines = [f"{'ended':>6} {'memory':>10} {'threads':>8} {'files':>6}"]
    for one in result["samples"]:
        memory = f"{one['memory_mb']:.1f} MB"
        lines.append(f"{one['ended']:>6} {memory:>10} {one['threads']:>8} {one['files']:>6}")
    lines.append(
        "{tasks} tasks in {seconds} s: {failed} failed, {lost} lost, {doubled} run twice".format(
            **result
        )
    )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
