"""Security groups and their rules."""

from __future__ import annotations

from typing import Any

from localcloud.cloudformation.errors import ResourceFailed
from localcloud.cloudformation.kinds.base import Context, Kind, Made

PORTS = ("FromPort", "ToPort")
OTHERS = ("SourceSecurityGroupId", "DestinationSecurityGroupId")
LISTS = ("SourcePrefixListId", "DestinationPrefixListId")
KNOWN = {"IpProtocol", "CidrIp", "CidrIpv6", "Description", "GroupId", *PORTS, *OTHERS, *LISTS}


class SecurityGroup(Kind):
    """A group with its rules. Rules for what goes out replace the one that allows everything."""

    def finish(self, context: Context, about: dict[str, Any]) -> None:
        group, properties = about["Id"], about["Properties"]
        ec2 = context.client("ec2")
        ingress = [permission(rule) for rule in properties.get("SecurityGroupIngress", [])]
        egress = [permission(rule) for rule in properties.get("SecurityGroupEgress", [])]
        if ingress:
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=ingress)
        if egress:
            found = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
            given = found["IpPermissionsEgress"]
            ec2.revoke_security_group_egress(GroupId=group, IpPermissions=given)
            ec2.authorize_security_group_egress(GroupId=group, IpPermissions=egress)


class Rule(Kind):
    """One rule of a group that another resource is."""

    def make(self, context: Context, properties: dict[str, Any]) -> Made:
        asked = {"GroupId": properties["GroupId"], "IpPermissions": [permission(properties)]}
        made = self.call(context, self.create, asked)
        rules = made.get("SecurityGroupRules") or [{}]
        rule = rules[0].get("SecurityGroupRuleId") or context.name()
        context.born(rule)
        return Made(rule, {"Id": rule})

    def unmake(self, context: Context, made: Made, properties: dict[str, Any]) -> None:
        asked = {"GroupId": properties["GroupId"], "IpPermissions": [permission(properties)]}
        self.call(context, self.delete[0], asked)


def permission(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule of a template as one of EC2's IpPermissions. Raises ResourceFailed."""
    unknown = sorted(set(rule) - KNOWN)
    if unknown:
        raise ResourceFailed(f"Encountered unsupported property {unknown[0]}")
    about = {"Description": rule["Description"]} if "Description" in rule else {}
    found: dict[str, Any] = {"IpProtocol": str(rule["IpProtocol"])}
    found |= {port: int(rule[port]) for port in PORTS if port in rule}
    if "CidrIp" in rule:
        found["IpRanges"] = [{"CidrIp": rule["CidrIp"], **about}]
    if "CidrIpv6" in rule:
        found["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **about}]
    pairs = [{"GroupId": rule[other], **about} for other in OTHERS if other in rule]
    lists = [{"PrefixListId": rule[one], **about} for one in LISTS if one in rule]
    found |= {"UserIdGroupPairs": pairs} if pairs else {}
    return found | ({"PrefixListIds": lists} if lists else {})


KINDS = [
    SecurityGroup(
        "AWS::EC2::SecurityGroup",
        "ec2",
        "create_security_group",
        ref="Made.GroupId",
        name="GroupName",
        name_limit=255,
        rename={"GroupDescription": "Description"},
        aside=frozenset({"SecurityGroupIngress", "SecurityGroupEgress"}),
        tag_specification="security-group",
        attributes={"GroupId": "Id", "Id": "Id", "VpcId": "Properties.VpcId"},
        delete=("delete_security_group", {"GroupId": "Id"}),
    ),
    *(
        Rule(
            f"AWS::EC2::SecurityGroup{way.title()}",
            "ec2",
            f"authorize_security_group_{way}",
            ref="",
            attributes={"Id": ""},
            delete=(f"revoke_security_group_{way}", {}),
        )
        for way in ("ingress", "egress")
    ),
]
