"""What is left in an account is named, one a line; a service that does not tell counts as well."""

import boto3
import pytest
from botocore.stub import Stubber

from drydock.account import access, survivors

ACCOUNT = "123456789012"


class Stubbed(access.Account):
    """An account whose services answer nothing, but for what a test has given."""

    def client(self, service):
        client = self.session.client(service)
        for operation in dir(client):
            if operation in ANSWERS.get(service, {}):
                stub = Stubber(client)
                answer = ANSWERS[service][operation]
                if isinstance(answer, str):
                    stub.add_client_error(operation, answer, "no")
                else:
                    stub.add_response(operation, answer)
                stub.activate()
        return client


ANSWERS: dict[str, dict] = {}


@pytest.fixture
def asked(monkeypatch):
    """A function of (service, operation, answer): what _asked of that service then says."""
    session = boto3.Session("a", "b", region_name="us-east-1")

    def given(service: str, operation: str, names: str, answer) -> tuple[list, list]:
        monkeypatch.setitem(ANSWERS, service, {operation: answer})
        return survivors._asked(Stubbed(session), service, operation, names, {})

    return given


def test_names_of_the_lab_are_told_from_others():
    mine = [
        "drydock-task",
        "drydock/etl",
        "/drydock/api",
        "/aws/lambda/drydock-rotation",
        f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/drydock",
        f"arn:aws:sns:us-east-1:{ACCOUNT}:drydock-budget",
    ]
    assert survivors.ours([*mine, "my-drydock", "AWSServiceRoleForECS", "lake"]) == mine


def test_the_index_of_tags_is_heard_on_services_that_are_not_asked():
    index = [
        f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc/vpc-1",  # may have gone minutes ago
        f"arn:aws:glue:us-east-1:{ACCOUNT}:job/curate",
    ]
    assert survivors.elsewhere(index) == [f"by its tag: {index[1]}"]


def test_all_pages_are_read(asked):
    found = asked("eks", "list_clusters", "clusters[]", {"clusters": ["drydock", "other"]})
    assert found == (["drydock", "other"], [])


def test_a_service_that_refuses_is_a_line_and_not_a_silence(asked):
    names, [line] = asked("eks", "list_clusters", "clusters[]", "AccessDeniedException")
    assert names == []
    assert line.startswith("not known, for eks list_clusters did not answer:")
    assert "may not do it" in line


def test_the_last_line_counts():
    assert survivors.summary([]) == "nothing is left of the lab in this account"
    assert survivors.summary(["a", "b"]).startswith("2 left")


def test_every_operation_and_every_name_is_one_that_botocore_knows():
    session = boto3.Session("a", "b", region_name="us-east-1")
    rows = [*survivors.BY_NAME, *survivors.OF_DATABASE]
    rows += [(what, "ec2", operation, names) for what, operation, names in survivors.BY_TAG]
    for _, service, operation, names in rows:
        client = session.client(service)
        model = client.meta.service_model.operation_model(
            client.meta.method_to_api_mapping[operation]
        )
        member = names.split("[")[0]
        assert member in model.output_shape.members, (service, operation)
