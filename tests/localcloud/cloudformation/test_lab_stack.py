"""The lab's own stack: deployed, worked on by the pipeline, changed, and deleted to the last thing.

Locally the program of the API and the pipeline's roles are those that the stack has made, in its
subnets and behind its security groups: a wrong reference, name or rule would stop a run.
"""

import dataclasses
import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner
from live import temporary_home, wait_for

from drydock.account import access, files, survivors
from drydock.cli import main
from drydock.lab import Lab, open_lab
from drydock.pipeline import lookup_database
from drydock.pipeline.run import Watcher, run

TEMPLATES = files.TEMPLATES
STACK = "drydock"
NOTHING_LEFT = "nothing is left of the lab in this account"
MADE = {
    "apigatewayv2": [("get_apis", "Items"), ("get_vpc_links", "Items")],
    "autoscaling": [("describe_auto_scaling_groups", "AutoScalingGroups")],
    "ec2": [
        ("describe_addresses", "Addresses"),
        ("describe_internet_gateways", "InternetGateways"),
        ("describe_launch_templates", "LaunchTemplates"),
        ("describe_route_tables", "RouteTables"),
        ("describe_security_groups", "SecurityGroups"),
        ("describe_subnets", "Subnets"),
        ("describe_vpcs", "Vpcs"),
    ],
    "ecr": [("describe_repositories", "repositories")],
    "ecs": [("list_clusters", "clusterArns")],
    "eks": [("list_clusters", "clusters")],
    "elbv2": [
        ("describe_load_balancers", "LoadBalancers"),
        ("describe_target_groups", "TargetGroups"),
    ],
    "iam": [("list_roles", "Roles"), ("list_instance_profiles", "InstanceProfiles")],
    "lambda": [("list_functions", "Functions")],
    "logs": [("describe_log_groups", "logGroups")],
    "rds": [
        ("describe_db_instances", "DBInstances"),
        ("describe_db_subnet_groups", "DBSubnetGroups"),
    ],
    "s3": [("list_buckets", "Buckets")],
    "secretsmanager": [("list_secrets", "SecretList")],
    "sns": [("list_topics", "Topics")],
}


class LabOfStack(Lab):
    """A lab whose tasks run in the stack's private subnets, not in the default VPC."""

    def network(self) -> dict:
        found = outputs(self.client("cloudformation"))
        return {
            "awsvpcConfiguration": {
                "subnets": found["Subnets"].split(","),
                "securityGroups": [found["TaskGroup"]],
                "assignPublicIp": "DISABLED",
            }
        }


def inventory(lab: Lab) -> dict[str, int]:
    """How many there are of everything that the stack makes."""
    counts = {
        f"{service} {operation}": len(getattr(lab.client(service), operation)()[key])
        for service, operations in MADE.items()
        for operation, key in operations
    }
    budgets = lab.client("budgets").describe_budgets(AccountId=lab.account_id)
    ec2 = lab.client("ec2")  # which lists what is deleted for a while
    nats = ec2.describe_nat_gateways()["NatGateways"]
    endpoints = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    return counts | {
        "budgets": len(budgets.get("Budgets", [])),
        "nat gateways": sum(one["State"] != "deleted" for one in nats),
        "endpoints": sum(one["State"] != "deleted" for one in endpoints),
    }


def outputs(stacks) -> dict[str, str]:
    [stack] = stacks.describe_stacks(StackName=STACK)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def ended(stacks) -> str:
    """Wait; the stack's status, or GONE."""

    def settled():
        try:
            [stack] = stacks.describe_stacks(StackName=STACK)["Stacks"]
        except ClientError:
            return "GONE"
        status = stack["StackStatus"]
        return None if status.endswith("IN_PROGRESS") else status

    return wait_for(settled, "the stack", 240)


def failures(stacks, stack: str = STACK) -> dict[str, str]:
    """Why resources could not be made, changed or deleted, of a stack by its name or id."""
    pages = stacks.get_paginator("describe_stack_events").paginate(StackName=stack)
    return {
        event["LogicalResourceId"]: event.get("ResourceStatusReason", "")
        for page in pages
        for event in page["StackEvents"]
        if event["ResourceStatus"].endswith("FAILED")
    }


@pytest.fixture(scope="module")
def lab():
    """A cloud of its own: the stack's names are those of the lab, and one account has them once."""
    with temporary_home() as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DRYDOCK_HOME", str(home))
        patch.setenv("DRYDOCK_PORT", "0")
        opened = open_lab()
        fields = {field.name: getattr(opened, field.name) for field in dataclasses.fields(Lab)}
        yield LabOfStack(**fields)


@pytest.fixture(scope="module")
def account(lab):
    """The lab's cloud, as `drydock aws` sees it."""
    return access.open_account(endpoint=lab.endpoint)


def aws(account, *words: str) -> tuple[int, list[str]]:
    """Run `drydock aws up` or `down`; its exit code and lines."""
    typed = ["aws", *words, "--yes", "--endpoint", account.endpoint]
    done = CliRunner().invoke(main, typed, catch_exceptions=False)
    return done.exit_code, done.output.splitlines()


