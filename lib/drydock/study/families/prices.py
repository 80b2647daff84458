"""Families about what a run costs: Fargate, EC2, Lambda, Glue, Step Functions, APIs, NAT."""

import random
from decimal import Decimal

from drydock.model import api_gateway, ec2, fargate, functions, glue, network, step_functions
from drydock.model.prices import price
from drydock.model.tiers import tiers
from drydock.study.families.making import Draft, Family, usd

SIZES = ((0.5, 1), (0.5, 2), (1, 2), (1, 4), (2, 4), (2, 8), (4, 8), (4, 16))
MONTH_HOURS = 730
# They fill the CPU of an m5.large and leave room in memory for the ECS agent.
CHEAPEST_SIZES = ((1, 3), (2, 7))
VOLUME_GB = 30


def run_cost(draw: random.Random) -> Draft:
    vcpu, gb = draw.choice(SIZES)
    tasks, minutes, days = draw.choice((4, 6, 12, 20)), draw.choice((15, 20, 25, 40)), 30
    runs = tasks * days
    bill = fargate.task_cost(minutes * 60, vcpu, gb, tasks=runs)
    cpu, memory = (line.amount for line in bill.lines)
    hours = fargate.task_cost(3600, vcpu, gb, tasks=runs).total()
    return Draft(
        f"A pipeline starts {tasks} Fargate tasks (Linux, X86_64) a day, each with {vcpu} vCPU and "
        f"{gb} GB, for {minutes} minutes with the image download. What do the tasks cost in "
        f"{days} days in us-east-1, on demand?",
        (usd(bill.total()), f"{runs} tasks of {minutes * 60} seconds, vCPU and memory."),
        [
            (usd(cpu), "This forgets the memory, which is billed by the GB-second too."),
            (usd(hours), "This bills whole hours. Fargate bills seconds, at least 60."),
            (usd(bill.total() / days), "This is one day."),
            (usd(memory), "This forgets the vCPU."),
            (usd(bill.total() / tasks), "This is one task a day."),
        ],
        f"{runs} tasks x {minutes * 60} s = {runs * minutes * 60:,} s. "
        f"vCPU: {runs * minutes * 60:,} s x {vcpu} x {price('fargate/X86_64/vcpu-second').value} "
        f"= {usd(cpu)}; memory: {runs * minutes * 60:,} s x {gb} x "
        f"{price('fargate/X86_64/gb-second').value} = {usd(memory)}; together {usd(bill.total())}.",
    )


def short_tasks(draw: random.Random) -> Draft:
    vcpu, gb = draw.choice(SIZES)
    seconds, tasks = draw.choice((8, 10, 12, 15, 20, 25)), draw.choice((1_000, 3_000, 5_000))
    right = fargate.task_cost(seconds, vcpu, gb, tasks=tasks).total()
    windows_minimum = int(price("fargate/WINDOWS/minimum").value)
    return Draft(
        f"A function of {seconds} seconds was moved to Fargate: {tasks:,} Linux tasks (X86_64) a "
        f"month, each with {vcpu} vCPU and {gb} GB, {seconds} seconds long with the image "
        "download. What do they cost a month in us-east-1?",
        (usd(right), "Each task is billed for at least one minute."),
        [
            (usd(right * seconds / 60), "This bills the seconds that ran, without the minimum."),
            (usd(right * windows_minimum / 60), "This takes the minimum of Windows, 5 minutes."),
            (usd(right * 60), "This bills a whole hour for each task."),
        ],
        f"Billed seconds: {tasks:,} x max({seconds}, 60) = {tasks * 60:,}. "
        f"Times {vcpu} vCPU and {gb} GB at Fargate's prices by the second: {usd(right)}. "
        f"Only {seconds} of every 60 seconds did work: let a task do more at a time.",
    )


