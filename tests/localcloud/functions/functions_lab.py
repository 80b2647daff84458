"""Functions of the shared local cloud, as tests use them."""

import base64
import io
import json
import uuid
import zipfile

from live import client


def zipped(code: str, **files: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("app.py", code)
        for name, text in files.items():
            archive.writestr(f"{name}.py", text)
    return content.getvalue()


class FunctionsLab:
    """A role that Lambda may assume, and functions that are deleted at the end."""

    def __init__(self, cloud):
        self.client, self.iam = client(cloud, "lambda"), client(cloud, "iam")
        self.logs = client(cloud, "logs")
        self.role = self.make_role("lambda.amazonaws.com")
        self._names = []

    def make_role(self, service: str) -> str:
        principal = {"Service": service}
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        name = f"function-{uuid.uuid4().hex[:8]}"
        role = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]
        self.iam.attach_role_policy(
            RoleName=name,
            PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        )
        return role["Arn"]

    def make(self, code: str, **more) -> str:
        name = f"f-{uuid.uuid4().hex[:8]}"
        given = {
            "Runtime": "python3.13",
            "Handler": "app.handler",
            "Role": self.role,
            "Timeout": 30,
        }
        given |= {"Code": {"ZipFile": zipped(code)}, "MemorySize": 256}
        self.client.create_function(FunctionName=name, **(given | more))
        self._names.append(name)
        self.client.get_waiter("function_active_v2").wait(FunctionName=name)
        return name

    def call(self, name: str, event=None, **more) -> tuple[dict, str]:
        """What it answers, and the lines of its log."""
        payload = json.dumps(event)
        given = {"FunctionName": name, "Payload": payload, "LogType": "Tail", **more}
        answer = self.client.invoke(**given)
        answer["Said"] = json.loads(answer["Payload"].read() or b"null")
        return answer, base64.b64decode(answer.get("LogResult", "")).decode()

    def remove(self) -> None:
        for name in self._names:
            self.client.delete_function(FunctionName=name)
