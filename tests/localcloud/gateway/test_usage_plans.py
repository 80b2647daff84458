"""API keys and usage plans of REST APIs: who may call, how fast and how often."""

import datetime as dt
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from rest_apis import FORBIDDEN, QUOTA, THROTTLED, RestApi, refusal

from localcloud.gateway.rest import plans

SLOW = {"rateLimit": 0.001, "burstLimit": 3}


def today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


@pytest.fixture
def rest(cloud, apis):
    """An API whose GET /flights and GET /planes need a key."""
    server = apis.server()
    api = RestApi(cloud)
    for path in ("/flights", "/planes"):
        api.method("GET", path, f"http://{server.address}:{server.port}", key=True)
    api.deploy()
    yield api
    api.remove()


def codes(rest, many, value, path="/flights"):
    return [rest.ask(path, key=value).status_code for _ in range(many)]


def test_without_a_key_of_a_plan_of_the_stage_it_is_403(rest):
    key, value = rest.key()
    assert refusal(rest.ask()) == FORBIDDEN
    assert refusal(rest.ask(key="no key at all, but long")) == FORBIDDEN
    assert refusal(rest.ask(key=value)) == FORBIDDEN
    elsewhere = rest.plan(key, stage=None)
    assert refusal(rest.ask(key=value)) == FORBIDDEN
    here = [{"op": "add", "path": "/apiStages", "value": f"{rest.id}:v1"}]
    rest.gateway.update_usage_plan(usagePlanId=elsewhere, patchOperations=here)
    rest._plans[-1] = (elsewhere, "v1")
    assert rest.ask(key=value).status_code == 200


def test_a_key_that_is_disabled_is_403(rest):
    key, value = rest.key()
    rest.plan(key)
    assert rest.ask(key=value).status_code == 200
    off = [{"op": "replace", "path": "/enabled", "value": "false"}]
    rest.gateway.update_api_key(apiKey=key, patchOperations=off)
    assert refusal(rest.ask(key=value)) == FORBIDDEN


def test_a_plan_throttles_each_key_by_itself(rest):
    (one, first), (two, second) = rest.key(), rest.key()
    rest.plan(one, two, throttle=SLOW)
    assert codes(rest, 4, first) == [200, 200, 200, 429]
    assert refusal(rest.ask(key=first)) == THROTTLED
    assert codes(rest, 1, second) == [200]


def test_a_throttle_of_one_method_leaves_the_other_alone(rest):
    key, value = rest.key()
    plan = rest.gateway.create_usage_plan(
        name="methods",
        apiStages=[{"apiId": rest.id, "stage": "v1", "throttle": {"/flights/GET": SLOW}}],
    )["id"]
    rest.gateway.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")
    assert codes(rest, 4, value) == [200, 200, 200, 429]
    assert codes(rest, 4, value, "/planes") == [200] * 4


@pytest.mark.parametrize("period", ["DAY", "WEEK", "MONTH"])
def test_beyond_the_quota_it_is_429_and_usage_says_so(rest, period):
    key, value = rest.key()
    plan = rest.plan(key, quota={"limit": 3, "period": period})
    assert codes(rest, 3, value) == [200] * 3
    assert refusal(rest.ask(key=value)) == QUOTA
    dates = {"startDate": str(today()), "endDate": str(today())}
    assert rest.gateway.get_usage(usagePlanId=plan, **dates)["items"] == {key: [[3, 0]]}
    more = [{"op": "replace", "path": "/remaining", "value": "2"}]
    changed = rest.gateway.update_usage(usagePlanId=plan, keyId=key, patchOperations=more)
    assert changed["items"] == {key: [[3, 2]]}
    assert codes(rest, 3, value) == [200, 200, 429]


def test_what_is_throttled_is_not_counted(rest):
    key, value = rest.key()
    plan = rest.plan(key, throttle=SLOW, quota={"limit": 100, "period": "DAY"})
    assert codes(rest, 5, value) == [200] * 3 + [429] * 2
    dates = {"startDate": str(today() - dt.timedelta(1)), "endDate": str(today())}
    usage = rest.gateway.get_usage(usagePlanId=plan, keyId=key, **dates)
    assert usage["items"][key][1] == [3, 97]


