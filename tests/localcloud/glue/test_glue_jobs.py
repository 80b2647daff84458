"""Glue jobs: what a run does, says and leaves, in Python shell and in Spark."""

import json

import pytest
from botocore.exceptions import ClientError
from glue_lab import GlueLab, allow, aws

from drydock.model import glue as glue_model

SUM = """
import json, sys
import boto3
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext

args = getResolvedOptions(sys.argv, ["JOB_NAME", "bucket", "n"])
context = GlueContext(SparkContext.getOrCreate())
spark = context.spark_session
job = Job(context)
job.init(args["JOB_NAME"], args)
total = spark.range(int(args["n"])).selectExpr("sum(id) AS total").first().total
who = boto3.client("sts").get_caller_identity()["Arn"]
answer = {
    "total": total, "who": who, "job": args["JOB_NAME"], "temp": args["TempDir"],
    "partitions": spark.conf.get("spark.sql.shuffle.partitions"), "words": sys.argv[1:],
}
boto3.client("s3").put_object(Bucket=args["bucket"], Key="sum.json", Body=json.dumps(answer))
print("the sum is", total)
try:
    context.create_dynamic_frame.from_catalog(database="d", table_name="t")
finally:
    job.commit()
"""
SHELL = """
import sys
import boto3
import helper
from awsglue.utils import getResolvedOptions

args = getResolvedOptions(sys.argv, ["bucket", "month"])
boto3.client("s3").put_object(Bucket=args["bucket"], Key="shell.txt", Body=helper.text(args))
print("said")
print("complained", file=sys.stderr)
"""
WAIT = "print('started', flush=True)\nimport time; time.sleep(600)\n"


@pytest.fixture(scope="module")
def glue(cloud):
    return GlueLab()


@pytest.fixture(scope="module")
def summed(glue) -> dict:
    """A Spark job that does its work, and then asks for what only AWS's jars can do."""
    name = glue.job(
        "sum",
        SUM,
        "glueetl",
        DefaultArguments={
            "--n": "10",
            "--bucket": glue.bucket,
            "--TempDir": "s3://temp/",
            "--conf": "spark.sql.shuffle.partitions=3 --conf spark.task.maxFailures=1",
        },
        ExecutionClass="FLEX",
    )
    return glue.run(name, Arguments={"--n": "1000"})


def test_a_spark_job_computes_with_its_role_and_its_arguments(glue, summed):
    answer = json.loads(glue.get("sum.json"))
    assert answer["total"] == sum(range(1000))
    assert answer["who"].endswith(":assumed-role/glue-job/GlueJobRunnerSession")
    assert (answer["job"], answer["temp"]) == ("sum", "s3://temp/")
    assert answer["partitions"] == "3"
    words = answer["words"]
    given = dict(zip(words[::2], words[1::2], strict=True))
    assert given["--JOB_RUN_ID"] == summed["Id"]
    assert "--conf" not in given


def test_what_needs_aws_s_own_jars_fails_and_says_how_to_write_it(glue, summed):
    assert summed["JobRunState"] == "FAILED"
    assert "GlueContext.create_dynamic_frame needs AWS Glue's own jars" in summed["ErrorMessage"]
    assert "SparkSession.builder.getOrCreate()" in summed["ErrorMessage"]
    said = glue.said(summed["Id"])
    assert "the sum is 499500" in said["/aws-glue/jobs/output"]
    errors = said["/aws-glue/jobs/error"]
    assert errors[0].startswith("2 x G.1X is 8 vCPU and 32 GB: ")
    assert any("create_dynamic_frame" in line for line in errors)
    assert all("the sum is" not in line for line in errors)


def test_a_run_shows_what_is_billed(glue, summed):
    assert (summed["MaxCapacity"], summed["NumberOfWorkers"]) == (2.0, 2)
    assert summed["ExecutionTime"] >= 1
    assert summed["DPUSeconds"] == summed["ExecutionTime"] * 2
    assert summed["LogGroupName"] == "/aws-glue/jobs"
    assert (summed["Timeout"], summed["Attempt"]) == (480, 0)
    bill = glue_model.spark_job(
        summed["ExecutionTime"],
        summed["NumberOfWorkers"],
        worker_type=summed["WorkerType"],
        execution_class=summed["ExecutionClass"],
    )
    (line,) = bill.lines
    assert float(line.quantity) == max(60, summed["ExecutionTime"]) * 2 / 3600


def test_a_python_shell_job_has_modules_from_s3_and_keeps_its_outputs_apart(glue):
    helper = glue.put("lib/helper.py", "def text(args): return 'month ' + args['month']")
    fixed = {"--bucket": glue.bucket}
    name = glue.job(
        "shell",
        SHELL,
        DefaultArguments={"--extra-py-files": helper, "--month": "2013-01"},
        NonOverridableArguments=fixed,
    )
    run = glue.run(name, Arguments={"--month": "2013-02", "--bucket": "elsewhere"})
    assert run["JobRunState"] == "SUCCEEDED", (run, glue.said(run["Id"]))
    assert glue.get("shell.txt") == b"month 2013-02"
    said = glue.said(run["Id"])
    assert said["/aws-glue/python-jobs/output"] == ["said"]
    assert said["/aws-glue/python-jobs/error"][-1] == "complained"
    assert (run["MaxCapacity"], run["Arguments"]["--month"]) == (1.0, "2013-02")
    assert "DPUSeconds" not in run
    assert glue_model.python_shell(run["ExecutionTime"], dpu=run["MaxCapacity"]).total() > 0


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("divides", "1 / 0", "ZeroDivisionError: division by zero"),
        ("exits", "import sys; sys.exit(3)", "SystemExit: 3"),
        ("dies", "import os; os._exit(9)", "Command failed with exit code 9"),
        (
            "asks",
            "import sys\nfrom awsglue.utils import getResolvedOptions\n"
            "getResolvedOptions(sys.argv, ['month'])",
            "GlueArgumentError: the following arguments are required: --month",
        ),
        (
            "reads",
            "import boto3\nboto3.client('s3').list_objects_v2(Bucket='glue-lab')",
            "not authorized to perform: s3:ListBucket",
        ),
    ],
)
def test_a_run_that_fails_says_why(glue, name, code, message):
    run = glue.run(glue.job(name, code))
    assert run["JobRunState"] == "FAILED"
    assert message in run["ErrorMessage"]


