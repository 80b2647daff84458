"""EKS on the wire: moto parses and keeps the books, and what a request asks for really happens."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.eks.exceptions import (
    InvalidParameterException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from moto.eks.responses import EKSResponse

from localcloud import arns
from localcloud.eks import nodegroups, roles
from localcloud.kubernetes.schemas import KUBERNETES

if TYPE_CHECKING:
    from localcloud.eks.plane import Eks

VERSION = KUBERNETES.removeprefix("v").rpartition(".")[0]
PLATFORM = "eks.1"
BASE = "{0}/clusters/(?P<name>[^/]+)"
PATHS = [
    BASE + "/pod-identity-associations$",
    BASE + "/pod-identity-associations/(?P<associationId>[^/]+)$",
    BASE + "/access-entries$",
    BASE + "/access-entries/(?P<principalArn>.+)$",
]


class Responses(EKSResponse):
    eks: Eks  # set when the service is registered

    def create_cluster(self) -> ActionResult:
        wanted = self._get_param("version")
        if wanted not in (None, VERSION):
            raise InvalidParameterException(
                message=f"unsupported Kubernetes version {wanted}: "
                f"the local cloud's EKS serves {VERSION}"
            )
        roles.check(self._get_param("roleArn"), "eks.amazonaws.com")
        answer = super().create_cluster()
        record = self.eks_backend.clusters[self._get_param("name")]
        record.version, record.platformVersion = VERSION, PLATFORM
        try:
            self.eks.open(record)
        except BaseException:
            del self.eks_backend.clusters[record.name]
            raise
        return answer

    def delete_cluster(self) -> ActionResult:
        answer = super().delete_cluster()
        name = self._get_param("name")
        self.eks.close(name)
        for kind in ("associations", "entries"):
            self._kept(kind).pop(name, None)
        return answer

    def list_nodegroups(self) -> ActionResult:
        self._cluster_name()  # EKS's own error, where moto has none
        return super().list_nodegroups()

    def list_fargate_profiles(self) -> ActionResult:
        self._cluster_name()
        return super().list_fargate_profiles()

    def create_nodegroup(self) -> ActionResult:
        nodegroups.check(self._get_param("instanceTypes"), self._get_param("scalingConfig"))
        roles.check(self._get_param("nodeRole"), "ec2.amazonaws.com")
        answer = super().create_nodegroup()
        name = self._get_param("name")
        group = self.eks_backend.clusters[name].nodegroups[self._get_param("nodegroupName")]
        group.version, group.release_version = VERSION, f"{VERSION}.0-local"
        nodegroups.sync(self.eks, name)
        return answer

    def delete_nodegroup(self) -> ActionResult:
        answer = super().delete_nodegroup()
        nodegroups.sync(self.eks, self._get_param("name"))
        return answer

    def update_nodegroup_config(self) -> ActionResult:
        answer = super().update_nodegroup_config()
        nodegroups.sync(self.eks, self._get_param("name"))
        return answer

    def create_fargate_profile(self) -> ActionResult:
        roles.check(self._get_param("podExecutionRoleArn"), "eks-fargate-pods.amazonaws.com")
        return super().create_fargate_profile()

    # pod identity associations ------------------------------------------------------------------
    def create_pod_identity_association(self) -> ActionResult:
        name, role = self._cluster_name(), self._get_param("roleArn")
        roles.check(role, roles.PODS)
        wanted = {
            "clusterName": name,
            "namespace": self._get_param("namespace"),
            "serviceAccount": self._get_param("serviceAccount"),
        }
        known = self._kept("associations").setdefault(name, {})
        if any(all(one[k] == v for k, v in wanted.items()) for one in known.values()):
            raise ResourceInUseException(
                clusterName=name,
                nodegroupName=None,
                addonName=None,
                message="Association already exists: "
                + next(i for i, o in known.items() if all(o[k] == v for k, v in wanted.items())),
            )
        key = "a-" + uuid.uuid4().hex[:17]
        known[key] = {
            **wanted,
            "roleArn": role,
            "associationArn": f"arn:aws:eks:{arns.REGION}:{arns.ACCOUNT}:podidentityassociation/"
            f"{name}/{key}",
            "associationId": key,
            "tags": self._get_param("tags") or {},
            "createdAt": time.time(),
            "modifiedAt": time.time(),
        }
        return ActionResult({"association": known[key]})

    def list_pod_identity_associations(self) -> ActionResult:
        found = self._kept("associations").get(self._cluster_name(), {}).values()
        for parameter in ("namespace", "serviceAccount"):
            value = self._get_param(parameter)
            found = [one for one in found if value in (None, one[parameter])]
        hidden = ("roleArn", "tags", "createdAt", "modifiedAt")
        shown = [{k: v for k, v in one.items() if k not in hidden} for one in found]
        return ActionResult({"associations": shown})

    def describe_pod_identity_association(self) -> ActionResult:
        return ActionResult({"association": self._association()})

    def update_pod_identity_association(self) -> ActionResult:
        found, role = self._association(), self._get_param("roleArn")
        if role:
            roles.check(role, roles.PODS)
            found.update(roleArn=role, modifiedAt=time.time())
        return ActionResult({"association": found})

    def delete_pod_identity_association(self) -> ActionResult:
        found = self._association()
        del self._kept("associations")[found["clusterName"]][found["associationId"]]
        return ActionResult({"association": found})

    def _association(self) -> dict[str, Any]:
        name, key = self._cluster_name(), self._get_param("associationId")
        found = self._kept("associations").get(name, {}).get(key)
        if found is None:
            raise _no_such(name, f"No association found with ID: {key}.")
        return found

    # access entries -----------------------------------------------------------------------------
    def create_access_entry(self) -> ActionResult:
        name, principal = self._cluster_name(), self._get_param("principalArn")
        known = self._kept("entries").setdefault(name, {})
        if principal in known:
            raise ResourceInUseException(
                clusterName=name,
                nodegroupName=None,
                addonName=None,
                message="The specified access entry resource is already in use on this cluster.",
            )
        role = principal.rpartition("/")[2]
        known[principal] = {
            "clusterName": name,
            "principalArn": principal,
            "kubernetesGroups": self._get_param("kubernetesGroups") or [],
            "accessEntryArn": f"arn:aws:eks:{arns.REGION}:{arns.ACCOUNT}:access-entry/{name}/role/"
            f"{arns.ACCOUNT}/{role}/{uuid.uuid4()}",
            "username": self._get_param("username") or principal,
            "type": self._get_param("type") or "STANDARD",
            "tags": self._get_param("tags") or {},
            "createdAt": time.time(),
            "modifiedAt": time.time(),
        }
        return ActionResult({"accessEntry": known[principal]})

    def describe_access_entry(self) -> ActionResult:
        return ActionResult({"accessEntry": self._entry()})

    def list_access_entries(self) -> ActionResult:
        found = self._kept("entries").get(self._cluster_name(), {})
        return ActionResult({"accessEntries": list(found)})

    def delete_access_entry(self) -> ActionResult:
        found = self._entry()
        del self._kept("entries")[found["clusterName"]][found["principalArn"]]
        return ActionResult({})

    def _entry(self) -> dict[str, Any]:
        name, principal = self._cluster_name(), self._get_param("principalArn")
        found = self._kept("entries").get(name, {}).get(principal)
        if found is None:
            words = f"The specified principalArn could not be found: {principal}."
            raise _no_such(name, words)
        return found

    def _kept(self, kind: str) -> dict[str, dict[str, Any]]:
        """Of every cluster; moto's backend keeps it with what is its own."""
        return kept(self.eks_backend, kind)

    def _cluster_name(self) -> str:
        name = self._get_param("name") or self._get_param("clusterName")
        self.eks_backend.describe_cluster(name)
        return name


def kept(backend: Any, kind: str) -> dict[str, dict[str, Any]]:
    return backend.__dict__.setdefault(kind, {})


def _no_such(cluster: str, words: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(
        clusterName=cluster,
        nodegroupName=None,
        fargateProfileName=None,
        addonName=None,
        message=words,
    )
