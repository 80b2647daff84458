"""apache-airflow-providers-amazon (PyPI): EcsRunTaskOperator runs our task to its end."""

import json

import pytest

pytestmark = pytest.mark.slow
PROGRAM = """
import json, sys
from datetime import timedelta
from airflow.providers.amazon.aws.operators.ecs import EcsRunTaskOperator

operator = EcsRunTaskOperator(
    task_id="flights",
    aws_conn_id=None,
    waiter_delay=1,
    awslogs_group="/test",
    awslogs_stream_prefix="t/main",
    awslogs_fetch_interval=timedelta(seconds=1),
    **json.loads(sys.argv[1]),
)

class TaskInstance:  # what Airflow's task runner would give, to keep links in
    def xcom_push(self, **what): pass

try:
    operator.execute({"ti": TaskInstance()})
    print("success")
except Exception as error:
    print("failure:", error)
"""


@pytest.fixture(scope="module")
def airflow(install, run, lab):
    python = install("airflow", "apache-airflow-providers-amazon") / "python"

    def ran(family):
        wanted = {
            "cluster": "test",
            "task_definition": family,
            "launch_type": "FARGATE",
            "overrides": {"containerOverrides": []},
            "network_configuration": lab.network,
        }
        return run(python, "-c", PROGRAM, json.dumps(wanted))

    return ran


def test_a_task_that_ends_well_and_one_that_does_not(airflow, lab):
    lab.register("print('from the task')", family="airflow-good")
    assert "success" in airflow("airflow-good")
    lab.register("print('before the end'); raise SystemExit(3)", family="airflow-bad")
    said = airflow("airflow-bad")
    assert "failure:" in said
    assert "exit code" in said.lower() or "exitCode" in said
