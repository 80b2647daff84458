"""The transform in PySpark local[2], all objects at once: in_spark.py RAW LOOKUPS OUT"""

import sys
from pathlib import Path

from pyspark.sql import Observation, SparkSession
from pyspark.sql.functions import col, count, expr, lit, when

sys.path.append(str(Path(__file__).parents[3] / "lib" / "containers" / "spark"))
from flights_sql import LOOKUP_COLUMNS, RAW_COLUMNS, curated, passes

CSV = {"header": True, "nullValue": "NA", "timestampFormat": "yyyy-MM-dd'T'HH:mm:ssX"}


def schema(columns: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


def main(raw: Path, lookups: Path, out: Path) -> None:
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "4g")
        .config("spark.ui.enabled", False)
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.parquet.compression.codec", "zstd")
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MILLIS")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    for table, columns in LOOKUP_COLUMNS.items():
        rows = spark.read.options(**CSV).csv(str(lookups / f"{table}.csv"), schema(columns))
        rows.createOrReplaceTempView(table)
    midnight = "cast(unix_date(make_date(year, month, day)) AS bigint) * 86400"
    hours = f"(unix_timestamp(time_hour) - {midnight}) / 3600"
    ok = passes(
        matches="{} RLIKE '{}'",
        hours_ahead=f"({hours} - hour)",
        object_month="object",
    )
    rows = spark.read.options(**CSV, mode="PERMISSIVE").csv(
        str(raw), schema(RAW_COLUMNS | {"_corrupt_record": "string"})
    )
    object_month = "regexp_extract(input_file_name(), '([0-9-]{7}).csv.gz$', 1)"
    rows = rows.withColumn("object", expr(object_month))
    rows = rows.withColumn("ok", expr(f"coalesce(_corrupt_record IS NULL AND {ok}, false)"))
    read, written = Observation("read"), Observation("written")
    rows = rows.observe(read, count(lit(1)).alias("all"), count(when(~col("ok"), 1)).alias("bad"))
    # One shuffle serves both: a month's repeated flights meet, and a month becomes one file.
    rows = rows.where("ok").drop("ok", "_corrupt_record").repartition("object")
    rows = rows.dropDuplicates(["object", "time_hour", "carrier", "flight"])
    rows.createOrReplaceTempView("rows")
    select = curated(
        rows="rows",
        epoch_hour="(unix_timestamp(f.time_hour) DIV 3600)",
        carrier_number="cast(conv(f.carrier, 36, 10) AS bigint)",
        sched_dep="timestampadd(MINUTE, f.minute, f.time_hour)",
        speed="floor(cast(distance AS int) * 60 / air_time)",
    )
    result = spark.sql(select).withColumnRenamed("object", "month")
    result = result.observe(written, count(lit(1)).alias("rows"))
    result.write.partitionBy("month").mode("overwrite").parquet(str(out))
    if read.get["bad"] or written.get["rows"] != read.get["all"]:
        sys.exit(f"{read.get}, {written.get}: the input has no bad and no repeated rows")
    spark.stop()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
