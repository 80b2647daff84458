"""Named parameters become numbered ones, where SQL has them and nowhere else."""

import pytest

from localcloud.rds_data.statements import numbered


@pytest.mark.parametrize(
    ("sql", "made", "names"),
    [
        ("SELECT :a, :b, :a", "SELECT $1, $2, $3", ["a", "b", "a"]),
        ("SELECT :a::int", "SELECT $1::int", ["a"]),
        ("SELECT a::text, :b::date", "SELECT a::text, $1::date", ["b"]),
        ("SELECT ':a', \":b\", :c", "SELECT ':a', \":b\", $1", ["c"]),
        ("SELECT 'it''s :a', :b", "SELECT 'it''s :a', $1", ["b"]),
        ("SELECT E'it\\'s :a', :b", "SELECT E'it\\'s :a', $1", ["b"]),
        ("SELECT 'back\\', :a", "SELECT 'back\\', $1", ["a"]),
        ("SELECT name' :a '", "SELECT name' :a '", []),
        ("SELECT $$ :a $$, :b", "SELECT $$ :a $$, $1", ["b"]),
        ("SELECT $t$ :a $$ :b $t$, :c", "SELECT $t$ :a $$ :b $t$, $1", ["c"]),
        ("SELECT 1 -- :a\n, :b", "SELECT 1 -- :a\n, $1", ["b"]),
        ("SELECT /* :a /* :b */ :c */ :d", "SELECT /* :a /* :b */ :c */ $1", ["d"]),
        ("SELECT a[1:2], :a", "SELECT a[1:2], $1", ["a"]),
        ("SELECT a[:l:u]", "SELECT a[$1$2]", ["l", "u"]),
        ("SELECT f(x := :a)", "SELECT f(x := $1)", ["a"]),
        ("SELECT 'open :a", "SELECT 'open $1", ["a"]),
        ("SELECT :", "SELECT :", []),
        ("", "", []),
    ],
)
def test_numbered(sql, made, names):
    assert numbered(sql, set(names)) == (made, names)


def test_a_number_is_a_name_when_a_parameter_has_it():
    assert numbered("SELECT :1", {"1"}) == ("SELECT $1", ["1"])
    assert numbered("SELECT a[2:1]", set()) == ("SELECT a[2:1]", [])
