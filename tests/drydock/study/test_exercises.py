"""Each exercise passes its solution, and fails the empty region and its stored mistakes."""

import gzip
import json
import re

import nbformat
import pytest

from drydock import images, notebooks
from drydock.connect import native
from drydock.errors import WrongInput
from drydock.lab import open_lab
from drydock.pipeline import lookup_database, raw_data, roles
from drydock.study import books, exercises, progress, questions

EVERY = list(exercises.everything().values())
LESSONS = sorted(notebooks.FOLDER.glob("[!.]*.ipynb"))
MISTAKES = [(one, wrong) for one in EVERY for wrong in one.mistakes]
PROBE = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc"}


@pytest.fixture(autouse=True)
def own_study(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "folder", lambda: tmp_path / "study")
    monkeypatch.setenv("DRYDOCK_LEARNER", "the book")


@pytest.fixture(scope="module")
def lab(cloud):
    """A lab with the clusters, families and database that the exercises work on."""
    found = open_lab()
    ecs, image = (
        found.client("ecs"),
        images.build(found, "drydock/probe", images.CONTAINERS / "probe"),
    )
    role = roles.create_execution_role(found, "exercise-execution")
    for family, name, size in (("probe", "probe", "256"), ("drydock-etl", "etl", "1024")):
        ecs.register_task_definition(
            family=family,
            cpu=size,
            memory=str(2 * int(size)),
            executionRoleArn=role,
            containerDefinitions=[{"name": name, "image": image}],
            **PROBE,
        )
    for cluster in ("launch", "drydock"):
        ecs.create_cluster(clusterName=cluster)
    found.client("s3").create_bucket(Bucket=found.bucket)
    make_eks_cluster(found)
    make_http_api(found)
    instance = lookup_database.create_instance(found, say=lambda line: None)
    lookup_database.load_lookups(found, instance, say=lambda line: None)
    secrets = found.client("secretsmanager")
    reader = secrets.get_secret_value(SecretId=lookup_database.create_reader(found, instance))
    secrets.create_secret(Name="connect/analyst", SecretString=reader["SecretString"])
    load_flights(found, lookup_database.master_secret(secrets, instance))
    return found


def make_eks_cluster(lab):
    """The cluster of lesson 4, with one node."""
    roles_of = {}
    for name, service in (("eks", "eks.amazonaws.com"), ("node", "ec2.amazonaws.com")):
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
        }
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        made = lab.client("iam").create_role(
            RoleName=f"exercise-{name}", AssumeRolePolicyDocument=trust
        )
        roles_of[name] = made["Role"]["Arn"]
    eks, subnets = lab.client("eks"), lab.network()["awsvpcConfiguration"]["subnets"]
    eks.create_cluster(
        name="launch", roleArn=roles_of["eks"], resourcesVpcConfig={"subnetIds": subnets}
    )
    eks.create_nodegroup(
        clusterName="launch",
        nodegroupName="workers",
        subnets=subnets,
        instanceTypes=["m5.large"],
        nodeRole=roles_of["node"],
        scalingConfig={"minSize": 1, "maxSize": 1, "desiredSize": 1},
    )


def make_http_api(lab):
    """The HTTP API of lesson 6 with a way in for roles; nothing answers behind it: 503, not 403."""
    elbv2, gateway = lab.client("elbv2"), lab.client("apigatewayv2")
    subnets = lab.network()["awsvpcConfiguration"]["subnets"]
    vpc = lab.client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"][0]["VpcId"]
    target = elbv2.create_target_group(
        Name="exercise", Protocol="HTTP", Port=8000, VpcId=vpc, TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]
    balancer = elbv2.create_load_balancer(Name="exercise", Subnets=subnets)["LoadBalancers"][0]
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target}],
    )["Listeners"][0]
    api = gateway.create_api(Name="flights", ProtocolType="HTTP")["ApiId"]
    made = gateway.create_integration(
        ApiId=api,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="ANY",
        IntegrationUri=listener["ListenerArn"],
        ConnectionType="VPC_LINK",
        ConnectionId=gateway.create_vpc_link(Name="exercise", SubnetIds=subnets)["VpcLinkId"],
        PayloadFormatVersion="1.0",
    )
    gateway.create_route(
        ApiId=api,
        RouteKey="GET /{proxy+}",
        Target=f"integrations/{made['IntegrationId']}",
        AuthorizationType="AWS_IAM",
    )
    gateway.create_stage(ApiId=api, StageName="v1", AutoDeploy=True)


