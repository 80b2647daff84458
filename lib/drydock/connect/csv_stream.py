"""PostgreSQL's COPY in CSV form as Arrow batches, whichever driver brought the bytes."""

import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from drydock.connect.arrow_types import Column, empty_batch, schema

BLOCK_BYTES = 512 << 10


def batches(
    file: io.BufferedIOBase, columns: list[Column], block_bytes: int = BLOCK_BYTES
) -> Iterator[pa.RecordBatch]:
    """Parse CSV while it comes in; the first batch of an empty result has no rows.

    `file` is anything with `read`; a value that its Arrow type cannot hold (an infinite timestamp,
    a numeric NaN) raises ArrowInvalid rather than being changed.
    """
    wanted = schema(columns)
    start = file.read(1)
    if not start:
        yield empty_batch(wanted)
        return
    # Positions as names: a query may give two columns the same name.
    names = [str(index) for index in range(len(columns))]
    binary = [pa.types.is_binary(field.type) for field in wanted]
    types = [
        pa.string() if is_binary else field.type
        for field, is_binary in zip(wanted, binary, strict=True)
    ]
    reader = csv.open_csv(
        pa.PythonFile(_Rejoined(start, file), mode="r"),
        read_options=csv.ReadOptions(block_size=block_bytes, column_names=names),
        parse_options=csv.ParseOptions(
            # a value may hold a line end; without text there is none, and parsing is quicker
            newlines_in_values=any(map(pa.types.is_string, types)),
            ignore_empty_lines=False,  # one NULL in one column
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict(zip(names, types, strict=True)),
            # COPY writes NULL as nothing and the empty text as ""
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
            timestamp_parsers=[csv.ISO8601],
        ),
    )
    for batch in reader:
        arrays = [
            _unhexed(array) if is_binary else array
            for array, is_binary in zip(batch.columns, binary, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=wanted)


def _unhexed(array: pa.StringArray) -> pa.BinaryArray:
    digits = pc.utf8_slice_codeunits(array, 2)  # after \x
    values = [None if text is None else bytes.fromhex(text) for text in digits.to_pylist()]
    return pa.array(values, pa.binary())


class _Rejoined:
    """The first byte, which told that there is something to read, and the rest after it."""

    def __init__(self, start: bytes, rest: io.BufferedIOBase):
        self._start = start
        self._rest = rest
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        start, self._start = self._start, b""
        return start + self._rest.read(size - len(start) if size > 0 else size)

    def close(self) -> None:
        self.closed = True
