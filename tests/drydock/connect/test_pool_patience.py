"""How long a pool asks its source again when the database refuses who we are."""

import itertools
from dataclasses import replace

import pytest

from drydock.connect.errors import LoginRefused
from drydock.connect.pools import pool


@pytest.mark.parametrize("driver", ["psycopg", "odbc"])
@pytest.mark.parametrize("always_new", [False, True], ids=["the same", "a new one each time"])
def test_a_password_that_stays_wrong_is_refused_in_the_end(database, driver, always_new):
    """Also where each answer of the source differs from the last, as IAM tokens do."""
    numbers, asked = itertools.count(), []

    def source(refused=None):
        asked.append(refused)
        word = f"wrong-{next(numbers)}" if always_new else "wrong"
        return replace(database.admin, password=word)

    engine = pool(source, database.ca, driver=driver, patience=0.5)
    with pytest.raises(LoginRefused), engine.connect():
        pass
    engine.dispose()
    assert len(asked) > 1
    assert asked[0] is None
    assert all(refused.password.startswith("wrong") for refused in asked[1:])


def test_without_patience_the_source_is_asked_once_more_and_no_oftener(database):
    asked = []

    def source(refused=None):
        asked.append(refused)
        return replace(database.admin, password=f"wrong-{len(asked)}")

    engine = pool(source, database.ca, patience=0)
    with pytest.raises(LoginRefused), engine.connect():
        pass
    engine.dispose()
    assert len(asked) == 2
