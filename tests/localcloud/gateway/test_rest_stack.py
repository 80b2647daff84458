"""A REST API made by CloudFormation."""

import json

import httpx
import pytest
from balancers import get
from live import client

from drydock.lab import open_lab


def test_a_stack_of_cloudformation_is_served(cloud, apis):
    server, stacks = apis.server(), client(cloud, "cloudformation")

    def resource(kind, **properties):
        return {"Type": f"AWS::ApiGateway::{kind}", "Properties": properties}

    api = {"Ref": "Api"}
    integration = {
        "Type": "HTTP_PROXY",
        "IntegrationHttpMethod": "GET",
        "Uri": f"http://{server.address}:{server.port}/list",
    }
    template = {
        "Resources": {
            "Api": resource("RestApi", Name="stack"),
            "Flights": resource(
                "Resource",
                RestApiId=api,
                PathPart="flights",
                ParentId={"Fn::GetAtt": ["Api", "RootResourceId"]},
            ),
            "Get": resource(
                "Method",
                RestApiId=api,
                ResourceId={"Ref": "Flights"},
                HttpMethod="GET",
                AuthorizationType="NONE",
                Integration=integration,
            ),
            "Now": {
                **resource("Deployment", RestApiId=api, StageName="v1"),
                "DependsOn": "Get",
            },
        },
        "Outputs": {"Id": {"Value": api}},
    }
    name = apis.name()
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    made = stacks.describe_stacks(StackName=name)["Stacks"][0]["Outputs"][0]["OutputValue"]
    address = open_lab().invoke_url(made, "v1")
    assert get(f"{address}/flights").text.startswith("GET\n/list\n")
    stacks.delete_stack(StackName=name)
    stacks.get_waiter("stack_delete_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    with pytest.raises(httpx.ConnectError):
        get(f"{address}/flights")
