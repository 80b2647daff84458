"""The data API in an ECS service, and its rows in Aurora, as the tests of it being served need."""

import io
import json
import shutil
from pathlib import Path

import httpx
import polars as pl
from api_support import Bucket, flight, parquet
from balancers import forward, url
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from data_api import create_lake, parameter
from live import client, wait_for

from drydock.api_client import DataApi

ROOT = Path(__file__).parents[3]
FLIGHTS = [flight(number=n, carrier="UA" if n % 3 else "9E") for n in range(1, 121)]
FAST_DRAIN = [{"Key": "deregistration_delay.timeout_seconds", "Value": "2"}]


class Served:
    """lib/containers/api as an ECS service behind a load balancer and an HTTP API."""

    def __init__(self, apis, lab):
        self.apis, self.ecs = apis, lab.ecs
        self.signer = client(apis.cloud, "s3")
        self.bucket = Bucket(self.signer, f"lake-{apis.name()}")
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
        self.wanted = definition
        self.definition = self.register()
        self.link = apis.security_group()
        self.entrance = apis.security_group((80, self.link), (80, "0.0.0.0/0"))
        self.group = apis.group(HealthCheckPath="/healthz")
        apis.elbv2.modify_target_group_attributes(TargetGroupArn=self.group, Attributes=FAST_DRAIN)
        balancer = apis.balancer([self.entrance])
        self.listener = apis.listener(balancer, forward(self.group))
        self.url = url(balancer, self.listener)
        self.start(apis.security_group((8000, self.entrance)))

    def register(self):
        made = self.ecs.register_task_definition(**self.wanted)["taskDefinition"]
        return made["taskDefinitionArn"]

    def roll_out(self):
        """Begin to replace the tasks by those of a new revision."""
        self.wanted["cpu"] = "512"
        self.definition = self.register()
        self.ecs.update_service(cluster="test", service=self.family, taskDefinition=self.definition)

    def tasks(self):
        listed = self.ecs.list_tasks(cluster="test", serviceName=self.family)
        return set(listed["taskArns"])

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

    def task(self):
        """The address of one of the tasks."""
        found = self.apis.elbv2.describe_target_health(TargetGroupArn=self.group)
        target = found["TargetHealthDescriptions"][0]["Target"]
        return f"http://{target['Id']}:{target['Port']}"

    def whole_file(self):
        """The month by a pre-signed URL."""
        key = self.bucket.file_key("2013-01", parquet(FLIGHTS))
        link = self.signer.generate_presigned_url(
            "get_object", {"Bucket": self.bucket.name, "Key": key}, ExpiresIn=60
        )
        body = httpx.get(link, trust_env=False).raise_for_status().content
        return pl.read_parquet(io.BytesIO(body))

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

    def asked(self, how, carrier):
        """The rows of a carrier by the client, at one address."""
        address, options = how
        with DataApi(address, **options) as api:
            return api.flights(limit=50, fields=list(self.columns), carrier=carrier)
