"""Glue's transforms work on DynamicFrames: they can be imported, and say what to use instead."""

from awsglue import missing as _missing

_NAMES = (
    "ApplyMapping", "DropFields", "DropNullFields", "Filter", "FlatMap", "Join", "Map",
    "MapToCollection", "Relationalize", "RenameField", "ResolveChoice", "SelectFields",
    "SelectFromCollection", "Spigot", "SplitFields", "SplitRows", "Unbox", "UnnestFrame",
)  # fmt: skip
globals().update({name: _missing.Missing(name) for name in _NAMES})
