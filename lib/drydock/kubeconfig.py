"""kubectl and the Kubernetes clients at a cluster of the lab, as `aws eks` sets them up.

    python -m drydock.kubeconfig CLUSTER      a token, as `aws eks get-token` prints it

On an account type the two commands of the AWS CLI instead; the clients see no difference.
"""

import argparse
import base64
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from drydock.lab import Lab

API = "client.authentication.k8s.io/v1beta1"
# The URL's own limit; EKS takes a token for 15 minutes after it was signed.
URL_SECONDS, TOKEN_MINUTES = 60, 14
CLUSTER_HEADER = "x-k8s-aws-id"


def update(lab: "Lab", cluster: str) -> str:
    """Write the kubeconfig of an EKS cluster and let this process use it; its context's name.

    Sets KUBECONFIG, and puts the kubectl of this Python in front of PATH. Every call of a client
    asks for a fresh token. Raises EKS's ResourceNotFoundException for an unknown cluster.
    """
    found = lab.client("eks").describe_cluster(name=cluster)["cluster"]
    file = path(lab.home, cluster)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump(_document(found, lab.home)))
    os.environ["KUBECONFIG"] = str(file)
    folder = str(Path(sys.executable).parent)
    if folder not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([folder, os.environ.get("PATH", "")])
    return cluster


def path(home: Path, cluster: str) -> Path:
    """Where a cluster's kubeconfig is kept."""
    return home / "state" / "kubeconfig" / f"{cluster}.yaml"


def token(cluster: str, endpoint: str, region: str, keys: tuple[str, str]) -> str:
    """Return a bearer token: a presigned sts:GetCallerIdentity that names the cluster.

    `keys` are the access key's id and secret. How: https://github.com/kubernetes-sigs/aws-iam-authenticator
    """
    # Only this part of botocore: kubectl waits for it at each call.
    from botocore.auth import SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    url = f"{endpoint}/?Action=GetCallerIdentity&Version=2011-06-15"
    request = AWSRequest("GET", url, headers={CLUSTER_HEADER: cluster})
    SigV4QueryAuth(Credentials(*keys), "sts", region, expires=URL_SECONDS).add_auth(request)
    signed = request.prepare().url.encode()
    return "k8s-aws-v1." + base64.urlsafe_b64encode(signed).decode().rstrip("=")


def credential(cluster: str) -> dict:
    """Return an ExecCredential for the running lab, as clients read it from a plugin.

    Raises CloudError when the local cloud does not run.
    """
    from drydock import cloud

    info = cloud.status()
    if info is None:
        raise cloud.CloudError("the local cloud does not run: type `drydock up`")
    known = cloud.environment(info)
    keys = known["AWS_ACCESS_KEY_ID"], known["AWS_SECRET_ACCESS_KEY"]
    ends = datetime.now(UTC) + timedelta(minutes=TOKEN_MINUTES)
    status = {
        "expirationTimestamp": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "token": token(cluster, info.endpoint, known["AWS_REGION"], keys),
    }
    return {"kind": "ExecCredential", "apiVersion": API, "spec": {}, "status": status}


def _document(cluster: dict, home: Path) -> dict:
    name = cluster["name"]
    plugin = {
        "apiVersion": API,
        "command": sys.executable,
        "args": ["-m", "drydock.kubeconfig", name],
        "env": [{"name": "DRYDOCK_HOME", "value": str(home)}],
        "interactiveMode": "Never",
    }
    place = {
        "server": cluster["endpoint"],
        "certificate-authority-data": cluster["certificateAuthority"]["data"],
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": place}],
        "users": [{"name": name, "user": {"exec": plugin}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }


def main(words: list[str] | None = None) -> int:
    """Print the credential; 1 and one line on stderr when there is none to be had."""
    from drydock.errors import DrydockError

    parser = argparse.ArgumentParser(prog="python -m drydock.kubeconfig", description=__doc__)
    parser.add_argument("cluster", help="name of an EKS cluster of the lab")
    try:
        print(json.dumps(credential(parser.parse_args(words).cluster)))
    except DrydockError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
