"""Signed calls of the learner's HTTP API, as a role that has one policy for a moment."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from drydock.errors import WrongInput
from drydock.lab import Lab

API, STAGE = "flights", "v1"


def let_in(policy: dict, lab: Lab, path: str) -> bool:
    """Return whether the gateway lets a role with just this policy ask for the path."""
    with _session(lab, policy) as session:
        url = f"{api(lab)['ApiEndpoint']}/{STAGE}{path}"
        asked = AWSRequest("GET", url)
        SigV4Auth(session.get_credentials(), "execute-api", lab.region).add_auth(asked)
        answer = httpx.get(url, headers=dict(asked.headers), timeout=35, trust_env=False)
    return answer.status_code != httpx.codes.FORBIDDEN


def api(lab: Lab) -> dict:
    """Return the HTTP API of lesson 6. WrongInput if it is not there yet."""
    found = [one for one in lab.client("apigatewayv2").get_apis()["Items"] if one["Name"] == API]
    if not found:
        raise WrongInput(f"there is no HTTP API {API}: run the cells of 6.8 and 6.10 first")
    return found[0]


@contextmanager
def _session(lab: Lab, policy: dict) -> Iterator[boto3.Session]:
    iam, name = lab.client("iam"), f"exercise-{uuid.uuid4().hex[:8]}"
    principal = {"AWS": f"arn:aws:iam::{lab.account_id}:root"}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]
    try:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
        keys = lab.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName=name)
        own = keys["Credentials"]
        yield boto3.Session(own["AccessKeyId"], own["SecretAccessKey"], own["SessionToken"])
    finally:
        if "own" in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName="own")
        iam.delete_role(RoleName=name)
