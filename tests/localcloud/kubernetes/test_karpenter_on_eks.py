"""Node autoscaling as a user of kubectl sees it: pools, machines that come, machines that go."""

import datetime as dt
import json
from collections import Counter

import boto3
import pytest
from eks_lab import REGION, Lab, aws, until

from drydock.costs import cloud_bill

CLASS = """
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: default}
spec:
  role: eks-node
  amiSelectorTerms: [{alias: al2023@latest}]
  subnetSelectorTerms: [{tags: {karpenter.sh/discovery: karp}}]
  securityGroupSelectorTerms: [{name: default}]
"""
POOL = """
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: %(name)s}
spec:
  limits: {cpu: %(cpu)s}
  disruption: {consolidateAfter: %(after)s}
  template:
    spec:
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: %(node_class)s}
      requirements:
      - {key: kubernetes.io/arch, operator: In, values: [amd64]}
      - {key: karpenter.k8s.aws/instance-category, operator: In, values: [c, m, r]}
      - {key: karpenter.k8s.aws/instance-generation, operator: Gt, values: ['5']}
"""


def pool(name="default", cpu="16", after="1s", node_class="default"):
    return POOL % locals()


@pytest.fixture(scope="module")
def karp(cloud, tmp_path_factory):
    found = Lab("karp", tmp_path_factory.mktemp("karp"), nodes=0)
    tags = [{"Key": "karpenter.sh/discovery", "Value": "karp"}]
    aws("ec2").create_tags(Resources=found.subnets, Tags=tags)
    found.kubectl("apply", "-f", "-", given=CLASS)
    return found


@pytest.fixture
def emptied(karp):
    yield karp
    karp.kubectl("delete", "deployments,pods", "--all", "--now")
    karp.kubectl("delete", "nodepools", "--all")
    until(lambda: not listed(karp, "nodeclaims"))


def listed(lab, kind):
    return json.loads(lab.kubectl("get", kind, "-o", "json"))["items"]


def deployment(lab, name, replicas, cpu, memory="128Mi"):
    container = lab.pod("x", "import time; time.sleep(600)", restart="Always")["spec"]
    container["containers"][0]["resources"] = {"requests": {"cpu": cpu, "memory": memory}}
    labels = {"app": name}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}}
    spec["template"] = {"metadata": {"labels": labels}, "spec": container}
    meta = {"name": name}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


def run(lab, *words, **more):
    lab.apps.create_namespaced_deployment("default", deployment(lab, *words, **more))


def running(lab, name):
    pods = lab.core.list_namespaced_pod("default", label_selector=f"app={name}").items
    return sum(pod.status.phase == "Running" for pod in pods)


def types(lab):
    return sorted(
        node.metadata.labels["node.kubernetes.io/instance-type"]
        for node in lab.core.list_node().items
        if node.metadata.deletion_timestamp is None
    )


def reasons(lab, kind):
    found = lab.core.list_namespaced_event("default").items
    return {(e.reason, e.message) for e in found if e.involved_object.kind == kind}


def machines():
    wanted = [{"Name": "tag:karpenter.sh/nodepool", "Values": ["*"]}]
    wanted.append({"Name": "instance-state-name", "Values": ["running", "pending"]})
    found = aws("ec2").describe_instances(Filters=wanted)["Reservations"]
    return [one["InstanceType"] for some in found for one in some["Instances"]]


def billed():
    """How many machines of each type are on the bill, those of others in this cloud included."""
    session, now = boto3.Session(region_name=REGION), dt.datetime.now(dt.UTC)
    return Counter(item.used.partition(",")[0] for item in cloud_bill._machines(session, now, 0))


def test_pending_pods_bring_the_cheapest_machine_and_take_it_away_again(emptied):
    lab, before = emptied, billed()
    lab.kubectl("apply", "-f", "-", given=pool())
    run(lab, "crowd", 7, "500m")
    until(lambda: running(lab, "crowd") == 7, 60)
    # c6i.xlarge costs 0.17; two c6i.large hold six of the seven.
    assert types(lab) == ["c6i.xlarge"]
    assert machines() == ["c6i.xlarge"]
    assert billed() - before == Counter(["c6i.xlarge"])
    [claim] = listed(lab, "nodeclaims")
    name = claim["metadata"]["name"]
    nominated = ("Nominated", f"Pod should schedule on: nodeclaim/{name}")
    assert nominated in reasons(lab, "Pod")
    table = lab.kubectl("get", "nodeclaims").split()
    assert table[:6] == ["NAME", "TYPE", "CAPACITY", "ZONE", "NODE", "READY"]
    assert table[7:10] == [name, "c6i.xlarge", "on-demand"]
    shown = lab.kubectl("get", "nodepool", "default").split()
    assert shown[:5] == ["NAME", "NODECLASS", "NODES", "READY", "AGE"]
    assert shown[5:9] == ["default", "default", "1", "True"]
    node = claim["status"]["nodeName"]
    assert "karpenter.sh/nodepool=default" in lab.kubectl("describe", "node", node)

    lab.kubectl("scale", "deployment", "crowd", "--replicas=1")
    until(lambda: types(lab) == ["c6i.large"] and running(lab, "crowd") == 1, 60)
    assert ("DisruptionTerminating", "Disrupting Node: Underutilized") in reasons(lab, "Node")
    until(lambda: machines() == ["c6i.large"])
    lab.kubectl("delete", "deployment", "crowd")
    until(lambda: not listed(lab, "nodes"), 60)
    assert ("DisruptionTerminating", "Disrupting NodeClaim: Empty") in reasons(lab, "NodeClaim")
    assert machines() == []


