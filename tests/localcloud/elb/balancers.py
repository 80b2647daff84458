"""Load balancers and programs behind them."""

import contextlib
import http.server
import itertools
import threading
import time
import uuid

import httpx
from live import client, wait_for

FAST = {
    "HealthCheckIntervalSeconds": 5,
    "HealthCheckTimeoutSeconds": 2,
    "UnhealthyThresholdCount": 2,
    "HealthyThresholdCount": 2,
}
ADDRESSES = itertools.count(1)


class Balancers:
    """elbv2 in boto3, in the default VPC, with a security group that lets port 80 in."""

    def __init__(self, cloud):
        self.elbv2, self.ec2 = client(cloud, "elbv2"), client(cloud, "ec2")
        self.vpc = self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])[
            "Vpcs"
        ][0]["VpcId"]
        subnets = self.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])
        self.subnets = [one["SubnetId"] for one in subnets["Subnets"]][:2]
        self.made = contextlib.ExitStack()

    def remove(self):
        self.made.close()

    def name(self):
        return f"t-{uuid.uuid4().hex[:12]}"

    def security_group(self, *rules):
        """A group with these ingress rules, each (port, CIDR or group id)."""
        found = self.ec2.create_security_group(
            GroupName=self.name(), Description="test", VpcId=self.vpc
        )["GroupId"]
        for port, source in rules:
            rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
            if source.startswith("sg-"):
                rule["UserIdGroupPairs"] = [{"GroupId": source}]
            else:
                rule["IpRanges"] = [{"CidrIp": source}]
            self.ec2.authorize_security_group_ingress(GroupId=found, IpPermissions=[rule])
        return found

    def group(self, port=8000, **changes):
        settings = {"Protocol": "HTTP", "TargetType": "ip", "VpcId": self.vpc, **FAST, **changes}
        made = self.elbv2.create_target_group(Name=self.name(), Port=port, **settings)
        return made["TargetGroups"][0]["TargetGroupArn"]

    def balancer(self, groups=None, **changes):
        groups = groups or [self.security_group((80, "0.0.0.0/0"))]
        made = self.elbv2.create_load_balancer(
            Name=self.name(), Subnets=self.subnets, SecurityGroups=groups, **changes
        )["LoadBalancers"][0]
        self.made.callback(self.elbv2.delete_load_balancer, LoadBalancerArn=made["LoadBalancerArn"])
        return made

    def listener(self, balancer, *actions, port=80):
        made = self.elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=port,
            DefaultActions=list(actions),
        )
        return made["Listeners"][0]

    def serving(self, group=None, **changes):
        """A load balancer that forwards to a new target group: its URL and the group."""
        group = group or self.group(**changes)
        balancer = self.balancer()
        listener = self.listener(balancer, forward(group))
        return url(balancer, listener), group

    def register(self, group, *servers):
        targets = [{"Id": server.address, "Port": server.port} for server in servers]
        self.elbv2.register_targets(TargetGroupArn=group, Targets=targets)

    def deregister(self, group, *servers):
        targets = [{"Id": server.address, "Port": server.port} for server in servers]
        self.elbv2.deregister_targets(TargetGroupArn=group, Targets=targets)

    def health(self, group):
        found = self.elbv2.describe_target_health(TargetGroupArn=group)
        return [one["TargetHealth"] for one in found["TargetHealthDescriptions"]]

    def wait(self, group, *states, seconds=30):
        """Until the targets' states are these, in any order."""
        wait_for(
            lambda: sorted(one["State"] for one in self.health(group)) == sorted(states),
            f"{states}",
            seconds,
        )

    def server(self, handler=None, address=None):
        server = self.made.enter_context(running(handler or Echo, address))
        return server


def forward(group):
    return {"Type": "forward", "TargetGroupArn": group}


def url(balancer, listener):
    return f"http://{balancer['DNSName']}:{listener['Port']}"


def get(address, **options):
    return httpx.get(address, trust_env=False, timeout=20, **options)


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers what it was asked; /slow/<seconds>, /status/<code> and /reset do what they say."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        code = 200
        if self.path.startswith("/slow/"):
            time.sleep(float(self.path.split("/")[2]))
        if self.path.startswith("/status/"):
            code = int(self.path.split("/")[2])
        if self.path == "/reset":
            self.close_connection = True
            self.connection.close()
            return
        said = "\n".join([self.command, self.path, *map(": ".join, self.headers.items())])
        answer = said.encode() + b"\n\n" + body
        self.send_response(code)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("X-Served-By", self.server.server_address[0])
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    @property
    def address(self):
        return self.server_address[0]

    @property
    def port(self):
        return self.server_address[1]


@contextlib.contextmanager
def running(handler, address=None):
    server = Server((address or f"127.4.0.{next(ADDRESSES)}", 0), handler)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
