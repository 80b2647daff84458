"""Database credentials in RDS's JSON form."""

import json

import pytest

from drydock.connect.secrets import KEYS, DatabaseSecret, SecretError

SECRET = DatabaseSecret(
    host="db.example", port=5432, username="etl", dbname="lookup", password="pa;ss{w}ord"
)


def test_a_secret_survives_the_round_trip():
    assert DatabaseSecret.from_json(SECRET.to_json()) == SECRET


def test_the_stored_form_has_the_keys_that_rds_writes():
    assert sorted(json.loads(SECRET.to_json())) == sorted(KEYS)


def test_the_password_never_shows():
    assert SECRET.password not in repr(SECRET)
    assert SECRET.password not in str(SECRET)


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_key_is_named_and_no_value_is_shown(key):
    values = json.loads(SECRET.to_json())
    del values[key]
    with pytest.raises(SecretError) as error:
        DatabaseSecret.from_json(json.dumps(values), "secret drydock/x")
    assert str(error.value).startswith(f"secret drydock/x lacks {key};")
    assert SECRET.password not in str(error.value)


@pytest.mark.parametrize("text", ["", "not json", "{", "[]", "null", "7"])
def test_what_is_no_secret_is_refused(text):
    with pytest.raises(SecretError, match="store"):
        DatabaseSecret.from_json(text)
