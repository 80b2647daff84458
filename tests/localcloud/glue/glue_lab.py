"""Glue of the shared local cloud, as tests use it."""

import json
import time

import boto3

ACCOUNT, REGION = "123456789012", "us-east-1"
ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")
LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]


def aws(service: str):
    return boto3.client(service, region_name=REGION)


def allow(actions: str | list, resources: str | list) -> dict:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


class GlueLab:
    """A bucket for scripts and results, and a role that may read and write in it."""

    def __init__(self, bucket: str = "glue-lab", role: str = "glue-job"):
        self.bucket = bucket
        self.connect()
        self.s3.create_bucket(Bucket=bucket)
        lake = f"arn:aws:s3:::{bucket}"
        self.role = self.make_role(
            role,
            allow(["s3:GetObject", "s3:PutObject"], f"{lake}/*"),
            allow(LOGS, "arn:aws:logs:*:*:*:/aws-glue/*"),
        )

    def connect(self) -> None:
        """Where the cloud is now."""
        self.client, self.s3 = aws("glue"), aws("s3")

    def make_role(self, name: str, *statements: dict, service: str = "glue.amazonaws.com") -> str:
        iam = aws("iam")
        trust = allow("sts:AssumeRole", "*") | {"Principal": {"Service": service}}
        del trust["Resource"]
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]
        if statements:
            policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=policy)
        return role["Arn"]

    def put(self, name: str, code: str) -> str:
        self.s3.put_object(Bucket=self.bucket, Key=name, Body=code.encode())
        return f"s3://{self.bucket}/{name}"

    def job(self, name: str, code: str, kind: str = "pythonshell", **more) -> str:
        given = {
            "Name": name,
            "Role": self.role,
            "Command": {
                "Name": kind,
                "ScriptLocation": self.put(f"scripts/{name}.py", code),
                "PythonVersion": "3.9" if kind == "pythonshell" else "3",
            },
        }
        if kind == "glueetl":
            given |= {"GlueVersion": "5.0", "WorkerType": "G.1X", "NumberOfWorkers": 2}
        elif "MaxCapacity" not in more:
            given["MaxCapacity"] = 1.0
        return self.client.create_job(**{**given, **more})["Name"]

    def start(self, job: str, **more) -> str:
        return self.client.start_job_run(JobName=job, **more)["JobRunId"]

    def look(self, job: str, run: str) -> dict:
        return self.client.get_job_run(JobName=job, RunId=run)["JobRun"]

    def wait(self, job: str, run: str, *states: str, seconds: float = 120) -> dict:
        deadline = time.monotonic() + seconds
        while (found := self.look(job, run))["JobRunState"] not in (states or ENDED):
            assert found["JobRunState"] not in ENDED, (found, self.said(run))
            assert time.monotonic() < deadline, (found, self.said(run))
            time.sleep(0.1)
        return found

    def run(self, job: str, **more) -> dict:
        """Start it, and wait for its end."""
        return self.wait(job, self.start(job, **more))

    def said(self, run: str) -> dict[str, list[str]]:
        """Lines by log group."""
        logs, found = aws("logs"), {}
        for group in logs.describe_log_groups(logGroupNamePrefix="/aws-glue/")["logGroups"]:
            name = group["logGroupName"]
            streams = logs.describe_log_streams(logGroupName=name, logStreamNamePrefix=run)
            if any(one["logStreamName"] == run for one in streams["logStreams"]):
                page = logs.get_log_events(logGroupName=name, logStreamName=run, startFromHead=True)
                found[name] = [event["message"] for event in page["events"]]
        return found

    def get(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
