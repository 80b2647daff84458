"""The kubeconfig that a lesson writes: what clients make of it, and what is said without one."""

import json
import os
import subprocess
import sys

import pytest
import yaml
from kubernetes import client, config

from drydock import cloud, kubeconfig
from drydock.lab import open_lab


@pytest.fixture(scope="module")
def lab(cloud):
    return open_lab()


@pytest.fixture(scope="module")
def cluster(lab):
    """The name of an EKS cluster without nodes."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "eks.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    role = lab.client("iam").create_role(
        RoleName="kubeconfig-cluster",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )["Role"]["Arn"]
    subnets = lab.network()["awsvpcConfiguration"]["subnets"]
    lab.client("eks").create_cluster(
        name="kubeconfig", roleArn=role, resourcesVpcConfig={"subnetIds": subnets}
    )
    return "kubeconfig"


@pytest.fixture
def connected(lab, cluster, monkeypatch):
    """The file, with the environment put back afterwards."""
    monkeypatch.setenv("KUBECONFIG", "elsewhere")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert kubeconfig.update(lab, cluster) == cluster
    return kubeconfig.path(lab.home, cluster)


def test_kubectl_and_the_python_client_use_it(connected):
    said = subprocess.run(
        ["kubectl", "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (said.stdout, said.stderr) == ("kubernetes-admin", "")
    api = client.CoreV1Api(config.new_client_from_config(str(connected)))
    assert "default" in [one.metadata.name for one in api.list_namespace().items]


def test_no_key_and_no_token_is_kept_in_the_file(connected):
    document = yaml.safe_load(connected.read_text())
    assert list(document["users"][0]["user"]) == ["exec"]
    assert "k8s-aws-v1" not in connected.read_text()
    assert connected.stat().st_mode & 0o077 == 0


def test_every_token_is_fresh_and_names_the_cluster(lab, connected, monkeypatch):
    monkeypatch.setenv("DRYDOCK_HOME", str(lab.home))
    made = kubeconfig.credential("kubeconfig")
    assert made["kind"] == "ExecCredential"
    assert made["status"]["token"].startswith("k8s-aws-v1.")
    other = kubeconfig.credential("another")["status"]["token"]
    said = subprocess.run(
        ["kubectl", "get", "nodes", f"--token={other}"], capture_output=True, text=True, timeout=60
    )
    assert said.returncode != 0 and "logged in" in said.stderr


def test_an_unknown_cluster_is_eks_own_error(lab):
    with pytest.raises(lab.client("eks").exceptions.ResourceNotFoundException):
        kubeconfig.update(lab, "no-such-cluster")


def test_without_a_cloud_one_line_says_what_to_type(tmp_path):
    said = subprocess.run(
        [sys.executable, "-m", "drydock.kubeconfig", "launch"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "DRYDOCK_HOME": str(tmp_path)},
    )
    assert said.returncode == 1 and said.stdout == ""
    assert said.stderr == "the local cloud does not run: type `drydock up`\n"
    assert cloud.status(tmp_path) is None
