"""A lab's whole life, from broken to repaired, with all that a test wants to look at."""

import contextlib
import importlib
from dataclasses import dataclass, field

from drydock.lab import open_lab
from drydock.study import repair
from drydock.study.repair import database
from drydock.study.repair.cleaning import clean
from drydock.study.repair.shown import CannotBeShown

LIGHT = "wrong_size"  # it launches nothing, and tests of the registry wait for it
# The longest first: they run side by side.
ORDER = (
    "wrong_port",
    "late_answer",
    "n_plus_one",
    "hpa_without_requests",
    "health_check_flapping",
    "image_pull",
    "pending_cpu",
    "crash_loop",
    "stuck_deployment",
    "spot_loses_work",
    "secret_denied",
    "port_closed",
    "no_route",
    LIGHT,
)


@dataclass
class Life:
    """What happened to one lab. `shown` is all that it has printed."""

    symptoms: list[str] = field(default_factory=list)
    stories: list[str] = field(default_factory=list)
    inventories: list[set[str]] = field(default_factory=list)
    nothing: repair.Verdict | None = None
    wrong: dict[str, repair.Verdict] = field(default_factory=dict)
    solved: repair.Verdict | None = None
    hints: list[repair.Hint] = field(default_factory=list)
    early_solution: str = ""
    solution: str = ""
    left: set[str] = field(default_factory=set)
    shown: str = ""
    skipped: str = ""


def answers(name: str):
    return importlib.import_module(f"drydock.study.repair.solutions.{name}")


def live(name: str) -> Life:
    """Break, look, answer wrongly, put back, repair, clean up."""
    lab, life = open_lab(), Life()
    try:
        case = repair.start(lab, name, alone=False)
    except CannotBeShown as error:
        life.skipped = str(error)
        return life
    note(life, case)
    life.nothing = case.check()
    case = repair.start(lab, name, alone=False)
    note(life, case)
    life.early_solution = repr(case.solution())
    life.hints = [case.hint() for _ in range(4)]
    life.solution = repr(case.solution())
    for number, (answer, _) in enumerate(answers(name).WRONG):
        if number:
            case.reset()
        answer(lab, case)
        life.wrong[answer.__name__] = case.check()
    case.reset()
    note(life, case)
    case.solve()
    life.solved = case.check()
    clean(case)
    life.left = inventory(case)
    verdicts = [life.nothing, *life.wrong.values(), life.solved]
    life.shown = "\n".join(map(repr, [*life.stories, *verdicts, *life.hints, life.solution]))
    return life


def note(life: Life, case: repair.Case) -> None:
    life.symptoms = case.symptoms
    life.stories.append(repr(case))
    life.inventories.append(inventory(case))


def inventory(case: repair.Case) -> set[str]:
    """Everything in the cloud that carries the lab's name, without revisions and random parts."""
    ecs = case.client("ecs")
    families = ecs.get_paginator("list_task_definition_families")
    pages = families.paginate(familyPrefix=case.prefix, status="ACTIVE")
    found = {f"family {name}" for page in pages for name in page["families"]}
    found |= {f"cluster {arn}" for arn in ecs.list_clusters()["clusterArns"] if case.prefix in arn}
    with contextlib.suppress(ecs.exceptions.ClusterNotFoundException):
        services = ecs.list_services(cluster=case.cluster)["serviceArns"]
        found |= {f"service {arn}" for arn in services}
    roles = case.client("iam").get_paginator("list_roles").paginate()
    names = [role["RoleName"] for page in roles for role in page["Roles"]]
    found |= {f"role {name}" for name in names if name.startswith(case.prefix)}
    buckets = case.client("s3").list_buckets()["Buckets"]
    found |= {f"bucket {b['Name']}" for b in buckets if b["Name"] == case.bucket}
    secrets = case.client("secretsmanager").list_secrets()["SecretList"]
    found |= {f"secret {s['Name']}" for s in secrets if s["Name"] == case.secret}
    groups = case.client("logs").describe_log_groups(logGroupNamePrefix=case.log_group)["logGroups"]
    found |= {f"log group {g['logGroupName']}" for g in groups}
    repositories = case.client("ecr").describe_repositories()["repositories"]
    uris = [repository["repositoryName"] for repository in repositories]
    found |= {f"repository {name}" for name in uris if name == case.repository}
    databases = case.client("rds").describe_db_instances()["DBInstances"]
    ids = [database["DBInstanceIdentifier"] for database in databases]
    found |= {f"database {name}" for name in ids if name.startswith(case.prefix)}
    ec2 = case.client("ec2")
    tagged = ec2.describe_security_groups()["SecurityGroups"]
    found |= {f"group {g['GroupName']}" for g in tagged if g["GroupName"].startswith(case.prefix)}
    vpcs = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": [case.prefix]}])["Vpcs"]
    found |= {f"vpc {case.prefix}" for _ in vpcs}
    elbv2 = case.client("elbv2")
    balancers = [b["LoadBalancerName"] for b in elbv2.describe_load_balancers()["LoadBalancers"]]
    found |= {f"load balancer {name}" for name in balancers if name == case.prefix}
    targets = [t["TargetGroupName"] for t in elbv2.describe_target_groups()["TargetGroups"]]
    found |= {f"target group {name}" for name in targets if name == case.prefix}
    gateway = case.client("apigatewayv2")
    served = [*gateway.get_apis()["Items"], *gateway.get_vpc_links()["Items"]]
    found |= {f"API or VPC link {one['Name']}" for one in served if one["Name"] == case.prefix}
    known = case.client("lambda").list_functions()["Functions"]
    functions = [one["FunctionName"] for one in known]
    found |= {f"function {name}" for name in functions if name == case.prefix}
    clusters = case.client("eks").list_clusters()["clusters"]
    found |= {f"EKS cluster {name}" for name in clusters if name == case.cluster}
    with database.admin(case) as connection:
        named = "SELECT datname FROM pg_database UNION ALL SELECT rolname FROM pg_roles"
        inside = [name for (name,) in connection.execute(named)]
    own = case.prefix.replace("-", "_")
    found |= {f"database or user {name}" for name in inside if name == own}
    if case.folder.exists():
        found.add(f"folder {case.folder.name}")
    return found