def test_a_failed_run_is_tried_again(glue):
    name = glue.job("again", "raise SystemExit('no')", MaxRetries=1)
    first = glue.run(name)
    second = glue.wait(name, f"{first['Id']}_attempt_1")
    assert (second["Attempt"], second["PreviousRunId"]) == (1, first["Id"])
    runs = glue.client.get_job_runs(JobName=name)["JobRuns"]
    assert [run["Id"] for run in runs] == [second["Id"], first["Id"]]
    pages = glue.client.get_paginator("get_job_runs").paginate(
        JobName=name, PaginationConfig={"PageSize": 1}
    )
    assert [len(page["JobRuns"]) for page in pages] == [1, 1]


def test_a_run_that_is_stopped_leaves_the_job_free(glue):
    name = glue.job("waits", WAIT, MaxRetries=1)
    run = glue.start(name)
    with pytest.raises(ClientError, match="Concurrent runs exceeded for waits") as refused:
        glue.start(name)
    assert refused.value.response["Error"]["Code"] == "ConcurrentRunsExceededException"
    glue.wait(name, run, "RUNNING")
    answer = glue.client.batch_stop_job_run(JobName=name, JobRunIds=[run, "jr_none"])
    assert [one["JobRunId"] for one in answer["SuccessfulSubmissions"]] == [run]
    assert answer["Errors"][0]["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"
    ended = glue.wait(name, run)
    assert (ended["JobRunState"], "ErrorMessage" in ended) == ("STOPPED", False)
    again = glue.client.batch_stop_job_run(JobName=name, JobRunIds=[run])
    assert again["SuccessfulSubmissions"] == []
    assert len(glue.client.get_job_runs(JobName=name)["JobRuns"]) == 1


def test_a_script_that_the_role_may_not_read_is_a_launch_error(glue):
    role = glue.make_role("glue-blind", allow("s3:PutObject", "*"))
    run = glue.run(glue.job("unread", "print(1)", Role=role))
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"].startswith(
        "LAUNCH ERROR | Error downloading from S3 for bucket: glue-lab, key: scripts/unread.py."
    )
    assert run["ExecutionTime"] == 0


def test_a_role_that_stops_trusting_glue_fails_the_run(glue):
    role = glue.make_role("glue-gone")
    name = glue.job("orphan", "print(1)", Role="glue-gone")
    aws("iam").delete_role(RoleName="glue-gone")
    run = glue.run(name)
    assert run["ErrorMessage"] == (
        f"JobName:orphan and JobRunId:{run['Id']} failed to execute with exception Role glue-gone "
        "should be given assume role permissions for Glue Service."
    )
    assert role.endswith("/glue-gone")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"Role": "nobody"}, "Role nobody should be given assume role permissions for Glue Se"),
        ({"WorkerType": "G.3X"}, "Worker type G.3X is none of G.025X, G.1X"),
        ({"NumberOfWorkers": 1}, "at least 2 workers"),
        ({"MaxCapacity": 10.0}, "Please do not set Max Capacity if using Worker Type and"),
        ({"GlueVersion": "7.5"}, "Glue version 7.5 is none of"),
        ({"GlueVersion": "2.0", "ExecutionClass": "FLEX"}, "Glue version 3.0 and above"),
        ({"Timeout": 20_000}, "from 1 to 10,080"),
        ({"Command": {"Name": "glueray", "ScriptLocation": "s3://a/b"}}, "not glueray"),
        ({"Command": {"Name": "glueetl", "ScriptLocation": "b.py"}}, "place of a script in S3"),
        (
            {"DefaultArguments": {"--additional-python-modules": "x"}},
            "does not honour --additional-python-modules",
        ),
    ],
)
def test_a_job_that_cannot_run_is_refused(glue, more, message):
    with pytest.raises(ClientError, match=message) as refused:
        glue.job("refused", "print(1)", "glueetl", **more)
    assert refused.value.response["Error"]["Code"] == "InvalidInputException"
    assert "refused" not in glue.client.list_jobs()["JobNames"]


def test_a_role_for_another_service_is_refused(glue):
    role = glue.make_role("for-lambda", service="lambda.amazonaws.com")
    with pytest.raises(ClientError, match="for-lambda should be given assume role permissions"):
        glue.job("refused", "print(1)", Role=role)


def test_a_job_s_name_is_taken_once(glue):
    glue.job("once", "print(1)")
    assert glue.job("once", "print(1)") == "once"
    with pytest.raises(ClientError, match="already submitted with different configuration"):
        glue.job("once", "print(1)", MaxCapacity=0.0625)
    assert glue.client.get_job(JobName="once")["Job"]["MaxCapacity"] == 1.0


def test_a_run_of_no_job_is_not_found(glue):
    with pytest.raises(ClientError, match="Job nowhere not found"):
        glue.start("nowhere")
