"""dagster-aws (PyPI): PipesECSClient runs our task to its end, and an asset depends on it."""

import json

import pytest

pytestmark = pytest.mark.slow
PROGRAM = """
import json, sys
import boto3
from dagster import AssetExecutionContext, asset, materialize
from dagster_aws.pipes import PipesCloudWatchMessageReader, PipesECSClient

wanted = json.loads(sys.argv[1])

@asset
def flights(context: AssetExecutionContext, pipes: PipesECSClient):
    return pipes.run(context=context, run_task_params=wanted).get_materialize_result()

reader = PipesCloudWatchMessageReader(client=boto3.client("logs"))
client = PipesECSClient(client=boto3.client("ecs"), message_reader=reader)
done = materialize([flights], resources={"pipes": client}, raise_on_error=False)
print("success" if done.success else "failure")
"""


@pytest.fixture(scope="module")
def dagster(install, run, lab):
    python = install("dagster", "dagster-aws") / "python"

    def ran(family, **options):
        params = {
            "cluster": "test",
            "taskDefinition": family,
            "launchType": "FARGATE",
            "networkConfiguration": lab.network,
            "count": 1,
        }
        return run(python, "-c", PROGRAM, json.dumps(params), **options)

    return ran


def test_a_task_that_ends_well_and_one_that_does_not(dagster, lab):
    lab.register("import time; time.sleep(1); print('done')", family="dagster-good")
    assert dagster("dagster-good").rstrip().endswith("success")
    lab.register("import time; time.sleep(1); raise SystemExit(3)", family="dagster-bad")
    assert dagster("dagster-bad").rstrip().endswith("failure")
