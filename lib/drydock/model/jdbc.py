"""How Spark splits a JDBC read: the WHERE clause of each partition.

Source: apache/spark, JDBCRelation.columnPartition, and its page "JDBC To Other Databases". Bounds
set the stride and filter nothing: rows outside them are read by the first and last partition.
"""

import datetime as dt
import itertools
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext

EPOCH = dt.date(1970, 1, 1)


def partitions(
    column: str, lower: int | dt.date, upper: int | dt.date, count: int
) -> list[str | None]:
    """Return the WHERE clause of each partition; [None] is one partition that reads all.

    `lower` and `upper` are both whole numbers or both dates. There are never more partitions than
    values between the bounds; each is a connection that may be open at once.
    """
    dates = isinstance(lower, dt.date)
    if dates != isinstance(upper, dt.date) or isinstance(lower, dt.datetime):
        raise ValueError("lower and upper: type two whole numbers or two dates")
    if count < 1 or count != int(count):
        raise ValueError(f"count is {count}: type a whole number of partitions from 1 up")
    low, high = (_days(lower), _days(upper)) if dates else (int(lower), int(upper))
    if low > high:
        raise ValueError(f"lower {lower} is above upper {upper}: swap them")
    number = min(int(count), high - low)
    if number <= 1:
        return [None]
    start, stride = _start_and_stride(low, high, number)
    edges = [start + stride * index for index in range(1, number)]
    text = [_literal(edge, dates) for edge in edges]
    middle = [
        f"{column} >= {begin} AND {column} < {end}" for begin, end in itertools.pairwise(text)
    ]
    return [f"{column} < {text[0]} or {column} is null", *middle, f"{column} >= {text[-1]}"]


def _start_and_stride(low: int, high: int, number: int) -> tuple[int, int]:
    """Spark's stride, and its start: half of what rounding the stride loses goes to each end."""
    with localcontext() as context:
        # The precision of Scala's BigDecimal.
        context.prec = 34
        context.rounding = ROUND_HALF_EVEN
        places = Decimal("1e-18")
        precise = (Decimal(high) / number).quantize(places) - (Decimal(low) / number).quantize(
            places
        )
        stride = int(precise)
        lost = (precise - stride) * number / stride
        shift = (lost / 2 * stride).quantize(Decimal(1), ROUND_HALF_UP)
    return low + int(shift), stride


def _days(value: dt.date) -> int:
    return (value - EPOCH).days


def _literal(value: int, dates: bool) -> str:
    return f"'{EPOCH + dt.timedelta(days=value)}'" if dates else str(value)
