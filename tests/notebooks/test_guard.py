"""One small notebook for each fault, named by it: the guard must name that fault and no other."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from drydock.notebook_guard import IGNORED_CELLS, guard


def shown(source="2 + 2", count=1, text="4", mime="text/plain", **metadata):
    """A code cell with one stored result."""
    result = new_output("execute_result", {mime: text}, execution_count=count)
    return new_code_cell(source, execution_count=count, outputs=[result], metadata=metadata)


def printed(text, count=1, **metadata):
    stream = new_output("stream", name="stdout", text=text)
    return new_code_cell("show()", execution_count=count, outputs=[stream], metadata=metadata)


def failed(**metadata):
    error = new_output("error", ename="ValueError", evalue="no such month", traceback=[])
    return new_code_cell("run()", execution_count=1, outputs=[error], metadata=metadata)


def silent(count, source="x = 1", **metadata):
    return new_code_cell(source, execution_count=count, metadata=metadata)


SOUND = {
    "plain": [new_markdown_cell("# Title"), shown(), shown(count=2)],
    "announced error": [failed(tags=["raises-exception"])],
    "error announced by a comment": [
        new_code_cell(
            "# NBVAL_RAISES_EXCEPTION\nrun()", execution_count=1, outputs=failed().outputs
        )
    ],
    "ignored with a reason": [printed("0x7f0000000000", tags=["nbval-ignore-output"], reason="x")],
    "ignored with a comment": [
        shown("# NBVAL_IGNORE_OUTPUT\n# wall time differs between machines\nrun()")
    ],
    "semicolon inside": [shown("a = 1; b = 2\na + b")],
    "semicolon in the last comment": [shown("a = 1\na\n# done;")],
    "time of the data": [printed("2013-01-01 05:00:00")],
    "a date with a source": [printed("prices of 2026-09-29")],
    "a path of a Dockerfile": [printed(" && rm -rf /var/lib/apt/lists/*")],
    "names like paths": [printed("/flights /carriers/UA/delays s3://bucket/home/x /drydock/etl")],
    "sha256": [printed("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")],
    "a picture whose bytes look like an address": [
        shown(text="0x7f1234567890", mime="image/png"),
        printed("$ 4", count=2),
    ],
}

FAULTY = {
    "no execution count": ([shown(), new_code_cell("1 + 1")], "no execution count"),
    "order": ([shown(), shown(count=5)], "count 5 where 2 is due"),
    "stripped": ([silent(1), silent(2)], "they were stripped"),
    "error": ([failed()], "without the raises-exception tag"),
    "semicolon": ([shown("plot();")], "ends with ';'"),
    "semicolon and comment": ([shown("plot();  # quiet")], "ends with ';'"),
    "empty cell": ([shown(), new_code_cell("  \n")], "cell 2 is an empty code cell"),
    "skip tag": ([shown(), silent(2, tags=["nbval-skip"])], "without a written reason"),
    "skip comment": ([shown(), silent(2, "# NBVAL_SKIP\nrun()")], "without a written reason"),
    "ignore comment": ([shown("#NBVAL_IGNORE_OUTPUT\nrun()")], "without a written reason"),
    "old ignore comment": ([shown("# PYTEST_VALIDATE_IGNORE_OUTPUT\n1")], "written reason"),
    "tag spelled as a comment": (
        [shown(tags=["NBVAL_IGNORE_OUTPUT"], reason="r")],
        "the tag NBVAL_IGNORE_OUTPUT, which nbval does not know",
    ),
    "blank reason": ([shown(tags=["nbval-ignore-output"], reason=" ")], "written reason"),
    "too many ignored": (
        [shown(count=n, tags=["nbval-skip"], reason="r") for n in range(1, IGNORED_CELLS + 2)],
        f"at most {IGNORED_CELLS}",
    ),
    "path": ([printed("wrote /home/ada/report.png")], "an absolute path"),
    "path in a table": ([shown(text="<td>/tmp/x1</td>", mime="text/html")], "an absolute path"),
    "address": ([shown(text="<Lab object at 0x7f3a5c2b1d90>")], "a memory address"),
    "uuid": ([printed("task 1b4e28ba-2fa1-41d2-883f-0016d3cca427")], "a uuid"),
    "clock": ([printed("started 2026-11-22 21:32:36")], "a clock time"),
    "clock in an error": (
        [
            new_code_cell(
                "run()",
                execution_count=1,
                metadata={"tags": ["raises-exception"]},
                outputs=[
                    new_output("error", ename="E", evalue="at 2026-11-22T21:32", traceback=[])
                ],
            )
        ],
        "a clock time",
    ),
    "wall time": ([printed("Wall time: 3.2 s")], "a clock time"),
}


@pytest.fixture
def stored(tmp_path):
    def store(cells):
        path = tmp_path / "lesson.ipynb"
        nbformat.write(new_notebook(cells=cells), path)
        return path

    return store


@pytest.mark.parametrize("cells", SOUND.values(), ids=SOUND)
def test_accepts(cells, stored):
    assert guard(stored(cells)) == []


@pytest.mark.parametrize(("cells", "message"), FAULTY.values(), ids=FAULTY)
def test_names_the_fault_and_no_other(cells, message, stored):
    faults = guard(stored(cells))
    assert len(faults) == 1, faults
    assert message in faults[0]


def test_says_which_cell_counting_text_cells_too(stored):
    assert guard(stored([new_markdown_cell("text"), shown("plot();")]))[0].startswith("cell 2 ")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": 3}', '{"nbformat": 4, "cells": 3}'])
def test_a_file_that_is_no_notebook_is_a_fault_not_a_crash(content, tmp_path):
    path = tmp_path / "broken.ipynb"
    path.write_text(content)
    assert "is not a notebook that can be read" in guard(path)[0]