def test_the_machines_of_a_node_group_are_billed_too(karp):
    karp.add_nodes("billed", 2, "t3.medium")
    wanted = [{"Name": "tag:eks:nodegroup-name", "Values": ["billed"]}]
    found = aws("ec2").describe_instances(Filters=wanted)["Reservations"]
    there = [one for some in found for one in some["Instances"]]
    names = {node.metadata.name for node in karp.core.list_node().items}
    assert {one["PrivateDnsName"] for one in there} == names
    karp.eks.delete_nodegroup(clusterName="karp", nodegroupName="billed")
    found = aws("ec2").describe_instances(Filters=wanted)["Reservations"]
    states = [one["State"]["Name"] for some in found for one in some["Instances"]]
    assert states == ["terminated"] * 2 and not karp.core.list_node().items


def test_a_limit_and_a_pod_too_large_are_told(emptied):
    lab = emptied
    lab.kubectl("apply", "-f", "-", given=pool(cpu="1"))
    pod = lab.pod("waits", "")
    lab.core.create_namespaced_pod("default", pod)
    limit = 'all available instance types exceed limits for nodepool: "default"'
    until(lambda: ("FailedScheduling", f"Failed to schedule pod, {limit}") in lab.events("waits"))
    large = {"resources": {"requests": {"cpu": "500"}}}
    lab.core.create_namespaced_pod("default", lab.pod("huge", "", container=large))
    words = 'no instance type satisfied resources {"cpu":"500","pods":"1"} and requirements '
    until(lambda: words in str(lab.events("huge")))
    assert listed(lab, "nodeclaims") == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("after", "soon", "spec.disruption.consolidateAfter in body should match"),
        ("operator: Gt", "operator: Like", 'Unsupported value: "Like"'),
        ("limits: {cpu: 16}", "weight: 200", "should be less than or equal to 100"),
        ("requirements:", "", "spec.template.spec.requirements: Required value"),
    ],
)
def test_a_pool_that_breaks_its_schema_is_refused(karp, old, new, told):
    text = pool(after=new) if old == "after" else pool().replace(old, new)
    if not new:
        text = pool().partition(f"      {old}")[0]
    said = karp.kubectl("apply", "-f", "-", given=text, fails=True)
    assert 'The NodePool "default" is invalid' in said and told in said


def test_an_unknown_field_of_a_custom_resource_is_refused(karp):
    text = pool().replace("limits:", "limit:")
    said = karp.kubectl("apply", "-f", "-", given=text, fails=True)
    assert 'strict decoding error: unknown field "spec.limit"' in said


def test_a_pool_without_its_class_is_not_ready(emptied):
    lab = emptied
    lab.kubectl("apply", "-f", "-", given=pool("lost", node_class="nowhere"))

    def told():
        found = listed(lab, "nodepools")[0].get("status", {}).get("conditions", [])
        return {(one["type"], one["status"], one["message"]) for one in found}

    until(lambda: ("NodeClassReady", "False", "NodeClass not found on cluster") in told())
    wanted = CLASS.replace("name: default}\nspec", "name: nowhere}\nspec").replace(
        "discovery: karp", "discovery: nobody"
    )
    lab.kubectl("apply", "-f", "-", given=wanted)
    words = "SubnetSelector did not match any Subnets"
    until(lambda: words in str(listed(lab, "ec2nodeclasses")))
    lab.kubectl("delete", "ec2nodeclass", "nowhere")


def test_a_budget_of_none_and_an_annotation_keep_nodes(emptied):
    lab = emptied
    text = pool().replace("consolidateAfter: 1s", "consolidateAfter: 0s, budgets: [{nodes: '0'}]")
    lab.kubectl("apply", "-f", "-", given=text)
    run(lab, "held", 1, "500m")
    until(lambda: running(lab, "held") == 1, 60)
    lab.kubectl("delete", "deployment", "held")
    blocked = "No allowed disruptions for disruption reason Empty due to blocking budget"
    until(lambda: ("DisruptionBlocked", blocked) in reasons(lab, "NodePool"))
    assert types(lab) == ["c6i.large"]
    # Whoever deletes the node himself is not held up by a budget of Karpenter's.
    [node] = listed(lab, "nodes")
    lab.kubectl("delete", "node", node["metadata"]["name"])
    until(lambda: not listed(lab, "nodeclaims"))
    assert machines() == []


def test_a_machine_that_has_lived_long_enough_expires(emptied):
    lab = emptied
    text = pool(after="Never").replace(
        "    spec:\n      nodeClassRef", "    spec:\n      expireAfter: 7s\n      nodeClassRef"
    )
    lab.kubectl("apply", "-f", "-", given=text)
    run(lab, "renewed", 1, "500m")
    until(lambda: running(lab, "renewed") == 1, 60)
    [first] = [claim["metadata"]["name"] for claim in listed(lab, "nodeclaims")]
    names = lambda: {claim["metadata"]["name"] for claim in listed(lab, "nodeclaims")}  # noqa: E731
    until(lambda: names() and first not in names(), 60)
