"""boto3's eks: clusters, node groups, Fargate profiles, who is let in, and roles of pods."""

import json
import os
import shutil
import subprocess

import pytest
from botocore.exceptions import ClientError
from eks_lab import ACCOUNT, allow, aws, make_role, token, until
from kubernetes.client import V1ObjectMeta, V1ServiceAccount


def refused(call, **given) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**given)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_cluster_needs_a_version_and_a_role_that_are_there(lab):
    vpc = {"subnetIds": lab.subnets}
    role = make_role("eks-cluster", "eks.amazonaws.com")
    code, message = refused(
        lab.eks.create_cluster, name="old", roleArn=role, resourcesVpcConfig=vpc, version="1.20"
    )
    assert code == "InvalidParameterException" and "unsupported Kubernetes version 1.20" in message
    nobody = make_role("trusts-lambda", "lambda.amazonaws.com")
    code, message = refused(
        lab.eks.create_cluster, name="bad", roleArn=nobody, resourcesVpcConfig=vpc
    )
    assert code == "InvalidParameterException" and "trust policy" in message
    assert "old" not in lab.eks.list_clusters()["clusters"]


@pytest.mark.parametrize("what", ["nodegroups", "fargate_profiles"])
def test_what_an_unknown_cluster_has_is_not_found(lab, what):
    code, message = refused(getattr(lab.eks, f"list_{what}"), clusterName="nowhere")
    assert code == "ResourceNotFoundException" and "nowhere" in message


def test_a_node_group_grows_shrinks_and_goes(lab):
    taint = {"key": "team", "value": "spark", "effect": "NO_SCHEDULE"}
    lab.add_nodes("more", 1, "t3.medium", labels={"disk": "fast"}, taints=[taint])
    chosen = {"label_selector": "eks.amazonaws.com/nodegroup=more"}
    (node,) = lab.core.list_node(**chosen).items
    assert node.metadata.labels["node.kubernetes.io/instance-type"] == "t3.medium"
    assert node.metadata.labels["disk"] == "fast"
    assert (node.spec.taints[0].key, node.spec.taints[0].effect) == ("team", "NoSchedule")
    # https://github.com/awslabs/amazon-eks-ami: 17 pods; 2000m less 60m and 10m for the kubelet
    assert (node.status.allocatable["cpu"], node.status.allocatable["pods"]) == ("1930m", "17")
    size = {"minSize": 0, "maxSize": 3, "desiredSize": 2}
    lab.eks.update_nodegroup_config(clusterName=lab.name, nodegroupName="more", scalingConfig=size)
    assert len(lab.core.list_node(**chosen).items) == 2
    toleration = {"key": "team", "operator": "Exists"}
    pod = lab.pod("tolerant", "print(1)", nodeSelector={"disk": "fast"}, tolerations=[toleration])
    assert lab.run(pod).status.phase == "Succeeded"
    lab.eks.delete_nodegroup(clusterName=lab.name, nodegroupName="more")
    assert lab.core.list_node(**chosen).items == []


def test_a_fargate_pod_has_a_node_of_the_next_size(lab):
    lab.kubectl("create", "namespace", "serverless")
    role = make_role("fargate-pods", "eks-fargate-pods.amazonaws.com")
    lab.eks.create_fargate_profile(
        fargateProfileName="all",
        clusterName=lab.name,
        podExecutionRoleArn=role,
        subnets=lab.subnets,
        selectors=[{"namespace": "serverless"}],
    )
    amounts = {"cpu": "1", "memory": "8Gi"}
    resources = {"resources": {"requests": amounts}}
    document = lab.pod("alone", "import time; time.sleep(60)", container=resources)
    lab.core.create_namespaced_pod("serverless", document)
    running = lambda: lab.core.read_namespaced_pod("alone", "serverless")  # noqa: E731
    until(lambda: running().status.phase == "Running", 60)
    pod = running()
    # 1 vCPU and 8 GiB, with 256 MiB for Kubernetes' own, is the user guide's example.
    assert pod.metadata.annotations["CapacityProvisioned"] == "2vCPU 9GB"
    assert pod.spec.node_name.startswith("fargate-")
    lab.core.delete_namespaced_pod("alone", "serverless", grace_period_seconds=0)
    nodes = lambda: [node.metadata.name for node in lab.core.list_node().items]  # noqa: E731
    until(lambda: pod.spec.node_name not in nodes())


