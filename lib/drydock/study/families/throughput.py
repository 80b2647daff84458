"""Families about throughput: Little's law, servers for a queue, Amdahl's law, the USL's peak."""

import math
import random

from drydock.model import queueing
from drydock.model.throughput import Usl, amdahl
from drydock.study.families.making import Draft, Family, count


def littles_law(draw: random.Random) -> Draft:
    rate, milliseconds = draw.choice((40, 80, 120, 200, 300)), draw.choice((50, 150, 250, 400))
    right = queueing.in_system(rate, milliseconds / 1000)
    return Draft(
        f"A data API answers {rate} requests a second, and each takes {milliseconds} ms. How many "
        "requests are under way on average?",
        (f"{right:g}", "Little's law: rate times time."),
        [
            (f"{rate * milliseconds:,}", "Milliseconds must become seconds first."),
            (f"{rate / (milliseconds / 1000):,.0f}", "This divides the rate by the time."),
            (f"{milliseconds / rate:.2f}", "This divides the time by the rate."),
            (f"{rate}", "This would be right if each took one second."),
            (f"{right / 2:g}", "Nothing is halved."),
        ],
        f"L = {rate} per second x {milliseconds / 1000:g} s = {right:g}.",
    )


def tasks_for_wait(draw: random.Random) -> Draft:
    rate, service = draw.choice((12, 20, 30, 45)), draw.choice((0.2, 0.25, 0.4, 0.5))
    longest = draw.choice((0.05, 0.1, 0.2))
    right = queueing.servers_for(rate, service, longest)
    load = rate * service
    least = math.floor(load) + 1
    return Draft(
        f"Requests arrive at random, {rate} a second, and each keeps a worker busy for "
        f"{service:g} s on average, with exponential spread. 95 % of them must wait no longer than "
        f"{longest * 1000:.0f} ms in line (M/M/c). How many workers are needed?",
        (count(right, "worker"), "The fewest with which the 95th percentile of the wait holds."),
        [
            (count(least, "worker"), "It keeps up on average, but the line is long."),
            (
                count(math.ceil(load), "worker"),
                "This is the load alone: there would be no reserve.",
            ),
            (count(right - 1, "worker"), "One too few for the 95th percentile."),
            (count(math.ceil(load * 2), "worker"), "Twice the load is more than needed."),
            (count(rate, "worker"), "This is one worker for each request of a second."),
        ],
        f"Load = {rate} x {service:g} = {load:g} busy workers. With {right} workers, 95 % wait at "
        f"most {queueing.Queue(rate, service, right).wait_at(0.95) * 1000:.0f} ms.",
    )


def amdahl_speed(draw: random.Random) -> Draft:
    workers, percent = draw.choice((4, 8, 16, 32)), draw.choice((5, 10, 20, 25))
    serial = percent / 100
    right = amdahl(workers, serial)
    return Draft(
        f"{percent} % of a transform's time on one machine is work that cannot be shared out. "
        f"About how much faster is it with {workers} workers, if nothing else gets in the way?",
        (f"{right:.1f} times", "Amdahl's law: the serial part stays as it is."),
        [
            (f"{workers:.1f} times", "This forgets the serial part."),
            (f"{1 / serial:.1f} times", "This is the limit with endlessly many workers."),
            (f"{workers * (1 - serial):.1f} times", "The serial part is not just taken off."),
            (f"{right / 2:.1f} times", "Nothing is halved."),
        ],
        f"1 / ({serial:g} + {1 - serial:g} / {workers}) = {right:.2f}.",
    )


def usl_peak(draw: random.Random) -> Draft:
    contention = draw.choice((0.02, 0.04, 0.05, 0.08))
    crosstalk = draw.choice((0.0005, 0.001, 0.002, 0.004))
    law = Usl(1, contention, crosstalk)
    right = max(
        (math.floor(law.peak), math.ceil(law.peak)), key=lambda workers: law.throughput(workers)
    )
    return Draft(
        "The throughput of an ETL that writes to one database was fitted with the Universal "
        f"Scalability Law: contention {contention:g}, crosstalk {crosstalk:g}. With how many "
        "workers is the throughput highest?",
        (count(right, "worker"), "The square root of (1 - contention) / crosstalk."),
        [
            (count(round(1 / contention), "worker"), "This is Amdahl's limit of the speed-up."),
            (count(round(1 / crosstalk), "worker"), "The square root is missing."),
            (count(right * 2, "worker"), "Beyond the peak throughput falls."),
            (count(max(right // 2, 1), "worker"), "It still rises from here."),
        ],
        f"sqrt((1 - {contention:g}) / {crosstalk:g}) = {law.peak:.1f}; {right} workers give "
        f"{law.throughput(right):.2f} times the throughput of one.",
    )


LITTLE = "https://en.wikipedia.org/wiki/Little%27s_law"
DAY = "2026-11-23"
FAMILIES = [
    Family("littles-law", "api", ("3.3.4", "1.2.8"), 1, LITTLE, DAY, littles_law),
    Family(
        "workers-for-wait",
        "api",
        ("3.3.4", "1.3.2"),
        3,
        "https://en.wikipedia.org/wiki/M/M/c_queue",
        DAY,
        tasks_for_wait,
    ),
    Family(
        "amdahl",
        "containers",
        ("1.4.10", "1.4.1"),
        2,
        "https://en.wikipedia.org/wiki/Amdahl%27s_law",
        DAY,
        amdahl_speed,
    ),
    Family(
        "usl-peak",
        "containers",
        ("1.4.10", "3.3.4"),
        3,
        "https://en.wikipedia.org/wiki/Neil_J._Gunther",
        DAY,
        usl_peak,
    ),
]
