"""The slow way through an object that has bad lines: each line is judged on its own."""

import csv

import polars as pl

from etl.checks import KEY, reasons, repeats
from etl.layout import MISSING, RAW_COLUMNS, Month, read_rows

FIRST_LINE = 2  # the header is line 1

# line number, reason, raw text
Bad = tuple[int, str, str]


def sort_out(body: bytes, month: Month) -> tuple[pl.DataFrame, list[Bad]]:
    """Split the lines after the header into the rows that pass and the lines that do not.

    The good rows keep their order and are typed as `etl.layout.read_rows` does; the bad ones come
    in the order of their lines.
    """
    lines = body.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    bad: dict[int, str] = {}
    numbers, clean = [], []
    for number, line in enumerate(lines, FIRST_LINE):
        try:
            fields = _fields(line)
        except ValueError as error:
            bad[number] = str(error)
        else:
            numbers.append(number)
            clean.append(fields)
    joined = "\n".join(clean).encode()
    typed = read_rows(joined, lenient=True).with_columns(
        line=pl.Series(numbers, dtype=pl.Int64),
        reason=_wrong_cells(joined),
    )
    typed = typed.with_columns(pl.col("reason").fill_null(reasons(typed, month)))
    bad.update(typed.filter(pl.col("reason").is_not_null()).select("line", "reason").iter_rows())
    passed = typed.filter(pl.col("reason").is_null())
    bad.update(_repeated(passed))
    good = passed.filter(~repeats()).drop("line", "reason")
    return good, [
        (number, bad[number], lines[number - FIRST_LINE].decode("utf-8", "backslashreplace"))
        for number in sorted(bad)
    ]


def _fields(line: bytes) -> str:
    """Return `line` with its quotes resolved; raise ValueError when it is not 19 plain fields."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise ValueError("the line is not UTF-8 text") from None
    if '"' in text:
        try:
            (fields,) = csv.reader([text], strict=True)
        except csv.Error:
            raise ValueError("the line has a stray or unclosed quote") from None
    else:
        fields = text.split(",")
    if len(fields) != len(RAW_COLUMNS):
        raise ValueError(
            "the line is empty"
            if not text
            else f"{len(fields)} fields instead of {len(RAW_COLUMNS)}"
        )
    for name, value in zip(RAW_COLUMNS, fields, strict=True):
        if "," in value or '"' in value:
            raise ValueError(f"{name} holds a comma or a quote")
    return ",".join(fields)


def _wrong_cells(joined: bytes) -> pl.Series:
    """For each line the reason when a cell is not of its column's type, or null."""
    text = pl.read_csv(
        joined,
        has_header=False,
        schema=dict.fromkeys(RAW_COLUMNS, pl.String),
        empty_string_is_null=False,
        quote_char=None,
    )
    typed = read_rows(joined, lenient=True)
    wrong = []
    for name, kind in RAW_COLUMNS.items():
        cell = text.get_column(name)
        meaning = "a UTC hour like 2013-01-31T23:00:00Z"
        if kind.is_integer():
            meaning = "a whole number" if kind == pl.Int16 else "a small whole number"
        is_wrong = typed.get_column(name).is_null() & ~cell.is_in(["", MISSING])
        wrong.append(
            pl.when(is_wrong).then(pl.format(f'{name} "{{}}" is not {meaning}', pl.col(name)))
        )
    return text.select(pl.coalesce(wrong)).to_series()


def _repeated(passed: pl.DataFrame) -> list[tuple[int, str]]:
    """The (line, reason) of each row whose flight an earlier row already has."""
    first = passed.with_columns(earlier=pl.col("line").first().over(KEY))
    return [
        (line, f"the same flight as line {earlier}")
        for line, earlier in first.filter(repeats()).select("line", "earlier").iter_rows()
    ]
