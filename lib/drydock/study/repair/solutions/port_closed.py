"""Stored answers of the lab port_closed."""


def solve(lab, case):
    lab.client("ec2").authorize_security_group_ingress(
        GroupId=case.database_group,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 5432,
                "ToPort": 5432,
                "UserIdGroupPairs": [{"GroupId": case.task_group}],
            }
        ],
    )
    lab.client("ecs").run_task(**case.run_task)


def open_it_to_everybody(lab, case):
    solve(lab, case)
    _let_in(lab, case, 5432, 5432, {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]})


def open_the_port_of_another_database(lab, case):
    _let_in(lab, case, 3306, 3306, {"UserIdGroupPairs": [{"GroupId": case.task_group}]})
    lab.client("ecs").run_task(**case.run_task)


def open_all_ports(lab, case):
    _let_in(lab, case, 0, 65535, {"UserIdGroupPairs": [{"GroupId": case.task_group}]})
    lab.client("ecs").run_task(**case.run_task)


def run_it_in_the_default_group(lab, case):
    lab.client("ecs").run_task(**case.run_task | {"networkConfiguration": lab.network()})


def _let_in(lab, case, first, last, source):
    permission = {"IpProtocol": "tcp", "FromPort": first, "ToPort": last} | source
    lab.client("ec2").authorize_security_group_ingress(
        GroupId=case.database_group, IpPermissions=[permission]
    )


WRONG = (
    (open_it_to_everybody, "least_privilege"),
    (open_the_port_of_another_database, "exit_code"),
    (open_all_ports, "least_privilege"),
    (run_it_in_the_default_group, "door"),
)
