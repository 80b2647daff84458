"""Pages of flights as JSON that is written already: what is asked most is only cut out.

When the data changes, DuckDB writes each flight's JSON once, in the order of positions, to a file
without a name that is mapped into memory. A page is then a search among positions and a slice of
the file; filters compare small numbers. The file's memory is the system's cache, not ours to keep.
"""

import mmap
import tempfile
from array import array
from pathlib import Path

import numpy as np

from api.columns import FIELDS
from api.store import FILTERS, NAMES

BATCH = 10_000
FIRST_LOOK = 4096  # flights that a filter is tried on at once; each further look is twice as long
_FORMS = {"DATE": "strftime({}, '%Y-%m-%d')", "TIMESTAMP": "strftime({}, '%Y-%m-%dT%H:%M:%SZ')"}
_JSON = ", ".join(
    f"{name} := {_FORMS.get(FIELDS.get(name, ''), '{}').format(name)}" for name in NAMES
)
_WRITTEN = f"SELECT to_json(struct_pack({_JSON}))::VARCHAR FROM flights ORDER BY position"


class Pages:
    """All flights of one version of the data. Threads may share it: nothing in it changes."""

    def __init__(self, positions, codes: dict, values: dict, offsets, text):
        self._positions = positions
        self._codes = codes
        self._values = values
        self._offsets = offsets
        self._text = text

    @classmethod
    def written(cls, cursor, folder: Path) -> "Pages":
        """Write the flights that a DuckDB `cursor` sees, to a file in `folder`."""
        values = {
            name: {
                row[0]: code
                for code, row in enumerate(
                    cursor.execute(f"SELECT DISTINCT {name} FROM flights ORDER BY 1").fetchall(), 1
                )
            }
            for name in FILTERS
        }
        codes = ", ".join(
            f"list_position(${name}, {name})::USMALLINT AS {name}" for name in FILTERS
        )
        columns = cursor.execute(
            f"SELECT position, {codes} FROM flights ORDER BY position",
            {name: list(values[name]) for name in FILTERS},
        ).fetchnumpy()
        positions = np.asarray(columns.pop("position"), dtype=np.int64)
        offsets = array("q", [0])
        with tempfile.TemporaryFile(dir=folder) as file:
            found = cursor.execute(_WRITTEN)
            while rows := found.fetchmany(BATCH):
                lines = [row[0].encode() for row in rows]
                for line in lines:
                    offsets.append(offsets[-1] + len(line) + 1)
                file.write(b",".join(lines) + b",")
            file.flush()
            empty = not offsets[-1]
            text = b"" if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        narrow = {name: np.asarray(column, dtype=np.uint16) for name, column in columns.items()}
        return cls(positions, narrow, values, np.frombuffer(offsets, dtype=np.int64), text)

    def page(self, filters: dict, after: int, limit: int) -> tuple[bytes, int | None]:
        """Return at most `limit` flights whose positions follow `after`, and where to go on.

        They are JSON objects with commas between; the position is the last one's, None at the end.
        """
        start = int(self._positions.searchsorted(after, side="right"))
        if not filters:
            end = min(start + limit, len(self._positions))
            more = end < len(self._positions)
            text = self._text[self._offsets[start] : max(self._offsets[end] - 1, 0)]
            return text, int(self._positions[end - 1]) if more else None
        rows = self._matching(filters, start, limit + 1)
        more = len(rows) > limit
        rows = rows[:limit]
        if not len(rows):
            return b"", None
        return self._cut(rows), int(self._positions[rows[-1]]) if more else None

    def _matching(self, filters: dict, start: int, count: int):
        """The first `count` rows from `start` on that have these values."""
        wanted = []
        for name, value in filters.items():
            code = self._values[name].get(value)
            if code is None:
                return np.empty(0, dtype=np.int64)
            wanted.append((self._codes[name], code))
        found, total, length = [], 0, FIRST_LOOK
        while start < len(self._positions) and total < count:
            part = slice(start, start + length)
            fits = wanted[0][0][part] == wanted[0][1]
            for codes, code in wanted[1:]:
                fits &= codes[part] == code
            rows = np.flatnonzero(fits) + start
            found.append(rows)
            total += len(rows)
            start, length = start + length, length * 2
        return np.concatenate(found)[:count] if found else np.empty(0, dtype=np.int64)

    def _cut(self, rows) -> bytes:
        """The text of these rows; neighbours come out in one piece."""
        breaks = np.flatnonzero(np.diff(rows) != 1)
        firsts = rows[np.concatenate(([0], breaks + 1))]
        lasts = rows[np.concatenate((breaks, [len(rows) - 1]))]
        pieces = zip(self._offsets[firsts].tolist(), self._offsets[lasts + 1].tolist(), strict=True)
        return b"".join([self._text[begin:end] for begin, end in pieces])[:-1]
