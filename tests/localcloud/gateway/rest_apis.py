"""REST APIs in front of a program, as tests make them."""

import uuid

import httpx
from live import client

ENDPOINT_TAG = "localcloud:endpoint"


class RestApi:
    """A REST API; ``method`` before ``deploy``, then ``ask``."""

    def __init__(self, cloud, **options):
        self.gateway = client(cloud, "apigateway")
        made = self.gateway.create_rest_api(name=f"rest-{uuid.uuid4().hex[:8]}", **options)
        self.id, self.root = made["id"], made["rootResourceId"]
        self.address = made["tags"][ENDPOINT_TAG]
        self._plans, self._keys = [], []

    def resource(self, path):
        """The id of a resource, made if there is none."""
        have = self.gateway.get_resources(restApiId=self.id, limit=500)["items"]
        found = {one["path"]: one["id"] for one in have}
        so_far, parent = "", self.root
        for part in filter(None, path.split("/")):
            so_far += f"/{part}"
            if so_far not in found:
                made = self.gateway.create_resource(
                    restApiId=self.id, parentId=parent, pathPart=part
                )
                found[so_far] = made["id"]
            parent = found[so_far]
        return parent

    def method(self, verb, path, uri, *, kind="HTTP_PROXY", key=False, auth="NONE", **more):
        where = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": verb}
        given = {n: more.pop(n) for n in ("requestValidatorId",) if n in more}
        names = [part.strip("{+}") for part in path.split("/") if part.startswith("{")]
        wanted = {f"method.request.path.{name}": True for name in names}
        wanted |= more.pop("needs", {})
        self.gateway.put_method(
            **where,
            authorizationType=auth,
            apiKeyRequired=key,
            requestParameters=wanted,
            **given,
        )
        mapped = {
            f"integration.request.path.{name}": f"method.request.path.{name}" for name in names
        }
        mapped |= more.pop("requestParameters", {})
        verb = "POST" if kind == "AWS_PROXY" else verb
        more = {"integrationHttpMethod": verb, **more}
        if kind == "HTTP_PROXY":
            more["requestParameters"] = mapped
        self.gateway.put_integration(**where, type=kind, uri=uri, **more)

    def deploy(self, stage="v1"):
        return self.gateway.create_deployment(restApiId=self.id, stageName=stage)["id"]

    def key(self, **options):
        made = self.gateway.create_api_key(
            **{"name": f"key-{uuid.uuid4().hex[:8]}", "enabled": True, **options}
        )
        self._keys.append(made["id"])
        return made["id"], made["value"]

    def plan(self, *keys, stage="v1", **limits):
        stages = [{"apiId": self.id, "stage": stage}] if stage else []
        made = self.gateway.create_usage_plan(
            name=f"plan-{uuid.uuid4().hex[:8]}", apiStages=stages, **limits
        )["id"]
        for key in keys:
            self.gateway.create_usage_plan_key(usagePlanId=made, keyId=key, keyType="API_KEY")
        self._plans.append((made, stage))
        return made

    def ask(self, path="/flights", verb="GET", stage="v1", key=None, **more):
        headers = {**more.pop("headers", {}), **({"x-api-key": key} if key else {})}
        url = f"{self.address}/{stage}{path}"
        return httpx.request(verb, url, headers=headers, trust_env=False, timeout=60, **more)

    def remove(self):
        for plan, stage in self._plans:
            if stage:
                gone = {"op": "remove", "path": "/apiStages", "value": f"{self.id}:{stage}"}
                self.gateway.update_usage_plan(usagePlanId=plan, patchOperations=[gone])
            self.gateway.delete_usage_plan(usagePlanId=plan)
        for key in self._keys:
            self.gateway.delete_api_key(apiKey=key)
        self.gateway.delete_rest_api(restApiId=self.id)


def refusal(answer):
    """What a REST API said by itself: status, message and error type."""
    return answer.status_code, answer.json()["message"], answer.headers["x-amzn-errortype"]


FORBIDDEN = (403, "Forbidden", "ForbiddenException")
NO_METHOD = (403, "Missing Authentication Token", "MissingAuthenticationTokenException")
THROTTLED = (429, "Too Many Requests", "TooManyRequestsException")
QUOTA = (429, "Limit Exceeded", "LimitExceededException")
