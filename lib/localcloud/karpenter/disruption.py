"""Consolidation: nodes that are not worth their price go, one decision after the other.

Events as Karpenter's (pkg/controllers/disruption/events/events.go).
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from localcloud.karpenter import claims, conditions, names, offers, pools
from localcloud.karpenter.consolidation import (
    EMPTY,
    UNDERUTILIZED,
    Candidate,
    Command,
    allowed,
    decide,
)
from localcloud.karpenter.lifecycle import disrupt
from localcloud.kubernetes import pace
from localcloud.kubernetes.resources import PODS
from localcloud.kubernetes.work import Controller

if TYPE_CHECKING:
    from localcloud.kubernetes.cluster import Cluster
    from localcloud.kubernetes.store import Change, Object

# Karpenter looks every 10 s, and waits 15 s before it carries a decision out.
LOOK_SECONDS, SETTLE_SECONDS = 10.0, 15.0


class Disruption:
    def __init__(self, cluster: Cluster):
        self._cluster, self._store = cluster, cluster.store
        self._controller = Controller("disruption", self._look)
        self.controllers = [self._controller]
        self._touched: dict[str, float] = {}
        self._decided: tuple[float, Command] | None = None
        self._waiting: tuple[str, Command] | None = None
        self._store.subscribe(self._told)

    def start(self) -> None:
        for claim in self._store.list(names.NODE_CLAIMS):
            node = claims.node_of(self._store, claim)
            if node and not claims.is_going(claim):
                disrupt(self._store, node["metadata"]["name"], going=False)
            self._controller.put("", "")

    def _told(self, change: Change) -> None:
        if change.resource is names.NODE_CLAIMS:
            self._controller.put("", "", pace.ours(LOOK_SECONDS))
        elif change.resource is PODS:
            before = change.before or {}
            node = change.object["spec"].get("nodeName")
            ended = _active(before) and not _active(change.object)
            came = node != before.get("spec", {}).get("nodeName")
            if node and (came or ended or change.kind == "DELETED"):
                self._touched[node] = time.monotonic()

    def _look(self, *_: str) -> float | None:
        known = self._store.list(names.NODE_CLAIMS)
        if not known:
            self._touched.clear()
            return None
        if self._waiting:
            self._go_on(*self._waiting)
        else:
            self._consider()
        return pace.ours(LOOK_SECONDS)

    def _consider(self) -> None:
        """A decision is carried out if it is still the same after some time."""
        with self._store.lock:
            command = self._decide()
            if command is None:
                self._decided = None
                return
            now = time.monotonic()
            if self._decided is None or not _same(self._decided[1], command):
                self._decided = (now, command)
            if now - self._decided[0] < pace.ours(SETTLE_SECONDS):
                return
            self._decided = None
            self._begin(command)

    def _decide(self) -> Command | None:
        empty, others, budgets = [], [], {}
        for pool in self._store.list(names.NODE_POOLS):
            name, spec = pool["metadata"]["name"], pool["spec"]["disruption"]
            mine = [
                claim
                for claim in self._store.list(names.NODE_CLAIMS)
                if claim["metadata"]["labels"].get(names.POOL) == name
            ]
            going = sum(claims.is_going(claim) for claim in mine)
            budgets[name] = {
                reason: allowed(spec["budgets"], len(mine), going, reason)
                for reason in (EMPTY, UNDERUTILIZED)
            }
            for claim in mine:
                candidate = self._candidate(claim, spec)
                if candidate and not candidate.pods:
                    empty.append(candidate)
                elif candidate and spec["consolidationPolicy"] != "WhenEmpty":
                    others.append(candidate)
            for reason, found in ((EMPTY, empty), (UNDERUTILIZED, others)):
                if any(one.pool == name for one in found) and not budgets[name][reason]:
                    words = f"No allowed disruptions for disruption reason {reason} due to blocking"
                    claims.tell(self._cluster, pool, "DisruptionBlocked", words + " budget")
        if not empty and not others:
            return None
        return decide(empty, others, self._rooms(), pools.usable(self._store), budgets)

    def _rooms(self) -> list:
        """Without what is going: its taint keeps all pods away that tolerate less than all."""
        going = {c["metadata"]["name"] for c in self._store.list(names.NODE_CLAIMS) if _leaves(c)}
        return [room for room in claims.rooms(self._store) if room.name not in going]

    def _candidate(self, claim: Object, spec: Object) -> Candidate | None:
        """None if the node is to be left alone."""
        node = claims.node_of(self._store, claim)
        after = conditions.seconds(spec["consolidateAfter"])
        if node is None or _leaves(claim) or after is None:
            return None
        if not conditions.is_true(claim, "Ready") or _protected(node) or _protected(claim):
            return None
        name = node["metadata"]["name"]
        touched = self._touched.setdefault(name, time.monotonic())
        if time.monotonic() - touched < after:
            return None
        pods = claims.pods_of(self._store, name)
        if any(_protected(pod) for pod in pods):
            return None
        labels = claim["metadata"]["labels"]
        price = offers.prices()[labels[names.INSTANCE_TYPE]]
        own = claim["metadata"]["name"]
        return Candidate(own, labels[names.POOL], price, labels[names.CAPACITY_TYPE], pods)

    def _begin(self, command: Command) -> None:
        for name in command.claims:
            claim = self._store.need(names.NODE_CLAIMS, "", name)
            disrupt(self._store, claim["status"]["nodeName"])
        if command.replacement is None:
            self._finish(command)
            return
        made = claims.create(self._cluster, command.replacement)
        reason = command.reason
        claims.tell(self._cluster, made, "DisruptionLaunching", f"Launching NodeClaim: {reason}")
        words = "Waiting on readiness to continue disruption"
        claims.tell(self._cluster, made, "DisruptionWaitingReadiness", words)
        self._waiting = (made["metadata"]["name"], command)

    def _go_on(self, replacement: str, command: Command) -> None:
        claim = self._store.get(names.NODE_CLAIMS, "", replacement)
        if claim is None or claims.is_going(claim):
            # What was to replace them has gone: they stay.
            self._waiting = None
            for name in command.claims:
                old = self._store.get(names.NODE_CLAIMS, "", name)
                node = claims.node_of(self._store, old) if old else None
                if node:
                    disrupt(self._store, node["metadata"]["name"], going=False)
        elif conditions.is_true(claim, "Ready"):
            self._waiting = None
            self._finish(command)

    def _finish(self, command: Command) -> None:
        for name in command.claims:
            claim = self._store.get(names.NODE_CLAIMS, "", name)
            if claim is None:
                continue
            node = claims.node_of(self._store, claim)
            for kind, about in (("Node", node), ("NodeClaim", claim)):
                if about:
                    words = f"Disrupting {kind}: {command.reason}"
                    claims.tell(self._cluster, about, "DisruptionTerminating", words)
            self._cluster.registry.delete(names.NODE_CLAIMS, "", name, {})


def _same(one: Command, other: Command) -> bool:
    kinds = [c.replacement.offer.kind if c.replacement else None for c in (one, other)]
    return Counter(one.claims) == Counter(other.claims) and kinds[0] == kinds[1]


def _leaves(claim: Object) -> bool:
    return claims.is_going(claim)


def _active(pod: Object) -> bool:
    return bool(pod) and pod.get("status", {}).get("phase") not in claims.ENDED


def _protected(document: Object) -> bool:
    notes = document["metadata"].get("annotations") or {}
    return notes.get(names.DO_NOT_DISRUPT) == "true"