def cheapest(draw: random.Random) -> Draft:
    vcpu, gb = draw.choice(CHEAPEST_SIZES)
    tasks, hours = draw.choice((8, 12, 20, 40)), draw.choice((2, 3, 4, 16, 20, 24))
    seconds = hours * 3600 * 30
    m5 = ec2.instance_type("m5.large")
    instances = tasks * vcpu // m5.vcpu
    volumes = ec2.ebs(VOLUME_GB).total() * instances
    ways = {
        "Fargate on demand, X86_64": fargate.task_cost(seconds, vcpu, gb, tasks=tasks).total(),
        f"{instances} EC2 m5.large on demand, on day and night": ec2.on_demand(
            "m5.large", 30 * 24 * 3600, instances=instances
        ).total()
        + volumes,
        "Fargate on demand, ARM64": fargate.task_cost(
            seconds, vcpu, gb, tasks=tasks, architecture="ARM64"
        ).total(),
        f"{instances} EC2 m5.large on demand, started for the hours of work": ec2.on_demand(
            "m5.large", seconds, instances=instances
        ).total()
        + volumes,
    }
    best = min(ways, key=ways.get)
    ranked = sorted(ways, key=ways.get)
    return Draft(
        f"{tasks} tasks of {vcpu} vCPU and {gb} GB work for {hours} hours a day, 30 days a month, "
        f"in us-east-1. An m5.large (2 vCPU, 8 GiB) holds {m5.vcpu // vcpu} of them and has a "
        f"volume of {VOLUME_GB} GB gp3, also while it is stopped. The images exist for both "
        "architectures. Which way is the cheapest by its list price?",
        (best, f"{usd(ways[best])} a month, the least of the four."),
        [
            (way, f"{usd(ways[way])} a month: {usd(ways[way] - ways[best])} more.")
            for way in ranked[1:]
        ],
        "; ".join(f"{way}: {usd(ways[way])}" for way in ranked)
        + ". Work to look after instances is not in these prices.",
    )


def lambda_cost(draw: random.Random) -> Draft:
    requests = draw.choice((2, 3, 5, 8)) * 1_000_000
    milliseconds, memory = draw.choice((80, 120, 200, 350)), draw.choice((512, 1024, 1536, 2048))
    bill = functions.on_demand(requests, milliseconds, memory)
    compute, calls = (line.amount for line in bill.lines)
    return Draft(
        f"A data API on AWS Lambda (X86_64) gets {requests:,} requests a month. Each takes "
        f"{milliseconds} ms with {memory:,} MB. What does Lambda cost a month in us-east-1, "
        "without the free tier?",
        (usd(bill.total()), "GB-seconds and requests."),
        [
            (usd(compute), "This forgets the fee for requests."),
            (
                usd(compute * Decimal(1000) / milliseconds + calls),
                "This bills each request as a whole second. Lambda bills milliseconds.",
            ),
            (usd(compute * 1024 / memory + calls), "This takes 1 GB whatever the memory is."),
            (usd(calls), "This forgets the compute."),
        ],
        f"{requests:,} x {milliseconds} ms x {memory:,}/1,024 GB = "
        f"{functions.gb_seconds(requests, milliseconds, memory):,.0f} GB-s = {usd(compute)}; "
        f"requests {usd(calls)}; together {usd(bill.total())}.",
    )


def glue_cost(draw: random.Random) -> Draft:
    kind, workers = draw.choice(("G.1X", "G.2X", "G.4X")), draw.choice((5, 8, 10, 20))
    minutes = draw.choice((12, 18, 24, 45))
    units = Decimal(glue.worker_types()[kind]["units"])
    right = glue.spark_job(minutes * 60, workers, worker_type=kind).total()
    flex = glue.spark_job(minutes * 60, workers, worker_type=kind, execution_class="FLEX").total()
    return Draft(
        f"A Glue Spark job (version 5.0, standard execution) runs with {workers} workers of type "
        f"{kind} for {minutes} minutes. What does one run cost in us-east-1?",
        (usd(right), f"A {kind} worker is {units} DPU, and seconds are billed."),
        [
            (usd(right * 60 / minutes), "This bills a whole hour. Glue bills seconds."),
            (usd(flex), "This is the price of the FLEX execution class."),
            (usd(right / units), f"This counts a {kind} worker as 1 DPU."),
            (usd(right * 2), "This counts twice the DPUs."),
        ],
        f"{workers} workers x {units} DPU x {minutes}/60 h = "
        f"{workers * units * minutes / 60:.2f} DPU-hours x "
        f"{price('glue/STANDARD/dpu-hour').value} USD = {usd(right)}.",
    )