def load_flights(lab, owner):
    """The table of lesson 5, in which only the number of a flight is counted with."""
    with native.connect(owner, lab.certificates) as connection:
        for month, body in raw_data.monthly_objects():
            lines = gzip.decompress(body)
            if month == raw_data.MONTHS[0]:
                names = lines.split(b"\n", 1)[0].decode().strip().replace('"', "").split(",")
                columns = [f"{name} {'int' if name == 'flight' else 'text'}" for name in names]
                connection.execute(f"CREATE TABLE flights ({', '.join(columns)})")
                connection.execute(f"GRANT SELECT ON flights TO {lookup_database.READER}")
            with connection.cursor().copy("COPY flights FROM STDIN (FORMAT csv, HEADER)") as copy:
                copy.write(lines)


def told(pairs):
    return [f"{one.id} {wrong.title}" for one, wrong in pairs]


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES, ids=told(MISTAKES))
def test_a_mistake_fails_at_its_rule(exercise, mistake, lab):
    """Any rule may look at the lab, also for an answer that is plain data."""
    report = exercise.report(mistake.given(lab), lab)
    assert (report.done, report.failed) == (False, mistake.fails)
    assert report.why


@pytest.mark.parametrize("exercise", EVERY, ids=lambda one: one.id)
def test_an_exercise_is_whole(exercise):
    assert len(exercise.mistakes) >= 2
    assert all(one.fails in {rule.name for rule in exercise.rules} for one in exercise.mistakes)
    assert len(set(exercise.hints)) == 3 and all(exercise.hints)
    assert set(exercise.skills) <= set(questions.guide()["skills"])
    report = exercise.report(None)
    assert not report.done
    assert "not done yet" in repr(report) and len(repr(report).splitlines()) == 1


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_the_stored_solutions_pass(path):
    """The strict comparison of the lessons runs them again; here: that the outcome is `done`."""
    for cell in filter(books.is_exercise, nbformat.read(path, as_version=4).cells):
        shown = "".join(str(one.get("data", {}).get("text/plain", "")) for one in cell.outputs)
        assert shown.startswith(f"Exercise {books.checked(cell)}: done"), shown


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_an_unfinished_exercise_says_one_line_and_goes_on(path):
    """Cells before them are not run: the student's part may need what they made, and no more."""
    namespace: dict = dict.fromkeys(("lab", "image", "oci"))
    namespace["oci"] = __import__("drydock.oci", fromlist=["oci"])
    student = books.student(nbformat.read(path, as_version=4))
    for cell in filter(books.is_exercise, student.cells):
        *body, check = cell.source.rstrip().splitlines()
        exec("\n".join(body), namespace)
        [line] = repr(eval(check, namespace)).splitlines()
        assert re.fullmatch(r"Exercise \S+: not done yet\..*", line)


def test_enough_in_each_lesson_that_has_any():
    by_lesson: dict[str, int] = {}
    for one in EVERY:
        by_lesson[one.id.split(".")[0]] = by_lesson.get(one.id.split(".")[0], 0) + 1
    assert {"1", "2", "3"} <= set(by_lesson)
    assert min(by_lesson.values()) >= 4


def test_hints_are_counted_and_end_at_three():
    levels = [exercises.hint("1.4").level for _ in range(4)]
    assert levels == [1, 2, 3, 3]
    assert progress.read().hints("1.4") == 3
    exercises.check("1.4", 1)
    tally = progress.read().exercises()["1.4"]
    assert (tally.tries, tally.done, tally.hints) == (1, False, 3)
    assert tally.failed == "each task is billed for its minimum"


def test_learners_have_numbers_of_their_own_which_stay(monkeypatch):
    drawn = set()
    for name in "abcdefgh":
        monkeypatch.setenv("DRYDOCK_LEARNER", name)
        drawn.add(exercises.given("1.4"))
        assert exercises.given("1.4") in drawn
    assert len(drawn) > 4
    with pytest.raises(WrongInput, match="the same for everybody"):
        exercises.given("1.2")


def test_an_answer_that_raises_is_a_failed_rule():
    report = exercises.check("2.2", lambda image, word: 1 / 0)
    assert "ZeroDivisionError" in report.why
    with pytest.raises(WrongInput, match=r"no exercise '9\.9'"):
        exercises.check("9.9", 1)
