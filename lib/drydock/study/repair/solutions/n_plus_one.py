"""Stored answers of the lab n_plus_one."""


def solve(lab, case):
    ecs = lab.client("ecs")
    definition = case.definition()
    container = definition["containerDefinitions"][0]
    kept = [one for one in container["environment"] if one["name"] not in ("ROWS", "EACH")]
    query = (
        "SELECT w.origin, w.month, w.day, a.name AS airport, "
        "max(w.temp) AS warmest, max(w.wind_gust) AS gust "
        "FROM weather AS w JOIN airports AS a ON a.faa = w.origin "
        "GROUP BY w.origin, w.month, w.day, a.name "
        "ORDER BY w.origin, w.month, w.day"
    )
    container["environment"] = [*kept, {"name": "ROWS", "value": query}]
    registered = ecs.register_task_definition(**definition)["taskDefinition"]
    ecs.update_service(
        cluster=case.cluster,
        service=case.service,
        taskDefinition=registered["taskDefinitionArn"],
    )


def leave_the_details_out(lab, case):
    _use(lab, case, lambda variables: variables.pop("EACH"))


def a_join_that_loses_the_days(lab, case):
    def change(variables):
        variables.pop("EACH")
        variables["ROWS"] = (
            "SELECT w.origin, w.month, a.name AS airport, max(w.temp) AS warmest, "
            "max(w.wind_gust) AS gust FROM weather AS w JOIN airports AS a ON a.faa = w.origin "
            "GROUP BY w.origin, w.month, a.name"
        )

    _use(lab, case, change)


def an_index_for_each_question(lab, case):
    with case.admin() as connection:
        connection.execute("CREATE INDEX ON weather (origin, month, day)")


def a_page_of_fifty(lab, case):
    _use(lab, case, lambda variables: variables.update(ROWS=variables["ROWS"] + " LIMIT 50"))


def _use(lab, case, change):
    ecs = lab.client("ecs")
    definition = case.definition()
    container = definition["containerDefinitions"][0]
    variables = {one["name"]: one["value"] for one in container["environment"]}
    change(variables)
    container["environment"] = [{"name": n, "value": v} for n, v in variables.items()]
    arn = ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    ecs.update_service(cluster=case.cluster, service=case.service, taskDefinition=arn)


WRONG = (
    (leave_the_details_out, "rows"),
    (a_join_that_loses_the_days, "rows"),
    (an_index_for_each_question, "statements"),
    (a_page_of_fifty, "rows"),
)