def test_limits_of_a_plan_can_be_changed(rest):
    key, value = rest.key()
    plan = rest.plan(key, throttle=SLOW, quota={"limit": 100, "period": "DAY"})
    assert codes(rest, 4, value) == [200] * 3 + [429]

    def change(path, to):
        changes = [{"op": "replace", "path": path, "value": to}]
        return rest.gateway.update_usage_plan(usagePlanId=plan, patchOperations=changes)

    assert change("/throttle/rateLimit", "0.5")["throttle"]["rateLimit"] == 0.5
    change("/throttle/burstLimit", "50")
    assert change("/quota/limit", "5")["quota"] == {"limit": 5, "period": "DAY"}
    assert codes(rest, 3, value) == [200, 200, 429]
    for path, to in (("/throttle/rateLimit", "fast"), ("/quota/limit", "-1")):
        with pytest.raises(ClientError, match="Invalid value"):
            change(path, to)


def test_a_stage_that_is_gone_is_in_no_plan(cloud, rest):
    other = RestApi(cloud)
    other.method("GET", "/", "http://127.0.0.1:9")
    other.deploy("v2")
    both = [{"apiId": rest.id, "stage": "v1"}, {"apiId": other.id, "stage": "v2"}]
    plan = rest.gateway.create_usage_plan(name="both", apiStages=both)["id"]
    other.remove()
    known = rest.gateway.get_usage_plan(usagePlanId=plan)
    assert known["apiStages"] == both[:1]
    rest.gateway.delete_stage(restApiId=rest.id, stageName="v1")
    rest.gateway.delete_usage_plan(usagePlanId=plan)


def test_the_offset_makes_the_first_period_smaller(rest):
    key, value = rest.key()
    rest.plan(key, quota={"limit": 3, "period": "MONTH", "offset": 2})
    assert codes(rest, 2, value) == [200, 429]


@pytest.mark.parametrize(
    ("period", "day", "left"),
    [
        ("DAY", "2026-03-07", 5),
        ("WEEK", "2026-03-07", 1),  # Saturday, with the Sunday before
        ("WEEK", "2026-03-08", 5),
        ("MONTH", "2026-03-31", 1),
        ("MONTH", "2026-04-01", 5),
    ],
)
def test_a_period_begins_anew(period, day, left):
    plan = SimpleNamespace(
        quota={"limit": "5", "period": period},
        created=dt.date(2026, 1, 1),
        used={"key": {"2026-03-01": 4}},
    )
    assert plans.remaining(plan, "key", dt.date.fromisoformat(day)) == left


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"apiStages": [{"apiId": "none", "stage": "v1"}]}, "NotFoundException"),
        ({"quota": {"limit": 0, "period": "DAY"}}, "BadRequestException"),
        ({"quota": {"limit": 5}}, "BadRequestException"),
        ({"throttle": {"rateLimit": -1.0, "burstLimit": 1}}, "BadRequestException"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(rest, given, code):
    with pytest.raises(ClientError) as caught:
        rest.gateway.create_usage_plan(name="bad", **given)
    assert caught.value.response["Error"]["Code"] == code


def test_keys_and_plans_that_do_not_fit_are_refused(rest):
    key, value = rest.key()
    plan = rest.plan(key)

    def code(operation, **given):
        with pytest.raises(ClientError) as caught:
            getattr(rest.gateway, operation)(**given)
        return caught.value.response["Error"]["Code"]

    fits = {"keyId": key, "keyType": "API_KEY"}
    assert code("create_usage_plan_key", usagePlanId="none", **fits) == "NotFoundException"
    second = rest.plan()
    assert code("create_usage_plan_key", usagePlanId=second, **fits) == "ConflictException"
    assert code("delete_usage_plan", usagePlanId=plan) == "BadRequestException"
    assert code("create_api_key", name="short", value="short") == "BadRequestException"
    assert code("create_api_key", name="twice", value=value) == "ConflictException"
    for dates in (("2026-01-02", "2026-01-01"), ("soon", "2026-01-01"), ("2026-01-01",) * 2):
        given = dict(zip(("startDate", "endDate"), dates, strict=True))
        keys = {"keyId": "none"} if dates[0] == dates[1] else {}
        found = code("get_usage", usagePlanId=plan, **given, **keys)
        assert found == ("NotFoundException" if keys else "BadRequestException")
