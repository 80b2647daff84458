"""Stored answers of the lab late_answer."""


def solve(lab, case):
    with case.admin() as connection:
        connection.execute("CREATE INDEX ON weather (origin, time_hour)")
        connection.execute("ANALYZE weather")


def wait_longer(lab, case):
    lab.client("apigatewayv2").update_integration(
        ApiId=case.api_id, IntegrationId=case.integration_id, TimeoutInMillis=30_000
    )


def give_the_task_more_cpu(lab, case):
    _use(lab, case, case.definition() | {"cpu": "1024", "memory": "2048"})


def index_another_column(lab, case):
    with case.admin() as connection:
        connection.execute("CREATE INDEX ON weather (temp)")


def answer_with_fewer_rows(lab, case):
    definition = case.definition()
    for variable in definition["containerDefinitions"][0]["environment"]:
        if variable["name"] == "ROWS":
            fewer = "(SELECT * FROM departures ORDER BY id LIMIT 50)"
            variable["value"] = variable["value"].replace("departures", fewer)
    _use(lab, case, definition)


def _use(lab, case, definition):
    ecs = lab.client("ecs")
    arn = ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster=case.cluster, service=case.service, taskDefinition=arn)


WRONG = (
    (wait_longer, "limit"),
    (give_the_task_more_cpu, "in_time"),
    (index_another_column, "in_time"),
    (answer_with_fewer_rows, "rows"),
)
