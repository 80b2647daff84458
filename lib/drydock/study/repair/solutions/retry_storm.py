"""Stored answers of the lab retry_storm."""


def solve(lab, case):
    ecs = lab.client("ecs")
    text = case.program.read_text().replace("import os", "import os\nimport random", 1)
    patient = "return least + random.uniform(0, min(8, 0.2 * 2**tried))"
    case.program.write_text(text.replace("return 0\n", f"{patient}\n", 1))
    definition = case.definition()
    definition["containerDefinitions"][0]["image"] = case.build_image()
    ecs.register_task_definition(**definition)
    ecs.run_task(**case.run_task)


def ask_the_partner_for_more(lab, case):
    lab.client("apigatewayv2").update_stage(
        ApiId=case.api_id,
        StageName="v1",
        DefaultRouteSettings={"ThrottlingRateLimit": 1000.0, "ThrottlingBurstLimit": 1000},
    )
    lab.client("ecs").run_task(**case.run_task)


def try_for_ever(lab, case):
    ecs = lab.client("ecs")
    definition = case.definition()
    for variable in definition["containerDefinitions"][0]["environment"]:
        if variable["name"] == "TRIES":
            variable["value"] = "1000000"
    ecs.register_task_definition(**definition)
    ecs.run_task(**case.run_task)


def wait_longer_all_in_step(lab, case):
    _pause(lab, case, "return max(least, min(8, 0.2 * 2**tried))")


def overhear_retry_after(lab, case):
    _pause(lab, case, "return random.uniform(0, min(8, 0.2 * 2**tried))")


def wait_a_random_second(lab, case):
    _pause(lab, case, "return least + random.uniform(0, 2)")


def _pause(lab, case, line):
    text = case.program.read_text().replace("import os", "import os\nimport random", 1)
    case.program.write_text(text.replace("return 0\n", f"{line}\n", 1))
    definition = case.definition()
    definition["containerDefinitions"][0]["image"] = case.build_image()
    ecs = lab.client("ecs")
    ecs.register_task_definition(**definition)
    ecs.run_task(**case.run_task)


WRONG = (
    (ask_the_partner_for_more, "limit"),
    (try_for_ever, "backoff"),
    (wait_a_random_second, "backoff"),
    (wait_longer_all_in_step, "jitter"),
    (overhear_retry_after, "retry_after"),
)
