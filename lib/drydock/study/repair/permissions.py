"""What a role may do, read from its policies: a lab wants the least that works."""

import fnmatch
from collections.abc import Iterable

from drydock.lab import Lab


def excess(lab: Lab, role: str, unwanted: Iterable[tuple[str, str, str]]) -> str | None:
    """Say what the role may do that it should not, or None.

    `unwanted` are (action, resource, words), such as ("s3:DeleteBucket", ARN, "delete the bucket").
    """
    statements = _statements(lab, role)
    for action, resource, words in unwanted:
        if allows(statements, action, resource):
            return f"The role {role} has more than the least privilege: it may also {words}."
    return None


def allows(statements: Iterable[dict], action: str, resource: str) -> bool:
    """Whether IAM would allow the action on the resource; Condition is taken as met."""
    effects = {
        statement["Effect"]
        for statement in statements
        if _matches(statement, "Action", action.lower(), str.lower)
        and _matches(statement, "Resource", resource, str)
    }
    return effects == {"Allow"}


def _matches(statement: dict, element: str, value: str, fold) -> bool:
    """`element` is Action or Resource, of which a statement has one, or its opposite Not…"""
    if f"Not{element}" in statement:
        return not _any(statement[f"Not{element}"], value, fold)
    return _any(statement.get(element, []), value, fold)


def _any(patterns: str | list[str], value: str, fold) -> bool:
    patterns = [patterns] if isinstance(patterns, str) else patterns
    # IAM knows * and ?, but no [sets].
    return any(
        fnmatch.fnmatchcase(value, fold(pattern).replace("[", "[[]")) for pattern in patterns
    )


def _statements(lab: Lab, role: str) -> list[dict]:
    iam = lab.client("iam")
    documents = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        policy = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]
        version = iam.get_policy_version(
            PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"]
        )
        documents.append(version["PolicyVersion"]["Document"])
    found = [document["Statement"] for document in documents]
    return [one for group in found for one in (group if isinstance(group, list) else [group])]
