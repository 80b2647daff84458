"""What goes in and comes out, as types: they check requests and make the OpenAPI page."""

import datetime as dt
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from api.store import NAMES

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
        ),
    ] = None

    @field_validator("fields")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        names = value.split(",") if value is not None else []
        unknown = [name for name in names if name not in NAMES]
        if unknown or len(set(names)) < len(names):
            raise ValueError(f"{unknown[0]!r} is no field" if unknown else "a field is named twice")
        return value

    def filters(self) -> dict:
        """Return the filters that were given, by name."""
        return self.model_dump(exclude={"limit", "cursor", "fields"}, exclude_none=True)

    def columns(self) -> tuple[str, ...]:
        """Return the fields to answer, in the order in which they were asked for."""
        return tuple(self.fields.split(",")) if self.fields is not None else NAMES


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
