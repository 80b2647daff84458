"""What goes in and comes out, as types: they check requests and make the OpenAPI page."""

import datetime as dt
from collections.abc import Iterable
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from api.lookups import TABLES
from api.store import FILTERS, NAMES

Month = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-(0[1-9]|1[0-2])$",
        description="year and month of the local date",
        examples=["2013-01"],
    ),
]
Carrier = Annotated[str, Field(pattern=r"^[A-Z0-9]{2}$", description="IATA code", examples=["UA"])]
Airport = Annotated[str, Field(pattern=r"^[A-Z0-9]{3}$", description="FAA code", examples=["JFK"])]
Clock = Annotated[int | None, Field(description="local time as HHMM: 905 is 9:05", examples=[905])]
Minutes = Annotated[int | None, Field(description="minutes; negative is early", examples=[-3])]


def _listed(names: Iterable[str]) -> str:
    """The pattern of some of these names with commas between; our own words tell what is wrong."""
    one = "|".join(names)
    return f"^({one})(,({one}))*$"


class FlightQuery(BaseModel):
    """Which flights, and which page of them."""

    model_config = ConfigDict(extra="forbid")

    month: Month | None = None
    carrier: Carrier | None = None
    origin: Airport | None = None
    dest: Airport | None = None
    cancelled: bool | None = None
    limit: Annotated[int, Field(ge=1, le=1000, description="flights a page")] = 50
    cursor: Annotated[
        str | None, Field(max_length=100, description="what next was on the page before")
    ] = None
    fields: Annotated[
        str | None,
        Field(
            max_length=400,
            description="names of fields to answer, with commas between; all when left out",
            examples=["flight_key,carrier,dep_delay"],
            json_schema_extra={"pattern": _listed(NAMES)},
        ),
    ] = None

    @field_validator("fields")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        names = value.split(",") if value is not None else []
        unknown = [name for name in names if name not in NAMES]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no field")
        return value

    def filters(self) -> dict:
        """Return the filters that were given, by name."""
        given = ((name, getattr(self, name)) for name in FILTERS)
        return {name: value for name, value in given if value is not None}

    def columns(self) -> tuple[str, ...]:
        """Return the fields to answer, each once, in the order in which they were asked for."""
        return tuple(dict.fromkeys(self.fields.split(","))) if self.fields is not None else NAMES


class Flight(BaseModel):
    """One flight out of New York. A value that is not known is null."""

    # With the parameter `fields` an answer has only those.
    model_config = ConfigDict(json_schema_extra=lambda schema: schema.pop("required", None))

    flight_key: Annotated[int, Field(description="sorts by hour, carrier and flight number")]
    month: Month
    flight_date: Annotated[dt.date, Field(description="local date of the scheduled departure")]
    sched_dep: Annotated[AwareDatetime, Field(description="scheduled departure in UTC")]
    carrier: Carrier
    carrier_name: str | None
    flight: int
    tailnum: str | None
    origin: Airport
    origin_name: str | None
    dest: Airport
    dest_name: str | None
    distance: Annotated[int, Field(description="miles")]
    sched_dep_time: Clock
    dep_time: Clock
    dep_delay: Minutes
    sched_arr_time: Clock
    arr_time: Clock
    arr_delay: Minutes
    air_time: Annotated[int | None, Field(description="minutes")]
    cancelled: bool


class FlightExpansion(BaseModel):
    """What to look up in the database beside the flight."""

    model_config = ConfigDict(extra="forbid")

    expand: Annotated[
        str | None,
        Field(
            max_length=100,
            description=f"names with commas between, of {', '.join(TABLES)}",
            examples=["airline,plane"],
            json_schema_extra={"pattern": _listed(TABLES)},
        ),
    ] = None

    @field_validator("expand")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        names = value.split(",") if value is not None else []
        unknown = [name for name in names if name not in TABLES]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no name")
        return value

    def names(self) -> list[str]:
        """Return the names that were given, in their order."""
        return self.expand.split(",") if self.expand is not None else []


class Airline(BaseModel):
    """An airline of the lookup tables."""

    carrier: str
    name: str


class AirportDetail(BaseModel):
    """An airport of the lookup tables."""

    faa: str
    name: str
    lat: Annotated[float, Field(description="degrees north")]
    lon: Annotated[float, Field(description="degrees east")]
    tzone: str | None


class Plane(BaseModel):
    """A plane of the lookup tables. A value that is not known is null."""

    tailnum: str
    year: Annotated[int | None, Field(description="when it was made")]
    manufacturer: str | None
    model: str | None
    engines: int | None
    seats: int | None


class FlightDetail(Flight):
    """One flight, with what was asked for by expand; null where the tables have nothing."""

    airline: Airline | None = None
    origin_airport: AirportDetail | None = None
    dest_airport: AirportDetail | None = None
    plane: Plane | None = None


class FlightPage(BaseModel):
    """A page of flights in the order of flight_key."""

    items: list[Flight]
    next: Annotated[str | None, Field(description="cursor of the next page; null at the end")]


class Delays(BaseModel):
    """Delays in minutes. Cancelled and diverted flights have none, and do not count in means."""

    flights: int
    cancelled: int
    dep_delay_total: int
    dep_delay_mean: float | None
    arr_delay_total: int
    arr_delay_mean: float | None


class MonthDelays(Delays):
    """The delays of one month."""

    month: Month


class CarrierDelays(BaseModel):
    """The delays of a carrier, month by month."""

    carrier: Carrier
    items: list[MonthDelays]


class CarrierTotals(Delays):
    """A carrier, with its delays over all months that are served."""

    code: Carrier
    name: str | None


class CarrierList(BaseModel):
    """All carriers that have a flight."""

    items: list[CarrierTotals]


class Health(BaseModel):
    """What is served. problem says why it may be older than what is published."""

    status: str
    months: list[Month]
    rows: int
    problem: str | None
