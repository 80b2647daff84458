"""What tests of container instances do again and again, in boto3."""

import json

SLEEP = "import time; time.sleep(600)"


class Fleet:
    """A cluster of its own with machines; its tasks sleep until the test ends."""

    def __init__(self, lab, name):
        self.lab, self.ecs, self.name = lab, lab.ecs, name
        self.ecs.create_cluster(clusterName=name)

    def machine(self, kind="m5.large", **attributes):
        document = {"instanceId": f"i-{kind}", "instanceType": kind}
        zone = attributes.pop("zone", None)
        document |= {"availabilityZone": zone} if zone else {}
        answer = self.ecs.register_container_instance(
            cluster=self.name,
            instanceIdentityDocument=json.dumps(document),
            attributes=[{"name": name, "value": value} for name, value in attributes.items()],
        )
        return answer["containerInstance"]["containerInstanceArn"]

    def definition(self, cpu=256, memory=256, family="ec2", **more):
        container = {"cpu": cpu, "memory": memory, **more.pop("container", {})}
        request = self.lab.definition(SLEEP, family=family, container=container)
        for name in ("requiresCompatibilities", "cpu", "memory"):
            del request[name]
        request |= {"networkMode": "bridge", **more}
        return self.ecs.register_task_definition(**request)["taskDefinition"]["taskDefinitionArn"]

    def run(self, definition, **more):
        return self.ecs.run_task(
            cluster=self.name, taskDefinition=definition, launchType="EC2", **more
        )

    def machines_of(self, answer):
        return [task["containerInstanceArn"] for task in answer["tasks"]]

    def describe(self, arn):
        found = self.ecs.describe_container_instances(cluster=self.name, containerInstances=[arn])
        return found["containerInstances"][0]

    def left(self, arn):
        resources = self.describe(arn)["remainingResources"]
        return {r["name"]: r.get("stringSetValue") or r["integerValue"] for r in resources}

    def tasks(self):
        return self.ecs.list_tasks(cluster=self.name)["taskArns"]

    def stop_all(self):
        for service in self.ecs.list_services(cluster=self.name)["serviceArns"]:
            self.ecs.delete_service(cluster=self.name, service=service, force=True)
        for arn in self.tasks():
            self.ecs.stop_task(cluster=self.name, task=arn)
