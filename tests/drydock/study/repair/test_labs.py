"""Every lab: broken at the start, not repaired by nothing or by the usual mistakes, repaired by its
stored solution, gone without a trace."""

import re

import pytest
from lives import Life, answers

from drydock.study import repair
from drydock.study.repair.shown import WIDTH

SYMPTOMS = {
    "bad_image": "TaskFailedToStart: CannotPullContainerError.*:1.0.l: not found",
    "cors_refused": "outside a browser, GET /delays: 200.*no Access-Control-Allow-Origin",
    "crash_loop": "RESTARTS grows.*version 2 needs the setting RATE_LIMIT",
    "disk_full": "No space left on device",
    "exhausted_connections": "too many connections for role",
    "expired_password": "password authentication failed",
    "fetchall_memory": "exit code 137: OutOfMemoryError: Container killed due to memory usage",
    "health_check_flapping": "failed container health checks",
    "hpa_without_requests": "missing request for cpu in container worker",
    "image_pull": "ImagePullBackOff.*:1.0.l: not found",
    "late_answer": "/healthz: 200.*/rows: 504.*Gateway Timeout",
    "log_group_missing": "ResourceInitializationError: failed to validate logger args.*log group",
    "n_plus_one": "200, 1,092 rows.*statements.*more than it has rows",
    "no_capacity": "2 of 3 tasks run: was unable to place a task.*insufficient memory",
    "no_route": "ResourceInitializationError|CannotPullContainerError",
    "oom_killed": "BackoffLimitExceeded.*OOMKilled, exit code 137",
    "out_of_memory": "exit code 137: OutOfMemoryError: Container killed due to memory usage",
    "pending_cpu": "2 of 3 pods run.*0/1 nodes are available: 1 Insufficient cpu",
    "port_closed": "etl: database lookup at .* cannot be read",
    "retry_storm": "exit code 1.*refused 8 times.*more requests with status 429 than with 200",
    "role_without_s3": "cannot be written: AccessDenied",
    "secret_denied": "ResourceInitializationError.*not authorized.*secretsmanager:GetSecretValue",
    "secret_newline": "refused user etl: wrong password",
    "sidecar_ends_task": "exit codes: main 143, settings 0",
    "spot_loses_work": "SpotInterruption: Your Spot Task was interrupted.*S3 has 0 of 5 reports",
    "stuck_deployment": "rolloutState IN_PROGRESS.*version 2 needs the setting RATE_LIMIT",
    "wrong_service_account": "Unable to locate credentials",
    "wrong_port": "502 Bad Gateway.*Target.FailedHealthChecks",
    "wrong_host": "DNS does not know that name",
    "wrong_size": r"ClientException\).*No Fargate configuration exists for given values",
}
NAMES = repair.names()


@pytest.fixture(params=NAMES)
def name(request) -> str:
    return request.param


@pytest.fixture
def life(name, lives) -> Life:
    life = lives[name].result()
    if life.skipped:
        pytest.skip(life.skipped)
    return life


def test_it_starts_with_real_symptoms(name, life):
    assert re.search(SYMPTOMS[name], " ".join(life.symptoms), re.IGNORECASE)


def test_doing_nothing_is_refused(life):
    assert not life.nothing.repaired
    assert life.nothing.why


def test_each_usual_mistake_is_refused_by_its_rule(name, life):
    expected = {answer.__name__: rule for answer, rule in answers(name).WRONG}
    assert len(expected) >= 2
    assert {answer: verdict.failed for answer, verdict in life.wrong.items()} == expected


def test_the_stored_solution_repairs_it(life):
    assert life.solved.repaired, life.solved


def test_reset_and_a_second_start_show_the_very_same_story(life):
    first, second, after_reset = life.stories
    assert first == second == after_reset


def test_a_second_start_leaves_nothing_of_the_first_behind(life):
    first, second, after_reset = life.inventories
    assert first == second == after_reset


def test_cleaning_leaves_nothing_at_all(life):
    assert life.left == set()


def test_three_hints_come_one_at_a_time(life):
    assert [hint.level for hint in life.hints] == [1, 2, 3, 0]
    assert len({hint.text for hint in life.hints}) == 4
    assert "nudge" in repr(life.hints[0])
    assert "near-solution" in repr(life.hints[2])


def test_the_solution_is_shown_only_after_the_hints(life):
    assert "3 left" in life.early_solution
    assert life.solution.startswith("def solve(lab, case):")


def test_nothing_that_is_shown_changes_from_run_to_run(life, lab):
    assert not re.search(r"\b[0-9a-f]{12,}\b", life.shown.replace(lab.account_id, ""))
    assert not re.search(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b(?!/)", life.shown)
    assert not re.search(r"\bport (?!5432|8000)\d{4,5}\b", life.shown)
    assert str(lab.home) not in life.shown
    assert lab.endpoint not in life.shown


def test_no_password_is_shown(life, lab):
    text = lab.client("secretsmanager").get_secret_value(SecretId="drydock/lookup/etl")
    password = re.search(r'"password": "([^"]+)"', text["SecretString"])[1]
    assert password not in life.shown


def test_the_story_fits_a_page(life):
    lines = life.stories[0].splitlines()
    assert len(lines) <= 34
    assert [line for line in lines if len(line) > WIDTH and "s3://" not in line] == []