def keys_of(role: str) -> dict[str, str]:
    found = aws("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return {
        "aws_access_key_id": found["AccessKeyId"],
        "aws_secret_access_key": found["SecretAccessKey"],
        "aws_session_token": found["SessionToken"],
    }


def test_a_role_needs_an_access_entry(lab, tmp_path):
    role = make_role("visitor", "ec2.amazonaws.com")
    bearer = token(lab.name, **keys_of(role))
    said = lab.kubectl("get", "nodes", f"--token={bearer}", fails=True)
    assert "You must be logged in to the server" in said
    lab.eks.create_access_entry(clusterName=lab.name, principalArn=role)
    # A refusal is not remembered.
    assert "ec2.internal" in lab.kubectl("get", "nodes", f"--token={bearer}")
    lab.eks.delete_access_entry(clusterName=lab.name, principalArn=role)


@pytest.mark.parametrize(
    "keys",
    [
        {"aws_access_key_id": "drydock", "aws_secret_access_key": "wrong"},
        {"aws_access_key_id": "AKIANOBODY", "aws_secret_access_key": "drydock"},
    ],
)
def test_a_token_with_a_wrong_key_is_refused(lab, keys):
    said = lab.kubectl("get", "nodes", f"--token={token(lab.name, **keys)}", fails=True)
    assert "You must be logged in to the server" in said


def test_a_token_for_another_cluster_is_refused(lab):
    said = lab.kubectl("get", "nodes", f"--token={token('another')}", fails=True)
    assert "You must be logged in to the server" in said


@pytest.mark.skipif(shutil.which("aws") is None, reason="the AWS CLI is not installed")
def test_the_aws_cli_sets_kubectl_up(lab, tmp_path):
    file = tmp_path / "config"
    command = ["aws", "eks", "update-kubeconfig", "--name", lab.name, "--kubeconfig", str(file)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    environment = {**os.environ, "KUBECONFIG": str(file), "HOME": str(tmp_path)}
    from eks_lab import KUBECTL

    said = subprocess.run(
        [str(KUBECTL), "auth", "whoami", "-o", "json"],
        check=True,
        capture_output=True,
        timeout=60,
        env=environment,
    )
    user = json.loads(said.stdout)["status"]["userInfo"]
    assert user["username"] == "kubernetes-admin"


WHO = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"


def test_a_role_for_a_service_account_is_checked_against_its_trust(lab):
    issuer = lab.about["identity"]["oidc"]["issuer"].removeprefix("https://")
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"
    trust = [
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {f"{issuer}:sub": "system:serviceaccount:default:reader"}
            },
        }
    ]
    role = make_role("irsa-reader", statements=[allow("s3:GetObject")], trust=trust)
    for name in ("reader", "stranger"):
        notes = {"eks.amazonaws.com/role-arn": role}
        account = V1ServiceAccount(metadata=V1ObjectMeta(name=name, annotations=notes))
        lab.core.create_namespaced_service_account("default", account)
        lab.run(lab.pod(f"irsa-{name}", WHO, serviceAccountName=name))
    assert f"arn:aws:sts::{ACCOUNT}:assumed-role/irsa-reader/" in lab.log("irsa-reader")
    assert "Not authorized to perform sts:AssumeRoleWithWebIdentity" in lab.log("irsa-stranger")


def test_an_association_wants_a_role_that_trusts_pods(lab):
    code, message = refused(
        lab.eks.create_pod_identity_association,
        clusterName=lab.name,
        namespace="default",
        serviceAccount="x",
        roleArn=make_role("trusts-lambda", "lambda.amazonaws.com"),
    )
    assert code == "InvalidParameterException" and "pods.eks.amazonaws.com" in message
