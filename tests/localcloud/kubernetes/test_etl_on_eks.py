"""The ETL image as an Indexed Job over all months: the same program, the same rows as on ECS."""

import pytest
from eks_lab import aws, make_role
from kubernetes.client import V1ConfigMap, V1ObjectMeta, V1Secret, V1ServiceAccount

from drydock import images
from drydock.images import CONTAINERS
from drydock.lab import open_lab
from drydock.pipeline import etl_tasks, lookup_database, raw_data, roles, run

MONTHS = [f"2013-{month:02d}" for month in range(1, 13)]
COMMAND = "exec python -m etl $(printf 2013-%02d $((JOB_COMPLETION_INDEX + 1)))"


@pytest.fixture(scope="module")
def job(lab):
    """The Job when it has ended."""
    drydock = open_lab()
    watcher = run.Watcher()
    run.upload_raw(drydock, MONTHS, watcher, keep_raw=False)
    instance = lookup_database.create_instance(drydock, watcher.say)
    lookup_database.load_lookups(drydock, instance, watcher.say)
    secret = lookup_database.create_reader(drydock, instance)
    image = images.build(drydock, "drydock/etl", CONTAINERS / "etl")
    lake = roles.lake_policy(drydock.bucket)["Statement"]
    role = make_role("etl-pod", "pods.eks.amazonaws.com", statements=lake)
    name = V1ObjectMeta(name="etl")
    lab.core.create_namespaced_service_account("default", V1ServiceAccount(metadata=name))
    lab.eks.create_pod_identity_association(
        clusterName=lab.name, namespace="default", serviceAccount="etl", roleArn=role
    )
    value = aws("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    lab.core.create_namespaced_secret(
        "default", V1Secret(metadata=name, string_data={"database": value})
    )
    settings = {"LAKE_BUCKET": drydock.bucket, "PGSSLROOTCERT": str(drydock.certificates)}
    lab.core.create_namespaced_config_map("default", V1ConfigMap(metadata=name, data=settings))
    source = {"secretKeyRef": {"name": "etl", "key": "database"}}
    container = {
        "image": image,
        "command": ["/bin/sh", "-c", COMMAND],
        "args": [],
        "envFrom": [{"configMapRef": {"name": "etl"}}],
        "env": [{"name": "DB_SECRET", "valueFrom": source}],
        "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}},
    }
    document = lab.job(
        "etl", "", container=container, completions=12, parallelism=4, completionMode="Indexed"
    )
    document["spec"]["template"]["spec"]["serviceAccountName"] = "etl"
    lab.batch.create_namespaced_job("default", document)
    return lab.wait_for_job("etl", 180)


def test_every_month_is_curated_by_one_pod(lab, job):
    ended, condition = job
    assert (condition.type, condition.reason) == ("Complete", "CompletionsReached")
    assert (ended.status.succeeded, ended.status.failed) == (12, None)
    assert ended.status.completed_indexes == "0-11"


def test_the_rows_are_those_of_the_source(lab, job):
    found = {m: raw_data.totals(body)["rows"] for m, body in raw_data.monthly_objects(MONTHS)}
    assert sum(found.values()) == 336_776
    for month in MONTHS:
        manifest = etl_tasks.read_manifest(open_lab(), month)
        assert manifest["rows"]["read"] == found[month]
    pods = lab.core.list_namespaced_pod("default", label_selector="job-name=etl").items
    assert len(pods) == 12
    for pod in pods:
        month = MONTHS[int(pod.metadata.labels["batch.kubernetes.io/job-completion-index"])]
        said = lab.log(pod.metadata.name)
        assert f"{month}: {found[month]:,} rows read" in said


def test_a_pod_without_the_service_account_may_not_read_the_lake(lab, job):
    code = "import boto3,sys; sys.exit(0 if boto3.Session().get_credentials() is None else 1)"
    assert lab.run(lab.pod("no-identity", code)).status.phase == "Succeeded"


def test_the_role_limits_what_the_pod_may_do(lab, job):
    code = (
        "import boto3\n"
        "try: boto3.client('s3').put_object(Bucket='"
        + open_lab().bucket
        + "', Key='raw/x', Body=b'')\n"
        "except Exception as error: print(error)"
    )
    lab.run(lab.pod("may-not-write", code, serviceAccountName="etl"))
    said = lab.log("may-not-write")
    assert "AccessDenied" in said and "assumed-role/etl-pod/" in said
