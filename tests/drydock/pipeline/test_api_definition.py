"""The data API's task definition and role: enough, and the same in pipeline and stack."""

import json
import re

import yaml

from drydock.account.files import TEMPLATES
from drydock.images import CONTAINERS
from drydock.pipeline import roles


class Tolerant(yaml.SafeLoader):
    """Reads CloudFormation's short functions as their arguments."""


Tolerant.add_multi_constructor(
    "!",
    lambda loader, _, node: (
        loader.construct_scalar(node)
        if isinstance(node, yaml.ScalarNode)
        else loader.construct_sequence(node, deep=True)
    ),
)
STACK = yaml.load((TEMPLATES / "lab.yaml").read_text(), Tolerant)["Resources"]


def own_definition():
    text = (CONTAINERS / "api" / "task-definition.json").read_text()
    [container] = json.loads(text)["containerDefinitions"]
    values = {one["name"]: one["value"] for one in container["environment"]}
    return values, {one["name"] for one in container["secrets"]}


def test_a_definition_sets_what_the_program_reads():
    values, secrets = own_definition()
    assert {*values, *secrets} >= {"LAKE_BUCKET", "DB_SECRET", "METRICS_NAMESPACE"}
    about = (CONTAINERS / "api" / "api" / "__init__.py").read_text()
    read = set(re.findall(r"[A-Z][A-Z_]+[A-Z]", about))
    assert {*values, *secrets} <= read


def test_the_stack_sets_no_other_values():
    values, _ = own_definition()
    [container] = STACK["ApiDefinition"]["Properties"]["ContainerDefinitions"]
    of_stack = {one["Name"]: one["Value"] for one in container["Environment"]}
    assert of_stack["METRICS_NAMESPACE"] == values["METRICS_NAMESPACE"] == roles.METRICS_NAMESPACE
    assert of_stack.keys() <= values.keys()


def test_the_role_may_the_same_in_the_stack():
    properties = STACK["ApiRole"]["Properties"]
    assert properties["RoleName"] == roles.API_ROLE
    of_stack = {one["PolicyName"]: one["PolicyDocument"] for one in properties["Policies"]}
    ours = {"read-curated": roles.curated_policy("lake"), "put-metrics": roles.metrics_policy()}

    def actions(document):
        named = [one["Action"] for one in document["Statement"]]
        return sorted(
            action for one in named for action in ([one] if isinstance(one, str) else one)
        )

    assert {name: actions(one) for name, one in of_stack.items()} == {
        name: actions(one) for name, one in ours.items()
    }
    [metrics] = of_stack["put-metrics"]["Statement"]
    assert metrics["Condition"] == ours["put-metrics"]["Statement"][0]["Condition"]
