"""What labs print: the same every time."""

import pytest

from drydock.study.repair.shown import Hint, Rule, Verdict, tidy


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("task 0123456789abcdef0123456789abcdef failed", "task … failed"),
        ("repo@sha256:" + "0" * 64, "repo@sha256:…"),
        ("database lookup at 127.4.5.6:41233 refused", "database lookup at … refused"),
        (
            "s3://lake-1/curated/flights-2-9af1c17d265f.parquet",
            "s3://lake-1/curated/flights-….parquet",
        ),
        ("cannot open /tmp/home/tasks/x/tmp/spill: full", "cannot open spill: full"),
        (
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:repair/one-Ab12Cd is denied",
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:repair/one-… is denied",
        ),
        ("subnet-0a1b2c3d4e5f60718 has no route", "subnet-… has no route"),
        ('server at "x", port 46855 failed: timeout', 'server at "x", port … failed: timeout'),
        ("two\nlines", "two lines"),
        ("release 1.2.3 of s3://bucket/a/b/c", "release 1.2.3 of s3://bucket/a/b/c"),
        ("the log group /repair/bad-image is gone", "the log group /repair/bad-image is gone"),
    ],
)
def test_what_changes_is_left_out(told, shown):
    assert tidy(told) == shown


def rule(name, why=None):
    return Rule(name, f"The rule {name}", lambda: why)


def test_a_verdict_tells_what_holds_what_fails_and_what_is_not_reached():
    verdict = Verdict("some_lab", (rule("one"),), (rule("two"), rule("three")), "It does not.")
    assert not verdict
    assert verdict.failed == "two"
    assert repr(verdict).splitlines() == [
        "some_lab: not repaired yet",
        "holds       The rule one",
        "FAILS       The rule two",
        "            It does not.",
        "not yet     The rule three",
    ]


def test_a_verdict_of_a_repaired_system_is_true():
    verdict = Verdict("some_lab", (rule("one"),))
    assert verdict
    assert verdict.failed is None
    assert repr(verdict) == "some_lab: repaired\nholds       The rule one"


def test_a_hint_says_how_many_there_are():
    assert repr(Hint(2, "Look there.")) == "Hint 2 of 3 (pointer): Look there."
