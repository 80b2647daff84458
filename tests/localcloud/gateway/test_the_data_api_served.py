"""The data API as it is served: a task, a load balancer, API Gateway and a presigned object give
the same rows, and a rolling deployment under constant requests loses none."""

import io
import json
import shutil
import threading
from pathlib import Path

import httpx
import polars as pl
import pytest
from api_support import Bucket, flight, parquet
from balancers import forward, url
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from data_api import create_lake, parameter
from in_lambda import InLambda
from live import client, wait_for

from drydock.api_client import DataApi

ROOT = Path(__file__).parents[3]
FLIGHTS = [flight(number=n, carrier="UA" if n % 3 else "9E") for n in range(1, 121)]
FAST_DRAIN = [{"Key": "deregistration_delay.timeout_seconds", "Value": "2"}]


class Served:
    """lib/containers/api as an ECS service behind a load balancer and an HTTP API."""

    def __init__(self, apis, lab):
        self.apis, self.ecs = apis, lab.ecs
        self.bucket = Bucket(client(apis.cloud, "s3"), f"lake-{apis.name()}")
        self.bucket.publish("2013-01", FLIGHTS)
        self.family = apis.name()
        lab.make_role(self.family, ["s3:GetObject", "s3:ListBucket"])
        folder = lab.folder / "images" / self.family
        shutil.copytree(ROOT / "lib/containers/api", folder)
        image = lab.build(self.family, (folder / "Dockerfile").read_text())
        definition = lab.definition(family=self.family, taskRoleArn=lab.role(self.family))
        (container,) = definition["containerDefinitions"]
        del container["command"]
        container |= {
            "image": image,
            "portMappings": [{"containerPort": 8000}],
            "environment": [{"name": "LAKE_BUCKET", "value": self.bucket.name}],
        }
        definition["cpu"], definition["memory"] = "256", "1024"
        self.definition = self.ecs.register_task_definition(**definition)["taskDefinition"][
            "taskDefinitionArn"
        ]
        self.link = apis.security_group()
        self.entrance = apis.security_group((80, self.link), (80, "0.0.0.0/0"))
        self.group = apis.group(HealthCheckPath="/healthz")
        apis.elbv2.modify_target_group_attributes(TargetGroupArn=self.group, Attributes=FAST_DRAIN)
        balancer = apis.balancer([self.entrance])
        self.listener = apis.listener(balancer, forward(self.group))
        self.url = url(balancer, self.listener)
        self.start(apis.security_group((8000, self.entrance)))

    def start(self, own):
        self.ecs.create_service(
            cluster="test",
            serviceName=self.family,
            taskDefinition=self.definition,
            desiredCount=2,
            launchType="FARGATE",
            healthCheckGracePeriodSeconds=60,
            networkConfiguration={
                "awsvpcConfiguration": {
                    "subnets": self.apis.subnets[:1],
                    "securityGroups": [own],
                    "assignPublicIp": "ENABLED",
                }
            },
            loadBalancers=[
                {"targetGroupArn": self.group, "containerName": "main", "containerPort": 8000}
            ],
        )
        self.apis.made.callback(self.stop)
        self.stable()

    def deployment(self):
        found = self.ecs.describe_services(cluster="test", services=[self.family])["services"][0]
        return found["deployments"]

    def stable(self):
        def done():
            found = self.deployment()
            return len(found) == 1 and found[0]["rolloutState"] == "COMPLETED"

        wait_for(done, "a completed deployment", 120)

    def stop(self):
        self.ecs.delete_service(cluster="test", service=self.family, force=True)
        wait_for(lambda: self.deployment() == [], "its end", 60)

    def gateway(self):
        """The invoke URL of an HTTP API that wants signed requests."""
        api, address = self.apis.api("v1")
        link = self.apis.gateway.create_vpc_link(
            Name=self.apis.name(), SubnetIds=self.apis.subnets, SecurityGroupIds=[self.link]
        )["VpcLinkId"]
        target = self.apis.integration(
            api,
            self.listener["ListenerArn"],
            ConnectionType="VPC_LINK",
            ConnectionId=link,
            RequestParameters={"overwrite:path": "$request.path"},
        )
        self.apis.route(api, "ANY /{proxy+}", target, AuthorizationType="AWS_IAM")
        return address


class Signed(httpx.Auth):
    """SigV4 by botocore's own signer."""

    def auth_flow(self, request):
        asked = AWSRequest(
            request.method, str(request.url), headers={"Host": request.headers["host"]}
        )
        SigV4Auth(Credentials("drydock", "drydock"), "execute-api", "us-east-1").add_auth(asked)
        request.headers.update(dict(asked.headers.items()))
        yield request


@pytest.fixture(scope="module")
def served(cloud, lab):
    from http_apis import Apis

    apis = Apis(cloud)
    try:
        yield Served(apis, lab)
    finally:
        apis.remove()


