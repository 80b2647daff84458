"""What `drydock aws up` says the stack costs is what the stack's template asks for."""

from collections import Counter
from decimal import Decimal

import pytest
import yaml
from click.testing import CliRunner

from drydock.account import access, cost_plan, stack, teardown
from drydock.account.commands import aws
from drydock.account.files import TEMPLATES

# Billed by the hour while they are there. Endpoints and instances: none unless asked for.
BILLED = {
    "AWS::EC2::EIP": 1,
    "AWS::EC2::NatGateway": 1,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": 1,
    "AWS::RDS::DBInstance": 1,
    "AWS::SecretsManager::Secret": 1,
}
BY_THE_HOUR = (
    "AWS::EC2::Instance",
    "AWS::EC2::TransitGateway",
    "AWS::KMS::Key",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBProxy",
    "AWS::EKS::Cluster",
)


class Tolerant(yaml.SafeLoader):
    """Reads CloudFormation's own tags as None."""


Tolerant.add_multi_constructor("!", lambda *_: None)


@pytest.fixture(scope="module")
def template():
    return yaml.load((TEMPLATES / "lab.yaml").read_text(), Tolerant)


def test_the_plan_is_the_templates(template):
    kinds = Counter(one["Type"] for one in template["Resources"].values())
    assert {kind: kinds[kind] for kind in BILLED} == BILLED
    assert not [kind for kind in BY_THE_HOUR if kinds[kind]]
    database = template["Resources"]["Database"]["Properties"]
    assert database["DBInstanceClass"] == cost_plan.DATABASE
    assert database["AllocatedStorage"] == str(cost_plan.DATABASE_GB)
    assert database["ManageMasterUserPassword"]  # the second secret
    assert template["Parameters"]["WayOut"]["Default"] == "nat"
    assert [template["Parameters"][one]["Default"] for one in ("ApiTasks", "Instances")] == [0, 0]


def test_the_template_is_short_enough_to_be_sent_as_it_is():
    assert len((TEMPLATES / "lab.yaml").read_bytes()) <= 51_200  # CloudFormation's quota


def test_the_plan_with_kubernetes_is_the_nested_templates():
    nested = yaml.load((TEMPLATES / "kubernetes.yaml").read_text(), Tolerant)["Parameters"]
    assert nested["NodeType"]["Default"] == cost_plan.NODE
    assert nested["Nodes"]["Default"] == cost_plan.NODES


def test_an_hour_is_the_sum_of_its_items():
    # 0.045 + 0.005, 0.0225, 0.016 + 20 GB of 0.115 a month, two secrets of 0.40 a month
    month = Decimal(730)
    expected = Decimal("0.0885") + Decimal("2.3") / month + Decimal("0.8") / month
    assert cost_plan.usd(1) == pytest.approx(expected)
    # 0.10, two of 0.0416, 40 GB of 0.08 a month
    more = Decimal("0.1832") + Decimal("3.2") / month
    assert cost_plan.usd(1, kubernetes=True) - cost_plan.usd(1) == pytest.approx(more)


def test_a_budget_lasts_whole_hours_and_not_one_more():
    for kubernetes in (False, True):
        hours = cost_plan.hours_of("5", kubernetes)
        assert cost_plan.usd(hours, kubernetes) <= 5 < cost_plan.usd(hours + 1, kubernetes)


def test_a_lesson_pays_whole_hours_where_aws_bills_them():
    lessons = cost_plan.by_lesson({"short": 30, "hour": 60, "04_launch_eks": 60})
    short, hour, kubernetes = (one.usd for one in lessons)
    assert hour == cost_plan.usd(1)
    assert hour / 2 < short < hour
    assert kubernetes is None
    assert cost_plan.by_lesson({"04_launch_eks": 60}, True)[0].usd == cost_plan.usd(1, True)


def test_every_item_every_lesson_and_the_hours_are_shown():
    shown = "\n".join(cost_plan.text(Decimal(5), {"01_pipeline": 75, "04_launch_eks": 120}))
    for words in ("NAT gateway", "load balancer", "db.t4g.micro", "$0.0927 an hour", "75 min"):
        assert words in shown.replace("$  ", "$")
    assert "04_launch_eks             120 min  add --eks" in shown
    assert "A budget of $5 lasts 53 hours" in shown


def test_without_a_terminal_and_without_yes_the_cost_is_shown_and_nothing_made(monkeypatch):
    class Nothing:
        id = "123456789012"

        def client(self, service):
            raise AssertionError(f"{service} was asked")

    monkeypatch.setattr(access, "open_account", lambda *_: Nothing())
    monkeypatch.setattr(stack, "status", lambda *_: stack.GONE)
    monkeypatch.setattr(teardown, "in_the_way", lambda *_: None)
    done = CliRunner().invoke(aws, ["up", "--budget", "5"])
    assert "lasts 53 hours" in done.output
    assert "nobody to ask: add --yes" in str(done.exception)
