"""What becomes of 200 clients that connect at once: python tests/benchmarks/storms.py

They connect to the smallest RDS instance of the local cloud, directly and through RDS Proxy, each
with one query of 50 ms, and hold their connection until all have ended. Prints JSON, as
data/storm_measurements.json holds it: who was served, and seconds until each answer.
"""

import argparse
import contextlib
import datetime as dt
import json
import sys
import time
from pathlib import Path

import boto3
import psutil

sys.path.append(str(Path(__file__).parents[1]))
from live import temporary_home

from drydock import cloud
from drydock.connect import native
from drydock.connect.secrets import DatabaseSecret
from drydock.connect.storm import Storm, storm
from drydock.pipeline.lookup_database import master_secret

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "rds.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def instance_of(rds, name: str) -> dict:
    """Create the smallest instance and wait until it is available."""
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        DBName="storm",
        MasterUsername="owner",
        ManageMasterUserPassword=True,
    )
    waiter = rds.get_waiter("db_instance_available")
    waiter.wait(DBInstanceIdentifier=name, WaiterConfig={"Delay": 1})
    return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]


def proxy_of(client, name: str, instance: str, secret_arn: str, percent: int) -> str:
    """Put a proxy before the instance; return its endpoint once it serves."""
    rds, iam = client("rds"), client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    read = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secret_arn}
    policy = json.dumps(TRUST | {"Statement": [read]})
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=policy)
    subnets = client("ec2").describe_subnets()["Subnets"]
    rds.create_db_proxy(
        DBProxyName=name,
        EngineFamily="POSTGRESQL",
        Auth=[{"AuthScheme": "SECRETS", "SecretArn": secret_arn, "IAMAuth": "DISABLED"}],
        RoleArn=role["Arn"],
        VpcSubnetIds=[subnet["SubnetId"] for subnet in subnets[:2]],
        RequireTLS=True,
    )
    rds.modify_db_proxy_target_group(
        DBProxyName=name,
        TargetGroupName="default",
        ConnectionPoolConfig={"MaxConnectionsPercent": percent, "ConnectionBorrowTimeout": 120},
    )
    rds.register_db_proxy_targets(DBProxyName=name, DBInstanceIdentifiers=[instance])
    while True:
        [target] = rds.describe_db_proxy_targets(DBProxyName=name)["Targets"]
        if target["TargetHealth"]["State"] == "AVAILABLE":
            return rds.describe_db_proxies(DBProxyName=name)["DBProxies"][0]["Endpoint"]
        time.sleep(0.5)


def told(name: str, done: Storm) -> dict:
    """What the lesson shows of a storm; seconds are from its start."""
    return {
        "way": name,
        "clients": len(done.clients),
        "served": done.served,
        "refused": done.refused,
        "backends": done.backends,
        "waits": [round(seconds, 2) for seconds in done.waits],
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--clients", type=int, default=200)
    options.add_argument("--percent", type=int, default=20, help="MaxConnectionsPercent")
    chosen = options.parse_args()
    with temporary_home() as home, contextlib.ExitStack() as ending:
        info = cloud.start(home, port=0)
        ending.callback(cloud.stop, home)
        variables = cloud.environment(info)
        session = boto3.Session(
            variables["AWS_ACCESS_KEY_ID"],
            variables["AWS_SECRET_ACCESS_KEY"],
            region_name=variables["AWS_DEFAULT_REGION"],
        )

        def client(name: str):
            return session.client(name, endpoint_url=info.endpoint)

        instance = instance_of(client("rds"), "storm")
        authority = home / "rds" / "ca.pem"
        master = master_secret(client("secretsmanager"), instance)
        with native.connect(master, authority) as connection:
            connection.execute("CREATE ROLE app LOGIN PASSWORD 'a-benchmark-1'")
        app = DatabaseSecret(master.host, master.port, "app", master.dbname, "a-benchmark-1")
        arn = client("secretsmanager").create_secret(Name="app", SecretString=app.to_json())["ARN"]
        endpoint = proxy_of(client, "front", "storm", arn, chosen.percent)
        through = DatabaseSecret(endpoint, 5432, "app", master.dbname, "a-benchmark-1")
        storms = [
            told(name, storm(secret, authority, clients=chosen.clients, patience=60))
            for name, secret in (("direct", app), ("proxy", through))
        ]
    memory = round(psutil.virtual_memory().total / 2**30)
    print(
        json.dumps(
            {
                "machine": f"{psutil.cpu_count()} cores, {memory} GB of memory",
                "date": dt.date.today().isoformat(),
                "class": "db.t4g.micro",
                "max_connections_percent": chosen.percent,
                "storms": storms,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
