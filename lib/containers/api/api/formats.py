"""The forms in which flights are answered, chosen by the Accept header (RFC 9110, 12.5.1)."""

import io
from functools import lru_cache
from http import HTTPStatus

from pydantic import TypeAdapter

from api.problems import ProblemError

JSON = "application/json"
CSV = "text/csv"
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
OFFERED = (JSON, CSV, ARROW, PARQUET)
_PAGE = TypeAdapter(dict)


@lru_cache(maxsize=256)
def chosen(accept: str) -> str:
    """Return the offered media type that the client likes best; 406 when it takes none."""
    wishes = [_wish(part) for part in accept.split(",") if part.strip()] or [("*/*", 1.0)]
    scored = [(_quality(offer, wishes), -at, offer) for at, offer in enumerate(OFFERED)]
    quality, _, best = max(scored)
    if quality <= 0:
        raise ProblemError(
            HTTPStatus.NOT_ACCEPTABLE, f"Accept: {accept[:100]}: there is {', '.join(OFFERED)}"
        )
    return best


def page(written: bytes, following: str | None) -> bytes:
    """Return a page as JSON, of flights that are written already, with commas between."""
    following = "null" if following is None else f'"{following}"'
    return b'{"items":[' + written + b'],"next":' + following.encode() + b"}"


def written(rows: list[dict], following: str | None, kind: str, fields: dict[str, str]) -> bytes:
    """Return a page as `kind`. `fields` are its columns with their types in DuckDB."""
    if kind == JSON:
        return _PAGE.dump_json({"items": rows, "next": following})
    # Imported here: a task that only answers JSON starts sooner and stays smaller.
    import polars as pl

    types = {
        "BIGINT": pl.Int64,
        "SMALLINT": pl.Int16,
        "VARCHAR": pl.String,
        "BOOLEAN": pl.Boolean,
        "DATE": pl.Date,
        "TIMESTAMP": pl.Datetime("us", "UTC"),
    }
    frame = pl.DataFrame(rows, schema={name: types[kind] for name, kind in fields.items()})
    if kind == CSV:
        return frame.write_csv().encode()
    buffer = io.BytesIO()
    frame.write_parquet(buffer) if kind == PARQUET else frame.write_ipc_stream(buffer)
    return buffer.getvalue()


def _wish(part: str) -> tuple[str, float]:
    kind, *parameters = (word.strip().lower() for word in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
    return kind, quality


def _quality(offer: str, wishes: list[tuple[str, float]]) -> float:
    """What the most specific wish that covers the offer gives it."""
    family = offer.partition("/")[0] + "/*"
    for covering in (offer, family, "*/*"):
        found = [quality for kind, quality in wishes if kind == covering]
        if found:
            return max(found)
    return 0.0
