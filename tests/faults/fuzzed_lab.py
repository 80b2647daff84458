"""A lab with one of everything that has a door, whose names are known to generated requests."""

import io
import json
import zipfile
from collections import Counter
from typing import Any

from fuzz_checks import Checks
from generated_requests import Known, Request, Signed
from live import client

from drydock import cloud

SERVICES = (
    "ecs",
    "eks",
    "rds-data",
    "apigateway",
    "apigatewayv2",
    "elbv2",
    "cloudformation",
    "lambda",
)
CODE = "def handler(event, context):\n    return {'statusCode': 200, 'body': 'well'}\n"
NOT_DONE = 501  # an operation that the local cloud does not have, said in so many words


class Lab(Checks):
    def __init__(self, info: cloud.CloudInfo, services: tuple[str, ...] = SERVICES):
        self.services = services
        self.known: Known = {}
        self.answers: Counter[tuple[str, str, int]] = Counter()
        self._sent = 0
        self.moved(info)
        self._role = self._make_role()
        for name in services:
            getattr(self, "_make_" + name.replace("-", "_"))()

    def moved(self, info: cloud.CloudInfo) -> None:
        """The lab's server has been started, perhaps on another port than before."""
        self.info = info
        self._senders = {
            name: Signed(name, info.endpoint, cloud.environment(info)) for name in self.services
        }

    def client(self, service: str) -> Any:
        return client(self.info, service)

    def know(self, **values: str) -> None:
        for name, value in values.items():
            self.known.setdefault(name.lower(), []).append(value)

    # ------------------------------------------------------------------------- one of each
    def _make_role(self) -> str:
        services = ["ecs-tasks", "eks", "ec2", "lambda", "cloudformation", "apigateway"]
        trusted = {"Service": [f"{one}.amazonaws.com" for one in services]}
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": trusted}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam = self.client("iam")
        role = iam.create_role(RoleName="fuzz", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        for name in ("rolearn", "role", "executionrolearn", "taskrolearn", "noderole"):
            self.know(**{name: role})
        subnets = self.client("ec2").describe_subnets()["Subnets"]
        for one in subnets[:2]:
            self.know(subnets=one["SubnetId"], subnetids=one["SubnetId"], vpcid=one["VpcId"])
        self.subnets = [one["SubnetId"] for one in subnets[:2]]
        return role

    def _make_ecs(self) -> None:
        ecs = self.client("ecs")
        ecs.create_cluster(clusterName="kept")
        self.know(cluster="kept", clustername="kept", clusters="kept", family="kept")
        arn = self._definition("kept")
        net = {"awsvpcConfiguration": {"subnets": self.subnets, "assignPublicIp": "ENABLED"}}
        ecs.create_service(
            cluster="kept",
            serviceName="kept",
            taskDefinition="kept",
            desiredCount=0,
            launchType="FARGATE",
            networkConfiguration=net,
        )
        for name in ("taskdefinition", "taskdefinitions"):
            self.know(**{name: "kept"})
            self.know(**{name: arn})
        self.know(service="kept", services="kept", servicename="kept", resourcearn=arn)
        for name in ("requirescompatibilities", "launchtype"):
            self.know(**{name: "FARGATE"})
        self.know(networkmode="awsvpc")
        self.know(cpu="256", memory="512", image="nothing:1", key="k", value="v")

    def _definition(self, family: str) -> str:
        container = {"name": "main", "image": "nothing-there:1", "essential": True}
        made = self.client("ecs").register_task_definition(
            family=family,
            containerDefinitions=[container],
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            executionRoleArn=self._role,
        )
        return made["taskDefinition"]["taskDefinitionArn"]

    def _make_eks(self) -> None:
        eks = self.client("eks")
        eks.create_cluster(
            name="kept", roleArn=self._role, resourcesVpcConfig={"subnetIds": self.subnets}
        )
        eks.create_nodegroup(
            clusterName="kept",
            nodegroupName="kept",
            subnets=self.subnets,
            nodeRole=self._role,
            scalingConfig={"minSize": 0, "maxSize": 2, "desiredSize": 1},
        )
        self.know(name="kept", clustername="kept", nodegroupname="kept", principalarn=self._role)

    def _make_rds_data(self) -> None:
        rds = self.client("rds")
        rds.create_db_cluster(
            DBClusterIdentifier="kept",
            Engine="aurora-postgresql",
            MasterUsername="owner",
            ManageMasterUserPassword=True,
            DatabaseName="kept",
            EnableHttpEndpoint=True,
            ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 2},
        )
        rds.create_db_instance(
            DBInstanceIdentifier="kept-1",
            DBClusterIdentifier="kept",
            Engine="aurora-postgresql",
            DBInstanceClass="db.serverless",
        )
        waiter = rds.get_waiter("db_instance_available")
        waiter.wait(DBInstanceIdentifier="kept-1", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        [cluster] = rds.describe_db_clusters(DBClusterIdentifier="kept")["DBClusters"]
        self.at = {
            "resourceArn": cluster["DBClusterArn"],
            "secretArn": cluster["MasterUserSecret"]["SecretArn"],
            "database": "kept",
        }
        self.know(**self.at)
        statements = ("SELECT 1", "SELECT :x", "SELECT :x::int", "SELECT :x, :y", "SELEC", ";", "%")
        for statement in (*statements, "SELECT '{1,2}'::int[], NULL, 'NaN'::float8, now()"):
            self.know(sql=statement)
        transaction = self.client("rds-data").begin_transaction(**self.at)["transactionId"]
        self.know(name="x", transactionid=transaction, stringvalue="2020-01-01", decimalvalue="1")

    def _make_apigateway(self) -> None:
        api = self.client("apigateway").create_rest_api(name="kept")
        where = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
        gateway = self.client("apigateway")
        gateway.put_method(**where, authorizationType="NONE")
        gateway.put_integration(
            **where, type="HTTP_PROXY", integrationHttpMethod="GET", uri="http://127.0.0.1:9"
        )
        deployment = gateway.create_deployment(restApiId=api["id"], stageName="kept")["id"]
        key, plan = gateway.create_api_key(name="kept"), gateway.create_usage_plan(name="kept")
        self.rest = api["id"]
        self.know(
            restapiid=api["id"], resourceid=api["rootResourceId"], parentid=where["resourceId"]
        )
        self.know(httpmethod="GET", stagename="kept", deploymentid=deployment, apikey=key["id"])
        self.know(
            usageplanid=plan["id"], keyid=key["id"], path="/name", statuscode="200", op="replace"
        )

    def _make_apigatewayv2(self) -> None:
        gateway = self.client("apigatewayv2")
        api = gateway.create_api(Name="kept", ProtocolType="HTTP")
        made = gateway.create_integration(
            ApiId=api["ApiId"],
            IntegrationType="HTTP_PROXY",
            IntegrationMethod="ANY",
            PayloadFormatVersion="1.0",
            IntegrationUri=f"{self.info.endpoint}/_localcloud/health",
        )
        target = f"integrations/{made['IntegrationId']}"
        route = gateway.create_route(ApiId=api["ApiId"], RouteKey="GET /kept", Target=target)
        gateway.create_stage(ApiId=api["ApiId"], StageName="$default", AutoDeploy=True)
        self.http = api["ApiEndpoint"]
        self.know(apiid=api["ApiId"], integrationid=made["IntegrationId"], routeid=route["RouteId"])
        self.know(stagename="$default", routekey="GET /fuzz", target=target)

    def _make_elbv2(self) -> None:
        elb = self.client("elbv2")
        made = elb.create_load_balancer(Name="kept", Subnets=self.subnets)["LoadBalancers"][0]
        group = elb.create_target_group(
            Name="kept", Protocol="HTTP", Port=80, VpcId=self.known["vpcid"][0], TargetType="ip"
        )["TargetGroups"][0]["TargetGroupArn"]
        listener = elb.create_listener(
            LoadBalancerArn=made["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )["Listeners"][0]["ListenerArn"]
        self.know(loadbalancerarn=made["LoadBalancerArn"], loadbalancerarns=made["LoadBalancerArn"])
        self.know(targetgrouparn=group, targetgrouparns=group, listenerarn=listener)
        self.know(resourcearns=group, listenerarns=listener, field="path-pattern", id="127.0.0.1")

    def _make_cloudformation(self) -> None:
        topic = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "kept"}}
        kept = json.dumps({"Resources": {"Kept": topic}})
        formation = self.client("cloudformation")
        made = formation.create_stack(StackName="kept", TemplateBody=kept)["StackId"]
        self.know(stackname="kept", stackid=made, templatebody=kept)
        odd = {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": {"Ref": "Nothing"}}}
        for resources in ({"A": odd}, {"A": {"Type": "AWS::No::Such"}}, {}, [], {"A": None}):
            self.know(templatebody=json.dumps({"Resources": resources}))
        for text in ("Resources: {A: {Type: !Ref x}}", "{", "- 1", "Resources: 1", "a: &a [*a]"):
            self.know(templatebody=text)
        self.know(changesetname="fuzz", logicalresourceid="Kept")

    def _make_lambda(self) -> None:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("app.py", CODE)
        made = self.client("lambda").create_function(
            FunctionName="kept",
            Runtime="python3.13",
            Handler="app.handler",
            Role=self._role,
            Code={"ZipFile": content.getvalue()},
        )["FunctionArn"]
        self.know(functionname="kept", resource=made, functionarn=made, runtime="python3.13")
        self.know(qualifier="$LATEST", functionversion="$LATEST", handler="app.handler")

    # ------------------------------------------------------------------------- asking
    def send(self, service: str, request: Request) -> int | None:
        """The answer's status. AssertionError where it is a failure of the server's."""
        answer = self._senders[service].send(request)
        if answer is None:
            return None
        self.answers[service, request.operation, answer.status] += 1
        assert answer.status < 500 or answer.status == NOT_DONE, (
            f"{service}: {answer.status} to {request!r}: {answer.text}"
        )
        self._sent += 1
        return answer.status

    def sweep(self) -> None:
        """Delete what requests have made and what would fill the machine in ten thousand."""
        if "eks" in self.services:
            eks = self.client("eks")
            for name in eks.list_clusters()["clusters"]:
                for group in eks.list_nodegroups(clusterName=name)["nodegroups"]:
                    eks.delete_nodegroup(clusterName=name, nodegroupName=group)
                for profile in eks.list_fargate_profiles(clusterName=name)["fargateProfileNames"]:
                    eks.delete_fargate_profile(clusterName=name, fargateProfileName=profile)
                eks.delete_cluster(name=name)
        if "ecs" in self.services:
            ecs = self.client("ecs")
            for cluster in ecs.list_clusters()["clusterArns"]:
                for name in ecs.list_services(cluster=cluster)["serviceArns"]:
                    ecs.delete_service(cluster=cluster, service=name, force=True)
                for task in ecs.list_tasks(cluster=cluster)["taskArns"]:
                    ecs.stop_task(cluster=cluster, task=task)
