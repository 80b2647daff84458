"""Revision: every skill of the book has a page that says something, and names where to read."""

import re

import pytest

from drydock.errors import WrongInput
from drydock.study import exercises, questions, revision


@pytest.mark.parametrize("skill", revision.skills())
def test_each_skill_has_a_page(skill):
    page = revision.page(skill)
    assert 1 <= len(page.points) <= 3
    assert all(len(point) > 40 and point.endswith(".") for point in page.points)
    assert page.sources and all(one.startswith("https://") for one in page.sources)
    for name in page.lessons:
        place = name.removeprefix("exercise ")
        assert place in exercises.everything() or re.match(r"\d\d", place)


def test_no_page_is_for_a_skill_that_the_book_does_not_have():
    assert set(revision._points()) == set(revision.skills())


def test_a_page_says_where_the_book_shows_the_skill():
    page = revision.page("1.2.2")
    assert "05_connect; exercises 5.1, 5.2" in page.where().replace("01_pipeline; ", "")
    assert page.text().startswith("1.2.2 reach sources over JDBC or ODBC\n  - JDBC is")
    assert page.html().startswith("<details><summary><b>1.2.2</b>")


def test_a_task_and_a_domain_show_their_skills():
    assert [one.skill for one in revision.show("4.3").pages] == ["4.3.2", "4.3.3", "4.3.4"]
    domain = [one.skill for one in revision.show("4").pages]
    assert domain == [one for one in revision.skills() if one.startswith("4.")]
    assert revision.show("4.3")._repr_html_().count("<details>") == 3
    assert repr(revision.show("4.3")) == "Pages of 4.3.2, 4.3.3, 4.3.4"


@pytest.mark.parametrize("wrong", ["9", "1.2.99", "", "one"])
def test_what_is_not_there_is_named(wrong):
    with pytest.raises(WrongInput, match="no task or domain"):
        revision.show(wrong)
    with pytest.raises(WrongInput, match="no skill"):
        revision.page(wrong)


def test_text_is_shown_as_text():
    page = revision.Page("1.2.2", "<b>", ("a < b",), (), ("https://x/y.html",))
    assert "&lt;b&gt;" in page.html() and "a &lt; b" in page.html()
    assert questions.guide()["skills"]["1.2.2"]["about"] in revision.page("1.2.2").html()
