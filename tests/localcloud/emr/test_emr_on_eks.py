"""EMR on EKS: a job run is a driver and executors of Spark, in pods of the virtual cluster."""

import gzip
import io
import json
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from botocore.exceptions import ClientError
from eks_lab import ACCOUNT, Lab, allow, aws, make_role
from polars.testing import assert_frame_equal

from drydock import images
from drydock.images import CONTAINERS
from drydock.lab import open_lab
from drydock.pipeline import lookup_database, raw_data

MONTHS = ["2013-01", "2013-02"]
GROUP = "/emr/drydock"
FEDERATED = f"arn:aws:iam::{ACCOUNT}:oidc-provider/"
ENDED = ("COMPLETED", "FAILED", "CANCELLED")
BROKEN_LINE = 100


class Emr:
    """A virtual cluster, the role of its jobs, and the lake that they work on."""

    def __init__(self, folder: Path):
        self.lab, self.eks = open_lab(), Lab("spark", folder, nodes=2, kind="m5.xlarge")
        self.client, self.s3, self.bucket = aws("emr-containers"), aws("s3"), self.lab.bucket
        instance = lookup_database.create_instance(self.lab, print)
        lookup_database.load_lookups(self.lab, instance, print)
        self.secret = lookup_database.create_reader(self.lab, instance)
        self.image = images.build(self.lab, "drydock/spark", CONTAINERS / "spark")
        self.s3.create_bucket(Bucket=self.bucket)
        self.role = self._role()
        aws("logs").create_log_group(logGroupName=GROUP)
        self.virtual = self.create("etl", "default")

    def create(self, name: str, namespace: str, cluster: str = "spark") -> str:
        place = {"type": "EKS", "id": cluster, "info": {"eksInfo": {"namespace": namespace}}}
        return self.client.create_virtual_cluster(name=name, containerProvider=place)["id"]

    def _role(self) -> str:
        issuer = self.eks.about["identity"]["oidc"]["issuer"].removeprefix("https://")
        who = f"system:serviceaccount:default:emr-containers-sa-*-*-{ACCOUNT}-*"
        trust = {
            "Effect": "Allow",
            "Principal": {"Federated": FEDERATED + issuer},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringLike": {f"{issuer}:sub": who}},
        }
        lake = f"arn:aws:s3:::{self.bucket}"
        statements = [
            allow("s3:ListBucket", lake),
            allow("s3:GetObject", [f"{lake}/raw/*", f"{lake}/programs/*"]),
            allow("s3:PutObject", [f"{lake}/spark/*", f"{lake}/logs/*"]),
            allow("secretsmanager:GetSecretValue", self.secret),
            allow(["logs:CreateLogStream", "logs:PutLogEvents"]),
        ]
        return make_role("emr-job", statements=statements, trust=[trust])

    def start(self, entry_point: str, *arguments: str, image: str | None = "", **more) -> str:
        settings = {
            "spark.kubernetes.container.image": self.image if image == "" else image,
            "spark.executor.instances": "2",
            "spark.driver.memory": "512m",
            "spark.executor.memory": "512m",
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "4",
            "spark.kubernetes.driverEnv.PGSSLROOTCERT": str(self.lab.certificates),
            "spark.executorEnv.PGSSLROOTCERT": str(self.lab.certificates),
        }
        words = [f"--conf {name}={value}" for name, value in settings.items() if value]
        kept = {
            "cloudWatchMonitoringConfiguration": {
                "logGroupName": GROUP,
                "logStreamNamePrefix": "jobs",
            },
            "s3MonitoringConfiguration": {"logUri": f"s3://{self.bucket}/logs/"},
        }
        given = {
            "virtualClusterId": self.virtual,
            "name": "flights",
            "executionRoleArn": self.role,
            "releaseLabel": "emr-7.10.0-latest",
            "jobDriver": {
                "sparkSubmitJobDriver": {
                    "entryPoint": entry_point,
                    "entryPointArguments": list(arguments),
                    "sparkSubmitParameters": " ".join(words),
                }
            },
            "configurationOverrides": {"monitoringConfiguration": kept},
        }
        return self.client.start_job_run(**{**given, **more})["id"]

    def program(self, name: str, code: str) -> str:
        self.s3.put_object(Bucket=self.bucket, Key=f"programs/{name}", Body=code.encode())
        return f"s3://{self.bucket}/programs/{name}"

    def describe(self, run: str) -> dict:
        return self.client.describe_job_run(id=run, virtualClusterId=self.virtual)["jobRun"]

    def wait(self, run: str, *states: str) -> dict:
        deadline = time.monotonic() + 240
        while (found := self.describe(run))["state"] not in states:
            assert found["state"] not in ENDED, found
            assert time.monotonic() < deadline, found
            time.sleep(0.2)
        return found

    def said(self, run: str) -> dict[str, list[str]]:
        """Lines by log stream of CloudWatch Logs."""
        logs = aws("logs")
        streams = logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
        names = [s["logStreamName"] for s in streams if f"/{run}/" in s["logStreamName"]]
        pages = {
            name: logs.get_log_events(logGroupName=GROUP, logStreamName=name) for name in names
        }
        return {name: [e["message"] for e in page["events"]] for name, page in pages.items()}

    def get(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()


@pytest.fixture(scope="module")
def emr(cloud, tmp_path_factory):
    return Emr(tmp_path_factory.mktemp("emr"))


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    """Two months as objects; one line of the second has a tail number that is none."""
    folder = tmp_path_factory.mktemp("raw")
    for month, body in raw_data.monthly_objects(MONTHS):
        lines = gzip.decompress(body).decode().splitlines()
        if month == MONTHS[1]:
            fields = lines[BROKEN_LINE - 1].split(",")
            fields[11] = "N?"
            lines[BROKEN_LINE - 1] = ",".join(fields)
        text = "\n".join([*lines, ""]).encode()
        (folder / f"{month}.csv.gz").write_bytes(gzip.compress(text))
    return folder


@pytest.fixture(scope="module")
def year(emr, raw) -> str:
    """The job run of the ETL, when it has ended."""
    for path in raw.iterdir():
        emr.s3.put_object(Bucket=emr.bucket, Key=f"raw/flights/{path.name}", Body=path.read_bytes())
    run = emr.start("local:///app/flights.py", emr.bucket, emr.secret)
    done = emr.wait(run, *ENDED)
    assert done["state"] == "COMPLETED", emr.said(run)
    assert done["stateDetails"].startswith("JobRun completed successfully. It ran for ")
    return run


def test_spark_writes_the_rows_of_the_pandas_oracle(emr, raw, year, tmp_path):
    lookups = raw_data.source_file("airlines.csv").parent
    program = CONTAINERS / "etl" / "plain_pandas.py"
    command = [sys.executable, program, raw, lookups, tmp_path]
    subprocess.run(command, check=True)
    for month in MONTHS:
        theirs = pl.read_parquet(tmp_path / f"month={month}" / "flights.parquet")
        mine = pl.read_parquet(io.BytesIO(emr.get(f"spark/flights/month={month}/flights.parquet")))
        key = "flight_key"
        mine = mine.select(theirs.columns).cast(dict(theirs.schema)).sort(key)
        assert_frame_equal(mine, theirs.sort(key), check_exact=True)


def test_a_bad_row_is_in_quarantine_with_its_line_and_its_reason(emr, year):
    lines = emr.get(f"spark/quarantine/month={MONTHS[1]}/rows.jsonl").splitlines()
    assert [(row["line"], row["reason"]) for row in map(json.loads, lines)] == [
        (BROKEN_LINE, "tailnum")
    ]


def test_the_logs_of_driver_and_executors_are_kept_under_emr_s_names(emr, year):
    said = emr.said(year)
    start = f"jobs/{emr.virtual}/jobs/{year}/containers/"
    assert all(name.startswith(start) for name in said)
    driver = [name for name in said if name.endswith(f"/spark-{year}-driver/stdout")]
    assert any("all: 51,954 rows written, 1 in quarantine" in line for line in said[driver[0]])
    assert sum("-exec-" in name for name in said) == 2
    key = f"logs/{driver[0].removeprefix('jobs/')}.gz"
    assert b"all: 51,954 rows written" in gzip.decompress(emr.get(key))


def test_the_password_is_in_no_log_and_no_object_of_kubernetes(emr, year):
    text = aws("secretsmanager").get_secret_value(SecretId=emr.secret)["SecretString"]
    password = json.loads(text)["password"]
    assert password not in json.dumps(emr.said(year))
    assert password not in emr.eks.kubectl("get", "pods,configmaps,jobs", "-o", "json")


def test_a_program_in_s3_that_fails_fails_the_run(emr, year):
    run = emr.start(emr.program("fails.py", "import sys; sys.exit('no such table')"))
    done = emr.wait(run, "FAILED")
    assert done["failureReason"] == "USER_ERROR"
    assert done["stateDetails"].startswith("Main Spark container terminated with errors.")
    assert any("no such table" in line for lines in emr.said(run).values() for line in lines)


def test_a_cancelled_run_leaves_no_pod(emr):
    run = emr.start(emr.program("waits.py", "import time; time.sleep(600)"))
    emr.wait(run, "RUNNING")
    emr.client.cancel_job_run(id=run, virtualClusterId=emr.virtual)
    assert emr.wait(run, "CANCELLED")["stateDetails"] == "JobRun CANCELLED successfully."
    left = emr.eks.core.list_namespaced_pod(
        "default", label_selector=f"emr-containers.amazonaws.com/job.id={run}"
    )
    assert left.items == []
    with pytest.raises(ClientError, match="not in a cancellable state"):
        emr.client.cancel_job_run(id=run, virtualClusterId=emr.virtual)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": None}, "build one with Spark in it and name it"),
        ({"executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/nobody"}, "role/nobody doesn't exist"),
        ({"jobDriver": {"sparkSqlJobDriver": {"entryPoint": "x"}}}, "sparkSubmitJobDriver only"),
        ({"releaseLabel": "newest"}, "Release newest doesn't exist"),
        ({"virtualClusterId": "nowhere"}, "Virtual cluster nowhere doesn't exist"),
        ({"retryPolicyConfiguration": {"maxAttempts": 2}}, "does not retry"),
    ],
)
def test_what_cannot_run_is_refused(emr, change, message):
    with pytest.raises(ClientError, match=message):
        emr.start("local:///app/flights.py", **change)


def test_a_virtual_cluster_needs_a_cluster_and_a_namespace_of_its_own(emr):
    for name, namespace, cluster, message in (
        ("a", "default", "nowhere", "EKS cluster nowhere doesn't exist"),
        ("b", "nowhere", "spark", "Namespace nowhere doesn't exist"),
        ("c", "default", "spark", "already exists in the given namespace"),
    ):
        with pytest.raises(ClientError, match=message):
            emr.create(name, namespace, cluster)
    again = emr.create("other", "kube-public")
    emr.client.delete_virtual_cluster(id=again)
    with pytest.raises(ClientError, match="is TERMINATED"):
        emr.start("local:///app/flights.py", virtualClusterId=again)
    emr.client.delete_virtual_cluster(id=emr.create("other", "kube-public"))
