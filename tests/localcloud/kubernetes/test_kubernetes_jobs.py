"""Jobs and CronJobs: counts, indexes, limits, and what is said about them."""

import pytest
from eks_lab import until

from localcloud.kubernetes import job_status, schedules
from localcloud.kubernetes.ages import moment


def pods_of(lab, name):
    return lab.core.list_namespaced_pod("default", label_selector=f"job-name={name}").items


def test_every_index_runs_once(lab):
    code = "import os; print('index', os.environ['JOB_COMPLETION_INDEX'])"
    lab.batch.create_namespaced_job(
        "default",
        lab.job("indexed", code, completions=5, parallelism=2, completionMode="Indexed"),
    )
    job, condition = lab.wait_for_job("indexed")
    assert (condition.type, job.status.completed_indexes) == ("Complete", "0-4")
    said = sorted(lab.log(pod.metadata.name) for pod in pods_of(lab, "indexed"))
    assert said == [f"index {index}\n" for index in range(5)]
    reasons = [reason for reason, _ in lab.events("indexed")]
    assert reasons == ["SuccessfulCreate"] * 5 + ["Completed"]
    for pod in pods_of(lab, "indexed"):
        assert pod.metadata.finalizers is None


def test_too_many_failures_end_the_job(lab):
    lab.batch.create_namespaced_job(
        "default", lab.job("failing", "raise SystemExit(1)", backoffLimit=1)
    )
    job, condition = lab.wait_for_job("failing")
    assert (condition.type, condition.reason) == ("Failed", "BackoffLimitExceeded")
    assert condition.message == "Job has reached the specified backoff limit"
    assert job.status.failed == 2
    assert lab.events("failing")[-1] == ("BackoffLimitExceeded", condition.message)


def test_a_container_is_tried_again_in_its_pod(lab):
    code = (
        "import os, sys\n"
        "path = os.environ['FOLDER'] + '/tried'\n"
        "if os.path.exists(path): sys.exit(0)\n"
        "open(path, 'w').close()\n"
        "sys.exit(1)"
    )
    container = {
        "env": [{"name": "FOLDER", "value": "/data"}],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    document = lab.job("again", code, restart="OnFailure", container=container)
    document["spec"]["template"]["spec"]["volumes"] = [{"name": "data"}]
    lab.batch.create_namespaced_job("default", document)
    _, condition = lab.wait_for_job("again")
    (pod,) = pods_of(lab, "again")
    assert condition.type == "Complete"
    assert pod.status.container_statuses[0].restart_count == 1


def test_a_failure_policy_ends_the_job_at_once(lab):
    rule = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}
    lab.batch.create_namespaced_job(
        "default",
        lab.job("fatal", "raise SystemExit(42)", podFailurePolicy={"rules": [rule]}),
    )
    job, condition = lab.wait_for_job("fatal")
    assert (condition.type, condition.reason) == ("Failed", "PodFailurePolicy")
    assert condition.message.endswith("failed with exit code 42 matching FailJob rule at index 0")
    assert job.status.failed == 1


def test_a_job_may_not_take_longer_than_it_says(lab):
    code = "import time; time.sleep(60)"
    lab.batch.create_namespaced_job("default", lab.job("slow", code, activeDeadlineSeconds=1))
    _, condition = lab.wait_for_job("slow")
    assert (condition.type, condition.reason) == ("Failed", "DeadlineExceeded")
    until(lambda: pods_of(lab, "slow") == [])


def test_a_job_goes_some_time_after_its_end(lab):
    lab.batch.create_namespaced_job(
        "default", lab.job("brief", "print(1)", ttlSecondsAfterFinished=0)
    )
    names = lambda: [job.metadata.name for job in lab.batch.list_namespaced_job("default").items]  # noqa: E731
    until(lambda: "brief" not in names() and pods_of(lab, "brief") == [])


def test_a_suspended_job_has_no_pods_until_it_goes_on(lab):
    lab.batch.create_namespaced_job("default", lab.job("held", "print(1)", suspend=True))

    def suspended():
        found = lab.batch.read_namespaced_job("held", "default").status.conditions or []
        return [c.type for c in found] == ["Suspended"]

    until(suspended)
    assert pods_of(lab, "held") == []
    lab.batch.patch_namespaced_job("held", "default", {"spec": {"suspend": False}})
    assert lab.wait_for_job("held")[1].type == "Complete"


def test_a_job_deleted_by_default_leaves_its_pods(lab):
    lab.batch.create_namespaced_job("default", lab.job("left", "print(1)"))
    lab.wait_for_job("left")
    lab.batch.delete_namespaced_job("left", "default")
    (pod,) = pods_of(lab, "left")
    assert pod.metadata.owner_references in (None, [])
    lab.core.delete_namespaced_pod(pod.metadata.name, "default")


@pytest.mark.parametrize(
    ("indexes", "text"),
    [(set(), ""), ({0}, "0"), ({0, 1}, "0,1"), ({0, 1, 2, 5, 7, 8, 9}, "0-2,5,7-9")],
)
def test_indexes_are_written_as_kubernetes_does(indexes, text):
    assert job_status.write_indexes(indexes) == text
    assert job_status.read_indexes(text) == indexes


@pytest.mark.parametrize(
    ("text", "after", "then"),
    [
        ("*/15 * * * *", "2026-11-23T04:01:00Z", "2026-11-23T04:15:00Z"),
        ("0 3 * * mon", "2026-11-23T04:01:00Z", "2026-11-30T03:00:00Z"),
        ("30 4 1,15 * *", "2026-11-23T04:01:00Z", "2026-12-01T04:30:00Z"),
        ("0 0 13 * 5", "2026-11-23T04:01:00Z", "2026-11-27T00:00:00Z"),
        ("@hourly", "2026-12-31T23:59:00Z", "2027-01-01T00:00:00Z"),
        ("0 0 29 2 *", "2026-11-23T04:01:00Z", "2028-02-29T00:00:00Z"),
    ],
)
def test_a_schedule_names_the_next_time(text, after, then):
    assert schedules.parse(text).after(moment(after)) == moment(then)


@pytest.mark.parametrize("text", ["* * * *", "60 * * * *", "x * * * *", "5-1 * * * *"])
def test_a_schedule_that_is_none_is_refused(text):
    with pytest.raises(ValueError):
        schedules.parse(text)
