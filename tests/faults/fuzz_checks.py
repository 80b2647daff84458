"""What still has to work in a lab after generated requests."""

import contextlib
import json
import time
import urllib.request
from typing import Any

from live import wait_for

SECONDS = 60


class Checks:
    """For a Lab of fuzzed_lab, which makes one of everything."""

    info: Any
    subnets: list[str]
    _role: str
    _sent: int

    def check(self, service: str) -> None:
        """All that a service has can be listed, and what a learner does still works."""
        getattr(self, "_check_" + service.replace("-", "_"))()

    def check_log(self) -> None:
        """The server was never surprised, also not beside a request."""
        log = (self.info.home / "server.log").read_text()
        assert "Traceback" not in log, log[log.index("Traceback") :][:6000]

    def _check_ecs(self) -> None:
        ecs = self.client("ecs")
        clusters = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"][:100])
        assert clusters["failures"] == []
        with contextlib.suppress(ecs.exceptions.ClientError):
            ecs.create_cluster(clusterName="after")
        self._definition("after")
        net = {"awsvpcConfiguration": {"subnets": self.subnets, "assignPublicIp": "ENABLED"}}
        [task] = ecs.run_task(
            cluster="after", taskDefinition="after", launchType="FARGATE", networkConfiguration=net
        )["tasks"]

        def ended() -> bool:
            [now] = ecs.describe_tasks(cluster="after", tasks=[task["taskArn"]])["tasks"]
            return now["lastStatus"] == "STOPPED"

        wait_for(ended, "a task that cannot be pulled", SECONDS)

    def _check_eks(self) -> None:
        eks = self.client("eks")
        for name in eks.list_clusters()["clusters"]:
            eks.describe_cluster(name=name)
            for group in eks.list_nodegroups(clusterName=name)["nodegroups"]:
                eks.describe_nodegroup(clusterName=name, nodegroupName=group)
        name = f"after-{self._sent}"
        subnets = {"subnetIds": self.subnets}
        eks.create_cluster(name=name, roleArn=self._role, resourcesVpcConfig=subnets)
        eks.delete_cluster(name=name)

    def _check_rds_data(self) -> None:
        [[one]] = self.client("rds-data").execute_statement(**self.at, sql="SELECT 1")["records"]
        assert one == {"longValue": 1}

    def _check_apigateway(self) -> None:
        gateway = self.client("apigateway")
        for api in gateway.get_rest_apis()["items"]:
            gateway.get_resources(restApiId=api["id"])
            gateway.get_stages(restApiId=api["id"])
        made = gateway.create_rest_api(name="after")["id"]
        gateway.delete_rest_api(restApiId=made)

    def _check_apigatewayv2(self) -> None:
        gateway = self.client("apigatewayv2")
        for api in gateway.get_apis()["Items"]:
            gateway.get_routes(ApiId=api["ApiId"])
            gateway.get_integrations(ApiId=api["ApiId"])
            gateway.get_stages(ApiId=api["ApiId"])
        self._make_apigatewayv2()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.http}/kept", timeout=SECONDS) as answer:
            assert json.load(answer)["status"] == "ok"

    def _check_elbv2(self) -> None:
        elb = self.client("elbv2")
        for balancer in elb.describe_load_balancers()["LoadBalancers"]:
            elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])
        for group in elb.describe_target_groups()["TargetGroups"]:
            elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
        made = elb.create_load_balancer(Name="after", Subnets=self.subnets)["LoadBalancers"][0]
        elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])

    def _check_cloudformation(self) -> None:
        formation = self.client("cloudformation")
        for stack in formation.describe_stacks()["Stacks"]:
            formation.describe_stack_events(StackName=stack["StackId"])
            formation.list_stack_resources(StackName=stack["StackId"])
        queue = {"Type": "AWS::SQS::Queue"}
        name = f"after-{int(time.time() * 1000)}"
        formation.create_stack(
            StackName=name, TemplateBody=json.dumps({"Resources": {"Queue": queue}})
        )
        waiter = formation.get_waiter("stack_create_complete")
        waiter.wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": SECONDS})
        formation.delete_stack(StackName=name)

    def _check_lambda(self) -> None:
        functions = self.client("lambda")
        for one in functions.list_functions()["Functions"]:
            functions.get_function(FunctionName=one["FunctionArn"])
        with contextlib.suppress(functions.exceptions.ResourceConflictException):
            self._make_lambda()