class InAurora:
    """The same flights in an Aurora cluster, asked through the RDS Data API."""

    columns = ("flight_key", "flight", "carrier", "dep_delay")

    def __init__(self, cloud, name):
        self.lake = create_lake(cloud, name)
        self.lake.run(
            "CREATE TABLE flights (flight_key bigint, flight int, carrier text, dep_delay int)"
        )
        self.lake.data.batch_execute_statement(
            **self.lake.at,
            sql="INSERT INTO flights VALUES (:flight_key, :flight, :carrier, :dep_delay)",
            parameterSets=[
                [
                    parameter(name, **{kind: row[name]})
                    for name in self.columns
                    for kind in ["stringValue" if name == "carrier" else "longValue"]
                ]
                for row in FLIGHTS
            ],
        )

    def flights(self, carrier):
        sql = "SELECT * FROM flights WHERE carrier = :carrier ORDER BY flight_key"
        given = [parameter("carrier", stringValue=carrier)]
        return json.loads(
            self.lake.run(sql, parameters=given, formatRecordsAs="JSON")["formattedRecords"]
        )

    def remove(self):
        name = self.lake.arn.rpartition(":")[2]
        self.lake.rds.delete_db_instance(DBInstanceIdentifier=f"{name}-1")
        self.lake.rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)


@pytest.mark.slow
def test_the_rds_data_api_answers_the_same_question_with_the_same_rows(served):
    aurora = InAurora(served.apis.cloud, served.apis.name())
    try:
        for carrier, many in (("UA", 80), ("9E", 40), ("ZZ", 0)):
            with DataApi(served.gateway(), auth=Signed()) as api:
                found = api.flights(limit=50, fields=list(aurora.columns), carrier=carrier)
            assert aurora.flights(carrier) == found.to_dict("records")
            assert len(found) == many
    finally:
        aurora.remove()


@pytest.mark.slow
def test_every_way_gives_the_same_rows(served):
    wanted = [row["flight"] for row in sorted(FLIGHTS, key=lambda row: row["flight_key"])]
    (task, _) = served.apis.elbv2.describe_target_health(TargetGroupArn=served.group)[
        "TargetHealthDescriptions"
    ]
    direct = f"http://{task['Target']['Id']}:{task['Target']['Port']}"
    for address, auth in [(direct, None), (served.url, None), (served.gateway(), Signed())]:
        with DataApi(address, auth=auth) as api:
            assert api.flights(limit=50)["flight"].tolist() == wanted
            found = api.flights(limit=7, fields=["flight", "carrier"], carrier="9E")
            assert found["flight"].tolist() == [n for n in wanted if n % 3 == 0]
    s3 = client(served.apis.cloud, "s3")
    key = served.bucket.file_key("2013-01", parquet(FLIGHTS))
    where = {"Bucket": served.bucket.name, "Key": key}
    link = s3.generate_presigned_url("get_object", Params=where, ExpiresIn=60)
    body = httpx.get(link, trust_env=False).raise_for_status().content
    assert pl.read_parquet(io.BytesIO(body)).sort("flight_key")["flight"].to_list() == wanted


READ = {
    "application/json": lambda body: pl.DataFrame(json.loads(body)["items"]),
    "text/csv": lambda body: pl.read_csv(io.BytesIO(body)),
    "application/vnd.apache.arrow.stream": lambda body: pl.read_ipc_stream(io.BytesIO(body)),
    "application/vnd.apache.parquet": lambda body: pl.read_parquet(io.BytesIO(body)),
}
QUESTIONS = {
    "/flights?limit=50": 50,
    "/flights?carrier=9E&limit=100": 40,
    "/flights?carrier=UA&fields=flight,carrier,dep_delay&limit=7": 7,
    "/flights?carrier=ZZ": 0,
}


@pytest.mark.slow
def test_tasks_and_functions_give_the_same_rows_in_every_format(served):
    functions = InLambda(served.apis, served.bucket.name, list(READ)[2:])
    ways = [
        (served.url, {}),
        (functions.url, {}),
        (f"{functions.rest.address}/v1", {"x-api-key": functions.key}),
    ]
    try:
        with httpx.Client(trust_env=False, timeout=60) as http:
            for question, many in QUESTIONS.items():
                for kind, read in READ.items():
                    answers = [
                        http.get(address + question, headers={"Accept": kind, **headers})
                        for address, headers in ways
                    ]
                    assert [one.status_code for one in answers] == [200] * 3
                    assert {one.headers["content-type"].split(";")[0] for one in answers} == {kind}
                    tasks, function, rest = [read(one.content) for one in answers]
                    assert tasks.equals(function) and tasks.equals(rest)
                    assert len(tasks) == many
            wrong = [http.get(f"{a}/flights?limit=0", headers=h) for a, h in ways]
            assert [one.status_code for one in wrong] == [422] * 3
    finally:
        functions.remove()


@pytest.mark.slow
def test_no_request_fails_while_the_api_is_deployed_again(served):
    answers, trouble, stop = [], [], threading.Event()

    def ask():
        with httpx.Client(trust_env=False, timeout=20) as http:
            while not stop.is_set():
                try:
                    answer = http.get(f"{served.url}/flights?limit=20")
                    answers.append((answer.status_code, len(answer.json()["items"])))
                except (httpx.HTTPError, ValueError, KeyError) as error:
                    trouble.append(repr(error))
                stop.wait(0.05)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(answers) > 10, "answers")
    before = served.deployment()[0]["id"]
    served.ecs.update_service(cluster="test", service=served.family, forceNewDeployment=True)
    served.stable()
    assert served.deployment()[0]["id"] != before
    seen = len(answers)
    wait_for(lambda: len(answers) > seen + 20, "answers of the new tasks")
    stop.set()
    for thread in threads:
        thread.join()
    assert trouble == []
    assert set(answers) == {(200, 20)}
