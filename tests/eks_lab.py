"""An EKS cluster of the shared local cloud, as tests use it: boto3, kubectl, Python."""

import base64
import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import boto3
import yaml
from botocore.signers import RequestSigner
from kubernetes import client, config

ACCOUNT, REGION = "123456789012", "us-east-1"
KUBECTL = Path(sys.executable).with_name("kubectl")
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


def aws(service: str, **keys):
    return boto3.client(service, region_name=REGION, **keys)


def make_role(name: str, *services: str, statements: list | None = None, trust=None) -> str:
    iam = aws("iam")
    actions = ["sts:AssumeRole", "sts:TagSession"]
    principal = {"Service": list(services)}
    document = trust or [{"Effect": "Allow", "Principal": principal, "Action": actions}]
    policy = json.dumps({"Version": "2012-10-17", "Statement": document})
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy)
    if statements:
        iam.put_role_policy(
            RoleName=name,
            PolicyName="may",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
        )
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def allow(actions: str | list, resources: str | list = "*") -> dict:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def token(cluster: str, **keys) -> str:
    """As `aws eks get-token` makes it."""
    session = boto3.session.Session(region_name=REGION, **keys)
    sts = session.client("sts")
    signer = RequestSigner(
        sts.meta.service_model.service_id,
        REGION,
        "sts",
        "v4",
        session.get_credentials(),
        session.events,
    )
    url = signer.generate_presigned_url(
        {
            "method": "GET",
            "url": f"{sts.meta.endpoint_url}/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": cluster},
            "context": {},
        },
        region_name=REGION,
        expires_in=60,
        operation_name="",
    )
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


class Lab:
    """A cluster with its own kubeconfig, and an image that runs Python code."""

    def __init__(self, name: str, folder: Path, nodes: int = 2, kind: str = "m5.large"):
        self.name, self.folder = name, folder
        self.eks = aws("eks")
        subnets = aws("ec2").describe_subnets()["Subnets"]
        self.subnets = [subnet["SubnetId"] for subnet in subnets][:2]
        self.eks.create_cluster(
            name=name,
            roleArn=make_role("eks-cluster", "eks.amazonaws.com"),
            resourcesVpcConfig={"subnetIds": self.subnets},
        )
        self.eks.get_waiter("cluster_active").wait(name=name)
        if nodes:
            self.add_nodes("main", nodes, kind)
        self.connect()
        self.image = self.build("python", 'FROM x\nENTRYPOINT ["python", "-c"]\nCMD ["print(1)"]\n')

    def connect(self) -> None:
        """Where the cluster is now."""
        self.eks = aws("eks")
        self.about = self.eks.describe_cluster(name=self.name)["cluster"]
        self.config = self.folder / f"{self.name}.yaml"
        self.config.write_text(yaml.safe_dump(self.kubeconfig(token(self.name))))
        self.client = config.new_client_from_config(str(self.config))
        self.core, self.batch = client.CoreV1Api(self.client), client.BatchV1Api(self.client)
        self.apps = client.AppsV1Api(self.client)
        self.scaling = client.AutoscalingV2Api(self.client)

    def add_nodes(self, group: str, count: int, kind: str, **more) -> None:
        self.eks.create_nodegroup(
            clusterName=self.name,
            nodegroupName=group,
            subnets=self.subnets,
            instanceTypes=[kind],
            nodeRole=make_role("eks-node", "ec2.amazonaws.com"),
            scalingConfig={"minSize": 0, "maxSize": max(10, count), "desiredSize": count},
            **more,
        )

    def kubeconfig(self, bearer: str) -> dict:
        authority = self.about["certificateAuthority"]["data"]
        cluster = {"server": self.about["endpoint"], "certificate-authority-data": authority}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": {"token": bearer}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "c",
        }

    def build(self, name: str, dockerfile: str) -> str:
        """Put an image of a folder with this Dockerfile into ECR; its URI."""
        context = self.folder / "images" / name
        context.mkdir(parents=True, exist_ok=True)
        (context / "Dockerfile").write_text(dockerfile)
        ecr = aws("ecr")
        with contextlib.suppress(ecr.exceptions.RepositoryAlreadyExistsException):
            ecr.create_repository(repositoryName=f"pods/{name}")
        empty = {"mediaType": "application/vnd.oci.empty.v1+json", "size": 2}
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {**empty, "digest": "sha256:" + "0" * 64},
            "layers": [],
            "annotations": {"dev.drydock.context": str(context)},
        }
        with contextlib.suppress(ecr.exceptions.ImageAlreadyExistsException):
            ecr.put_image(
                repositoryName=f"pods/{name}",
                imageTag="1",
                imageManifest=json.dumps(manifest),
                imageManifestMediaType=MANIFEST_TYPE,
            )
        return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/pods/{name}:1"

    def kubectl(self, *words: str, given: str | None = None, fails: bool = False) -> str:
        """What it prints; with ``fails`` what it complains about."""
        done = subprocess.run(
            [str(KUBECTL), *words],
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "KUBECONFIG": str(self.config), "HOME": str(self.folder)},
        )
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done.stderr if fails else done.stdout

    def pod(self, name: str, code: str, restart: str = "Never", **changes) -> dict:
        container = {"name": "main", "image": self.image, "args": [code]}
        container |= changes.pop("container", None) or {}
        meta = {"name": name, **changes.pop("metadata", {})}
        spec = {"restartPolicy": restart, "containers": [container], **changes}
        spec.setdefault("terminationGracePeriodSeconds", 2)
        return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}

    def job(self, name: str, code: str, restart: str = "Never", container=None, **spec) -> dict:
        template = self.pod(name, code, restart, container=container or {})
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name},
            "spec": {"template": {"spec": template["spec"]}, **spec},
        }

    def run(self, pod: dict, phases: tuple = ("Succeeded", "Failed"), seconds: float = 30):
        """Create the pod and wait for one of the phases."""
        self.core.create_namespaced_pod("default", pod)
        return self.wait_for_pod(pod["metadata"]["name"], phases, seconds)

    def wait_for_pod(self, name: str, phases: tuple, seconds: float = 30):
        def reached():
            pod = self.core.read_namespaced_pod(name, "default")
            return pod if pod.status.phase in phases else None

        return until(reached, seconds)

    def wait_for_job(self, name: str, seconds: float = 60):
        """The Job when it has completed or failed, and which of the two."""

        def ended():
            job = self.batch.read_namespaced_job(name, "default")
            for one in job.status.conditions or []:
                if one.type in ("Complete", "Failed") and one.status == "True":
                    return job, one
            return None

        return until(ended, seconds)

    def log(self, name: str, **more) -> str:
        """What a pod's container has printed."""
        # Preloaded, this version of the client gives the text of a bytes object.
        answer = self.core.read_namespaced_pod_log(name, "default", _preload_content=False, **more)
        return answer.read().decode()

    def events(self, name: str) -> list[tuple[str, str]]:
        """Reason and message of every event of an object, in the order of their making."""
        found = self.core.list_namespaced_event(
            "default", field_selector=f"involvedObject.name={name}"
        )
        ordered = sorted(found.items, key=lambda e: int(e.metadata.resource_version))
        return [(event.reason, event.message) for event in ordered]


def until(condition, seconds: float = 30):
    """Poll until the condition is true; its value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")
