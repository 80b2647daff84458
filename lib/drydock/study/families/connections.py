"""Families about databases: partitions of a JDBC read, connections, pools."""

import random

from drydock.model import databases, jdbc
from drydock.study.families.making import Draft, Family, count

CLASSES = (
    "db.t4g.micro",
    "db.t4g.small",
    "db.t4g.medium",
    "db.t4g.large",
    "db.r6g.large",
    "db.m6g.xlarge",
)


def partition_clause(draw: random.Random) -> Draft:
    number = draw.choice((4, 5, 8, 10))
    upper = number * draw.choice((1_000, 2_500, 10_000, 50_000))
    clauses = jdbc.partitions("id", 0, upper, number)
    stride = upper // number
    which, right = draw.choice(
        (("first", clauses[0]), ("second", clauses[1]), ("last", clauses[-1]))
    )
    why = {
        "first": "It has no lower bound and takes the NULLs.",
        "second": "One stride, from its start to below the next one.",
        "last": "It has no upper bound, so it takes all that lies above.",
    }
    last = upper - stride
    return Draft(
        f"Spark reads a table over JDBC with partitionColumn id, lowerBound 0, upperBound "
        f"{upper:,} and numPartitions {number}. Which WHERE clause does the {which} partition get?",
        (right, why[which]),
        [
            (
                f"id >= 0 AND id < {stride}",
                "The first partition has no lower bound, only it has NULLs.",
            ),
            (f"id >= {last} AND id < {upper}", "The bounds filter nothing: the last one is open."),
            (clauses[-1], "This is the last partition."),
            (clauses[0], "This is the first partition."),
            (clauses[1], "This is the second partition."),
            (
                f"id BETWEEN {stride} AND {2 * stride}",
                "Spark uses half-open ranges, so no row twice.",
            ),
        ],
        f"Stride = {upper:,} / {number} = {stride:,}. First: {clauses[0]}; second: {clauses[1]}; "
        f"last: {clauses[-1]}.",
    )


def partitions_opened(draw: random.Random) -> Draft:
    values, wanted = draw.choice((6, 12, 20, 31)), draw.choice((8, 16, 40, 100))
    low = draw.choice((1, 100, 2000))
    right = len(jdbc.partitions("day", low, low + values, wanted))
    return Draft(
        f"Spark reads a table over JDBC with partitionColumn day, lowerBound {low}, upperBound "
        f"{low + values} and numPartitions {wanted}, on executors with 64 cores in all. How many "
        "connections may the read open at once?",
        (
            count(right, "connection"),
            "One for each partition, never more than the bounds are apart.",
        ),
        [
            (count(wanted, "connection"), "There are not that many values between the bounds."),
            (count(values + 1, "connection"), "The difference of the bounds counts."),
            (count(values, "connection"), "numPartitions is smaller and limits the partitions."),
            (count(64, "connection"), "Cores without a partition do nothing."),
            (count(1, "connection"), "That would be a read without a partition column."),
        ],
        f"Partitions = min({wanted}, {low + values} - {low}) = {right}, each with a connection.",
    )


def connections_of_class(draw: random.Random) -> Draft:
    name = draw.choice(CLASSES)
    right = databases.max_connections(name)
    mysql = databases.memory_bytes(name) // 12_582_880
    return Draft(
        f"What is the default max_connections of RDS for PostgreSQL on {name} "
        f"({databases.memory_bytes(name) // 1024**3} GiB), by the formula of the documentation and "
        "the nominal memory?",
        (f"About {right:,}", "Memory in bytes / 9,531,392, at most 5,000."),
        [
            (f"About {mysql:,}", "This is the formula of RDS for MySQL."),
            ("About 100", "This is the default of PostgreSQL itself and not of RDS."),
            ("About 5,000", "This is the upper limit of the formula."),
            (f"About {right * 2:,}", "This is twice the memory."),
        ],
        f"{databases.memory_bytes(name):,} bytes / 9,531,392 = {right:,}. AWS takes off what the "
        "system needs first, so an instance shows somewhat less.",
    )


def tasks_of_pool(draw: random.Random) -> Draft:
    name, pool = draw.choice(CLASSES[:4]), draw.choice((4, 5, 8, 10, 15))
    spare = draw.choice((10, 12, 20))
    most = databases.max_connections(name)
    right = (most - spare) // pool
    return Draft(
        f"Each task of a service holds a pool of {pool} connections to RDS for PostgreSQL, whose "
        f"max_connections is {most}. {spare} connections must stay free for others. How many tasks "
        "may run at most?",
        (count(right, "task"), "What is left, divided by the pool, rounded down."),
        [
            (count(most // pool, "task"), f"This forgets the {spare} that must stay free."),
            (
                count(-(-(most - spare) // pool), "task"),
                "The last task would not get its whole pool.",
            ),
            (count(most - spare, "task"), "This counts one connection a task."),
            (count((most - spare) // pool * 2, "task"), "A pool's connections are not shared."),
            (count(max(right - 1, 1), "task"), "One more task fits."),
        ],
        f"({most} - {spare}) / {pool} = {(most - spare) / pool:.2f}, rounded down {right}.",
    )


SPARK = "https://spark.apache.org/docs/latest/sql-data-sources-jdbc.html"
LIMITS = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html"
DAY = "2026-11-23"
FAMILIES = [
    Family("jdbc-partition", "connect", ("1.2.2", "1.4.1"), 3, SPARK, DAY, partition_clause),
    Family("jdbc-connections", "connect", ("1.2.2", "1.1.9"), 2, SPARK, DAY, partitions_opened),
    Family("max-connections", "connect", ("1.2.2",), 2, LIMITS, DAY, connections_of_class),
    Family("pool-tasks", "connect", ("1.2.2", "1.1.9"), 2, LIMITS, DAY, tasks_of_pool),
]
