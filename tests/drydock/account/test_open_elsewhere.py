"""open_lab opens the local cloud, another one by its address, or an account; never by surprise."""

import pytest

from drydock.account.access import AccountError
from drydock.errors import WrongInput
from drydock.lab import open_lab


def test_a_cloud_by_its_address(cloud):
    here, there = open_lab(), open_lab(cloud.endpoint)
    assert repr(here) == "Lab(local cloud, us-east-1, account 123456789012)"
    assert there.where == cloud.endpoint and there.account_id == here.account_id
    topic = there.client("sns").create_topic(Name="by-its-address")["TopicArn"]
    assert here.client("sns").get_topic_attributes(TopicArn=topic)
    here.client("sns").delete_topic(TopicArn=topic)


def test_an_account_without_credentials_is_one_line(monkeypatch, tmp_path):
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with pytest.raises(AccountError, match=r"no AWS credentials .*aws configure"):
        open_lab("aws")


def test_what_is_no_target():
    with pytest.raises(WrongInput, match='type "local", "aws" or'):
        open_lab("AWS!")
