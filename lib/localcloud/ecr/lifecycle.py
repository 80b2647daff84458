"""Lifecycle policies at work: which images a policy expires, and their expiry.

"Lifecycle policy evaluation rules" in the ECR user guide says how rules work together: an image
that the tags of a rule select is left to it, and rules of lower priority may count the image, but
not expire it. An image that an index of the repository refers to stays as long as the index does.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from moto.ecr.models import Image, Repository

from localcloud.ecr import images, manifests, policies
from localcloud.ecr.errors import EcrError
from localcloud.ecr.layers import LayerFiles, repositories
from localcloud.ecr.policies import Rule

# On AWS an image expires within 24 hours of meeting a rule; here within as many seconds.
SECONDS_BETWEEN_EXPIRIES = 2.0
SECONDS_OF_A_DAY = 24 * 3600


def expiring(repository: Repository, rules: list[Rule]) -> Iterator[tuple[Image, Rule]]:
    """The images that the rules expire now, each with its rule."""
    # A sort keeps the order of pushes within one second.
    youngest_first = sorted(repository.images, key=lambda image: image.image_pushed_at)[::-1]
    held = manifests.in_an_index(repository)
    taken: set[str] = set()
    for rule in rules:
        selected = [image for image in youngest_first if _selects(rule, image)]
        for image in _too_many_or_old(rule, selected):
            if image.image_digest not in taken | held:
                yield image, rule
        taken |= {image.image_digest for image in selected}


def _selects(rule: Rule, image: Image) -> bool:
    if rule.tag_status == "any":
        return True
    if rule.tag_status == "untagged":
        return not image.image_tags
    # Every pattern has to match some tag of the image.
    return all(any(images.matches(tag, p) for tag in image.image_tags) for p in rule.patterns)


def _too_many_or_old(rule: Rule, youngest_first: list[Image]) -> list[Image]:
    if rule.count_type == "imageCountMoreThan":
        return youngest_first[rule.count :]
    limit = time.time() - rule.count * SECONDS_OF_A_DAY
    return [image for image in youngest_first if image.image_pushed_at < limit]


def preview(repository: Repository, text: str) -> dict[str, Any]:
    """What GetLifecyclePolicyPreview answers about this policy, as things are now."""
    results = []
    for image, rule in expiring(repository, policies.parse(text)):
        row = {
            "imageDigest": image.image_digest,
            "imagePushedAt": image.image_pushed_at,
            "action": {"type": "EXPIRE"},
            "appliedRulePriority": rule.priority,
        }
        if image.image_tags:
            row["imageTags"] = list(image.image_tags)
        results.append(row)
    return {
        "registryId": repository.registry_id,
        "repositoryName": repository.name,
        "lifecyclePolicyText": text,
        "status": "COMPLETE",
        "previewResults": results,
        "summary": {"expiringImageTotalCount": len(results)},
    }


class Expiry:
    """The thread that applies policies again and again, and removes files of layers."""

    def __init__(self, files: LayerFiles):
        self._files = files
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ecr-expiry", daemon=True)
        self._save: Callable[[], None] = lambda: None

    def start(self, save: Callable[[], None]) -> None:
        """``save`` writes the changed state to the disk."""
        self._save = save
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(SECONDS_BETWEEN_EXPIRIES):
            try:
                if self._apply():
                    self._save()
                self._files.sweep()
            except Exception:
                # One bad moment, such as a full disk, does not end expiry for good.
                traceback.print_exc()
                sys.stderr.flush()

    def _apply(self) -> bool:
        """Expire what is due everywhere; whether anything was."""
        changed = False
        for repository in repositories():
            if not repository.lifecycle_policy:
                continue
            with self._files.lock:
                try:
                    rules = policies.parse(repository.lifecycle_policy)
                except EcrError:  # put when less was checked
                    continue
                due = list(expiring(repository, rules))
                for image, _ in due:
                    images.remove(repository, image)
                repository.lifecycle_evaluated_at = datetime.now(UTC)
            changed |= bool(due)
        return changed