def rest_tiers(draw: random.Random) -> Draft:
    millions = draw.choice((400, 450, 500, 600, 650, 700, 800, 900))
    right = api_gateway.rest(millions * 1_000_000)
    first, second = (line.price.value for line in right.lines[:2])
    http = api_gateway.http(millions * 1_000_000).total()
    return Draft(
        f"A REST API of API Gateway gets {millions} million calls a month in us-east-1, without "
        "cache. What do the calls cost, data transfer left out?",
        (usd(right.total()), "The first 333 million cost the first price, the rest the second."),
        [
            (usd(millions * first), "This takes the first price for all calls."),
            (usd(millions * second), "This takes the second price for all calls, also the first."),
            (usd(http), "This is the price of an HTTP API."),
        ],
        f"333 x {first} + {millions - 333} x {second} = {usd(right.total())}.",
    )


def nat_saving(draw: random.Random) -> Draft:
    terabytes, gateways = draw.choice((5, 10, 20, 40)), draw.choice((2, 3))
    gb = terabytes * 1000
    kept = network.nat_gateway(MONTH_HOURS, gateways=gateways).total()
    both = network.nat_gateway(MONTH_HOURS, gb=gb, gateways=gateways).total()
    interface = network.interface_endpoints(MONTH_HOURS, zones=gateways, gb=gb).total()
    return Draft(
        f"Tasks in private subnets read {gb:,} GB a month from Amazon S3 in the same Region "
        f"through {gateways} NAT gateways, which other traffic keeps in use. An S3 gateway "
        "endpoint is added. How much does the bill of us-east-1 fall a month?",
        (usd(both - kept), "The processing of each GB goes away, and the endpoint is free."),
        [
            (usd(both), "This counts the hours too, but the NAT gateways stay."),
            (usd(both - kept - interface), "This subtracts the price of an interface endpoint."),
            (usd(kept), "This is the price of the hours, which stay."),
            (usd((both - kept) * gateways), "Each GB goes through one NAT gateway only."),
        ],
        f"{gb:,} GB x {price('nat/gb').value} USD = {usd(both - kept)}. The hours of the NAT "
        "gateways stay, as other traffic needs them; a gateway endpoint has no charge.",
    )


def workflow_cost(draw: random.Random) -> Draft:
    runs, steps = draw.choice((200_000, 500_000, 1_000_000)), draw.choice((4, 6, 8, 12))
    right = step_functions.standard(runs, steps).total()
    express = step_functions.express(runs, 900, 64).total()
    return Draft(
        f"A Standard workflow of Step Functions runs {runs:,} times a month with {steps} state "
        "transitions each, 0.9 seconds in all. What do the workflows cost a month in us-east-1, "
        "without the free tier?",
        (usd(right), "Standard workflows are billed by state transitions."),
        [
            (usd(right / steps), "This bills runs and not their transitions."),
            (usd(express), "This is the price of Express workflows with 64 MB."),
            (usd(right / 10), "This takes a price for 10,000 transitions, but it is for 1,000."),
        ],
        f"{runs:,} x {steps} = {runs * steps:,} transitions; each thousand costs "
        f"{price('step-functions/standard/transitions').value} USD: {usd(right)}.",
    )


def _family(name, theme, skills, difficulty, source, draft) -> Family:
    """A family about prices: it is as fresh as the price that it turns on."""
    return Family(name, theme, skills, difficulty, source.source, source.date, draft)


FARGATE = price("fargate/X86_64/vcpu-second")
FAMILIES = [
    _family("fargate-run-cost", "cost", ("1.2.4",), 2, FARGATE, run_cost),
    _family("fargate-short-tasks", "cost", ("1.2.4",), 2, FARGATE, short_tasks),
    _family("launch-cheapest", "cost", ("1.2.4", "3.2.5"), 3, FARGATE, cheapest),
    _family("lambda-cost", "cost", ("1.2.4", "1.4.2"), 2, price("lambda/requests"), lambda_cost),
    _family(
        "glue-run-cost", "cost", ("1.2.4", "3.1.4"), 2, price("glue/STANDARD/dpu-hour"), glue_cost
    ),
    _family(
        "rest-api-tiers",
        "api",
        ("1.2.8", "1.2.4"),
        2,
        tiers("api-gateway/rest/requests")[0][1],
        rest_tiers,
    ),
    _family("nat-endpoint-saving", "network", ("1.2.4", "4.1.5"), 2, price("nat/hour"), nat_saving),
    _family(
        "workflow-cost",
        "orchestration",
        ("1.3.3", "1.2.4"),
        2,
        price("step-functions/standard/transitions-free"),
        workflow_cost,
    ),
]
