"""Stored answers of the lab no_route."""


def solve(lab, case):
    ec2 = lab.client("ec2")
    service = f"com.amazonaws.{lab.region}."
    ec2.create_vpc_endpoint(
        VpcId=case.vpc,
        ServiceName=service + "s3",
        VpcEndpointType="Gateway",
        RouteTableIds=[case.route_table],
    )
    for name in ("ecr.api", "ecr.dkr", "logs"):
        ec2.create_vpc_endpoint(
            VpcId=case.vpc,
            ServiceName=service + name,
            VpcEndpointType="Interface",
            SubnetIds=[case.subnet],
            PrivateDnsEnabled=True,
        )
    lab.client("ecs").run_task(**case.run_task)


def only_the_gateway_to_s3(lab, case):
    lab.client("ec2").create_vpc_endpoint(
        VpcId=case.vpc,
        ServiceName=f"com.amazonaws.{lab.region}.s3",
        VpcEndpointType="Gateway",
        RouteTableIds=[case.route_table],
    )
    lab.client("ecs").run_task(**case.run_task)


def open_it_to_the_internet(lab, case):
    ec2 = lab.client("ec2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=case.vpc)
    ec2.create_route(
        RouteTableId=case.route_table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway
    )
    parameters = case.run_task
    parameters["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] = "ENABLED"
    lab.client("ecs").run_task(**parameters)


def run_it_elsewhere(lab, case):
    lab.client("ecs").run_task(**case.run_task | {"networkConfiguration": lab.network()})


WRONG = (
    (only_the_gateway_to_s3, "exit_code"),
    (open_it_to_the_internet, "private"),
    (run_it_elsewhere, "subnet"),
)
