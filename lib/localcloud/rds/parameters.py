"""DB parameter groups: what they may set, and what an instance gets from its group."""

from __future__ import annotations

import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

from moto.rds.exceptions import InvalidParameterValue

from localcloud.rds.binaries import binaries, engine_version

FORCE_SSL = "rds.force_ssl"
FORCED_FROM = 15  # the first major version whose default parameter group forces TLS
# Set by the local cloud itself, or a way out of the database into the machine.
FIXED = {"port", "listen_addresses", "ssl", "cluster_name", "shared_buffers", "huge_pages"}
FIXED_ENDINGS = ("_file", "_dir", "_directory", "_directories", "_libraries", "_command", "_path")


def values(instance: Any) -> dict[str, str]:
    """What PostgreSQL is started with: max_connections by class, and the parameter group's own."""
    given = {
        name: str(parameter["ParameterValue"])
        for group in instance.db_parameter_groups()
        for name, parameter in group.parameters.items()
        if parameter.get("ParameterValue") is not None
    }
    major = int(engine_version(binaries()).partition(".")[0])
    usual = {
        "max_connections": str(instance.max_connections()),
        FORCE_SSL: "1" if major >= FORCED_FROM else "0",
    }
    return usual | given


def forces_ssl(parameters: dict[str, str]) -> bool:
    return parameters[FORCE_SSL] == "1"


def check(parameters: list[dict[str, str]]) -> None:
    """Raise RDS's InvalidParameterValue for a parameter that the engine here does not take."""
    known = _known(binaries())
    for parameter in parameters:
        name, value = parameter["ParameterName"], str(parameter.get("ParameterValue", ""))
        if name == FORCE_SSL:
            least, most, kind = "0", "1", "INTEGER"
        elif name not in known:
            raise InvalidParameterValue(f"Could not find parameter with name: {name}")
        elif name in FIXED or name.endswith(FIXED_ENDINGS):
            raise InvalidParameterValue(f"The parameter {name} cannot be modified.")
        else:
            kind, least, most = known[name]
        if not _fits(value, kind, least, most):
            allowed = f"{least}-{most}" if most else kind.lower()
            raise InvalidParameterValue(
                f"Invalid parameter value: {value} for: {name} allowed values are: {allowed}"
            )


def _fits(value: str, kind: str, least: str, most: str) -> bool:
    if "\n" in value or "\0" in value:
        return False
    if kind == "BOOLEAN":
        return value.lower() in {"0", "1", "on", "off", "true", "false"}
    if kind in ("INTEGER", "REAL"):
        try:
            return float(least) <= float(value) <= float(most)
        except ValueError:
            return False
    return True


@lru_cache
def _known(folder: Path) -> dict[str, tuple[str, str, str]]:
    """Each of PostgreSQL's settings with its type and its bounds."""
    said = subprocess.run(
        [folder / "postgres", "--describe-config"], capture_output=True, text=True, check=True
    )
    rows = [line.split("\t") for line in said.stdout.splitlines()]
    return {row[0]: (row[3], row[5], row[6]) for row in rows}