def settings(account, **changes: str) -> dict:
    """What `drydock aws up` gives CloudFormation, but for the parameters that differ."""
    values = files.parameters(account, Decimal(25), kubernetes=False) | changes
    return {
        "StackName": STACK,
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Tags": files.TAGS,
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": value} for name, value in values.items()
        ],
    }


def test_cfn_lint_finds_nothing():
    found = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), *map(str, sorted(TEMPLATES.glob("*.yaml")))],
        capture_output=True,
        text=True,
    )
    assert (found.stdout + found.stderr, found.returncode) == ("", 0)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_deployed_worked_on_changed_and_deleted(lab, account):
    stacks = lab.client("cloudformation")
    before = inventory(lab)

    code, lines = aws(account, "up", "--budget", "25")
    assert (code, ended(stacks), failures(stacks)) == (0, "CREATE_COMPLETE", {})
    assert "  CREATE_COMPLETE    Database" in lines
    assert lines[-1].startswith("it costs $") and lines[-1].endswith("aws down")
    assert "the stack drydock is there already (CREATE_COMPLETE)" in aws(account, "up")[1]
    seen = {line.rsplit(" ", 1)[0] for line in survivors.survivors(account)}
    assert {"stack", "RDS instance", "VPC", "NAT gateway", "IAM role", "budget"} <= seen
    address = outputs(stacks)["ApiAddress"]
    with httpx.Client(trust_env=False, timeout=30) as http:
        assert http.get(f"{address}/healthz").status_code == 503  # there is no task yet
        report = run(lab, ["2013-02"], Watcher())
        assert report.served["rows"] == 24_951
        balanced = lab.client("elbv2").describe_target_groups(Names=["drydock-api"])
        lab.client("elbv2").get_waiter("target_in_service").wait(
            TargetGroupArn=balanced["TargetGroups"][0]["TargetGroupArn"],
            WaiterConfig={"Delay": 1, "MaxAttempts": 120},
        )
        # Gateway, VPC link, internal balancer, task: the whole way of a stranger's request.
        assert http.get(f"{address}/healthz").json()["rows"] == 24_951

    stacks.update_stack(
        UsePreviousTemplate=True,
        **settings(account, MonthlyLimit="30", Kubernetes="yes", ApiTasks="1"),
    )
    assert (ended(stacks), failures(stacks)) == ("UPDATE_COMPLETE", {})
    budget = lab.client("budgets").describe_budget(AccountId=lab.account_id, BudgetName="drydock")[
        "Budget"
    ]
    assert float(budget["BudgetLimit"]["Amount"]) == 30
    cluster = outputs(stacks)["KubernetesCluster"]
    nodes = lab.client("eks").describe_nodegroup(clusterName=cluster, nodegroupName="drydock")
    assert nodes["nodegroup"]["status"] == "ACTIVE"

    stacks.delete_stack(StackName=STACK)
    assert ended(stacks) == "DELETE_FAILED"  # as on AWS: a bucket with objects stays
    assert set(failures(stacks)) == {"drydock", "Lake"}
    code, lines = aws(account, "down")
    # What the pipeline has made beside the stack is its own.
    assert (code, lines[-2]) == (1, f"secret {lookup_database.READER_SECRET}")
    lab.client("secretsmanager").delete_secret(
        SecretId=lookup_database.READER_SECRET, ForceDeleteWithoutRecovery=True
    )
    assert aws(account, "down") == (0, [str(account), NOTHING_LEFT])
    assert inventory(lab) == before


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_stack_that_cannot_be_made_leaves_nothing(lab, account):
    stacks = lab.client("cloudformation")
    before = inventory(lab)
    body = (TEMPLATES / "lab.yaml").read_text()
    files.upload(account)
    stacks.create_stack(TemplateBody=body, **settings(account, RotationCode="never-uploaded.zip"))
    assert ended(stacks) == "ROLLBACK_COMPLETE"
    assert "S3 Error Code: NoSuchKey" in failures(stacks)["RotationFunction"]
    assert aws(account, "up")[0] == 3
    code, lines = aws(account, "down")
    assert (code, lines[-1]) == (0, NOTHING_LEFT)
    assert inventory(lab) == before


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_ctrl_c_has_left_is_cleared(lab, account):
    before = inventory(lab)
    command = [sys.executable, "-u", "-m", "drydock.cli", "aws", "up", "--yes"]
    with subprocess.Popen(
        [*command, "--endpoint", account.endpoint],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as up:
        for line in up.stdout:
            if line.split() == ["CREATE_COMPLETE", "Vpc"]:
                up.send_signal(signal.SIGINT)
                break
        _, said = up.communicate(timeout=60)
    assert up.returncode == 130 and said.rstrip().endswith("clears what was begun")
    code, lines = aws(account, "down")
    assert (code, lines[-1]) == (0, NOTHING_LEFT)
    assert inventory(lab) == before
