"""Buckets and their policies."""

from __future__ import annotations

from typing import Any

from localcloud import arns
from localcloud.cloudformation.errors import ResourceFailed
from localcloud.cloudformation.kinds.base import Context, Kind
from localcloud.cloudformation.kinds.parameters import as_tags

RULE = {"Id", "Status", "Prefix", "AbortIncompleteMultipartUpload", "ExpirationInDays"}


class Bucket(Kind):
    """A bucket; S3 takes its settings one call each."""

    def wire(self, context: Context, properties: dict[str, Any]) -> dict[str, Any]:
        found = super().wire(context, {"BucketName": properties["BucketName"]})
        if arns.REGION != "us-east-1":
            found["CreateBucketConfiguration"] = {"LocationConstraint": arns.REGION}
        return found

    def finish(self, context: Context, about: dict[str, Any]) -> None:
        properties, name, s3 = about["Properties"], about["Id"], context.client("s3")
        super().finish(context, about)
        tags = {**context.tags, **as_tags(properties.get("Tags", {}))}
        if tags:
            pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": pairs})
        if "BucketEncryption" in properties:
            rules = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
            changed = [
                {
                    "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
                    "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
                }
                for rule in rules
            ]
            s3.put_bucket_encryption(
                Bucket=name, ServerSideEncryptionConfiguration={"Rules": changed}
            )
        if "LifecycleConfiguration" in properties:
            rules = [_rule(rule) for rule in properties["LifecycleConfiguration"]["Rules"]]
            s3.put_bucket_lifecycle_configuration(
                Bucket=name, LifecycleConfiguration={"Rules": rules}
            )


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    """A lifecycle rule as the API has it. Raises ResourceFailed."""
    unknown = sorted(set(rule) - RULE)
    if unknown:
        raise ResourceFailed(f"The local cloud's lifecycle rules have no {unknown[0]}")
    found = {
        "ID": rule.get("Id", "rule"),
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
    }
    if "ExpirationInDays" in rule:
        found["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    if "AbortIncompleteMultipartUpload" in rule:
        days = int(rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"])
        found["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": days}
    return found


KINDS = [
    Bucket(
        "AWS::S3::Bucket",
        "s3",
        "create_bucket",
        ref="Properties.BucketName",
        name="BucketName",
        name_limit=63,
        lower_name=True,
        rename={"BucketName": "Bucket"},
        tagged=False,
        then=(
            (
                "PublicAccessBlockConfiguration",
                "put_public_access_block",
                {
                    "Bucket": "Id",
                    "PublicAccessBlockConfiguration": "Properties.PublicAccessBlockConfiguration",
                },
            ),
            (
                "VersioningConfiguration",
                "put_bucket_versioning",
                {
                    "Bucket": "Id",
                    "VersioningConfiguration": "Properties.VersioningConfiguration",
                },
            ),
            (
                "OwnershipControls",
                "put_bucket_ownership_controls",
                {"Bucket": "Id", "OwnershipControls": "Properties.OwnershipControls"},
            ),
        ),
        aside=frozenset({"BucketEncryption", "LifecycleConfiguration", "Tags"}),
        attributes={
            "Arn": "join('', ['arn:aws:s3:::', Id])",
            "DomainName": "join('', [Id, '.s3.amazonaws.com'])",
            "RegionalDomainName": f"join('', [Id, '.s3.{arns.REGION}.amazonaws.com'])",
        },
        delete=("delete_bucket", {"Bucket": "Id"}),
    ),
    Kind(
        "AWS::S3::BucketPolicy",
        "s3",
        "put_bucket_policy",
        ref="Properties.Bucket",
        rename={"PolicyDocument": "Policy"},
        tagged=False,
        delete=("delete_bucket_policy", {"Bucket": "Id"}),
    ),
]
