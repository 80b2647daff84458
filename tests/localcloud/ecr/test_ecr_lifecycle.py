"""Lifecycle policies: what they may say, what a preview shows, and what is gone in the end."""

import json
import time
from types import SimpleNamespace

import pytest
from ecr_push import image_of, policy, push, put, rule
from live import wait_for

from drydock import oci
from localcloud.ecr import lifecycle, policies
from localcloud.ecr.errors import EcrError

DAY = 24 * 3600
A_WHILE = lifecycle.SECONDS_BETWEEN_EXPIRIES * 2 + 1


def digests(ecr, repository):
    found = ecr.describe_images(repositoryName=repository)["imageDetails"]
    return {row["imageDigest"] for row in found}


def tagged(*prefixes):
    return {"status": "tagged", "tagPrefixList": list(prefixes)}


def pushed(*images):
    """A repository with images of these (tags, days ago), pushed in this order."""
    now = time.time()
    made = [
        SimpleNamespace(
            image_digest=f"{number}",
            image_tags=tags.split(),
            image_pushed_at=int(now - days * DAY),
            image_manifest='{"layers": []}',
        )
        for number, (tags, days) in enumerate(images)
    ]
    return SimpleNamespace(images=made)


def expired(repository, *rules):
    due = lifecycle.expiring(repository, policies.parse(policy(*rules)))
    return {image.image_digest: rule.priority for image, rule in due}


# ------------------------------------------------------------------- AWS's own examples
THREE = (("beta-1 prod-1", 10), ("beta-2 prod-2", 9), ("beta-3", 8))


def test_example_a_a_higher_rule_keeps_its_images_from_lower_ones():
    one = rule(1, count=1, **tagged("prod"))
    two = rule(2, count=1, **tagged("beta"))
    assert expired(pushed(*THREE), one, two) == {"0": 1}


def test_example_b_the_other_way_round():
    one = rule(1, count=1, **tagged("beta"))
    two = rule(2, count=1, **tagged("prod"))
    assert expired(pushed(*THREE), one, two) == {"0": 1, "1": 1}


def test_several_prefixes_have_to_match_all():
    both = rule(1, count=1, **tagged("alpha", "beta"))
    images = (("alpha-1", 12), ("beta-1", 11), ("alpha-2 beta-2", 10), ("alpha-3", 4))
    images += (("alpha-4 beta-4", 9),)
    assert expired(pushed(*images), both) == {"2": 1}


def test_any_takes_what_no_other_rule_selected():
    images = (("alpha-1", 12), ("beta-1", 11), ("alpha-2", 9), ("", 5), ("x", 1))
    one = rule(1, count=5, **tagged("alpha"))
    assert expired(pushed(*images), one, rule(9, count=1)) == {"1": 9, "3": 9}


def test_patterns():
    images = (("prod-web-1", 3), ("web-prod", 2), ("prod", 1))
    web = rule(1, "tagged", 1, tagPatternList=["*web*"])
    assert expired(pushed(*images), web) == {"0": 1}
    assert expired(pushed(*images), rule(1, "tagged", 1, tagPatternList=["prod*"])) == {"0": 1}
    for pattern in ("prod", "pro?*", "[p]rod*"):
        assert expired(pushed(*images), rule(1, "tagged", 1, tagPatternList=[pattern])) == {}


def test_age_in_days():
    images = (("a", 15), ("b", 14.01), ("c", 13.99), ("", 20))
    assert expired(pushed(*images), rule(1, "untagged", 14, "days")) == {"3": 1}
    assert expired(pushed(*images), rule(1, "any", 14, "days")) == {"0": 1, "1": 1, "3": 1}


def test_in_one_second_the_order_of_pushes_decides():
    assert expired(pushed(("a", 0), ("b", 0), ("c", 0)), rule(1, count=2)) == {"0": 1}


# ------------------------------------------------------------------- in the cloud
def test_a_preview_lists_what_then_expires(ecr, repository):
    old, new = image_of("old"), image_of("new")
    push(ecr, repository, old, "latest")
    push(ecr, repository, new, "latest")
    text = policy(rule(7, "untagged", 1))
    assert preview(ecr, repository, text)["previewResults"] == []
    newest = image_of("newest")
    push(ecr, repository, newest, "latest")
    shown = preview(ecr, repository, text)
    (row,) = shown["previewResults"]
    assert row["imageDigest"] == old.digest
    assert row["action"] == {"type": "EXPIRE"} and row["appliedRulePriority"] == 7
    assert shown["summary"] == {"expiringImageTotalCount": 1}
    assert shown["lifecyclePolicyText"] == text
    time.sleep(A_WHILE)
    assert len(digests(ecr, repository)) == 3, "a preview expires nothing"
    ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=text)
    wait_for(lambda: digests(ecr, repository) == {new.digest, newest.digest}, "expiry", 10)
    gone = ecr.batch_check_layer_availability(
        repositoryName=repository, layerDigests=[old.layers[0].digest]
    )
    assert gone["layers"] == []
    assert ecr.get_lifecycle_policy(repositoryName=repository)["lastEvaluatedAt"].year > 2000
    # An image that is pushed later meets the policy too.
    push(ecr, repository, image_of("4"), "latest")
    wait_for(lambda: new.digest not in digests(ecr, repository), "the next expiry", 10)
    assert newest.digest in digests(ecr, repository)


def preview(ecr, repository, text=None):
    more = {"lifecyclePolicyText": text} if text else {}
    begun = ecr.start_lifecycle_policy_preview(repositoryName=repository, **more)
    assert begun["status"] == "IN_PROGRESS"
    waiter = ecr.get_waiter("lifecycle_policy_preview_complete")
    waiter.wait(repositoryName=repository, WaiterConfig={"Delay": 1, "MaxAttempts": 5})
    return ecr.get_lifecycle_policy_preview(repositoryName=repository)


def test_what_an_index_needs_stays(ecr, repository):
    intel, arm = image_of("i"), image_of("a", architecture="arm64")
    push(ecr, repository, intel)
    push(ecr, repository, arm)
    put(ecr, repository, oci.index([intel, arm]).decode(), "1")
    stray = image_of("stray")
    push(ecr, repository, stray)
    push(ecr, repository, image_of("newest"))
    text = policy(rule(1, "untagged", 1))
    ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=text)
    wait_for(lambda: stray.digest not in digests(ecr, repository), "expiry", 10)
    assert {intel.digest, arm.digest} < digests(ecr, repository)
    ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": "1"}])
    wait_for(lambda: len(digests(ecr, repository)) == 1, "the expiry of its images", 10)


def test_without_a_policy(ecr, repository, refused):
    push(ecr, repository, image_of("x"))
    for operation in ("get_lifecycle_policy", "start_lifecycle_policy_preview"):
        refused("LifecyclePolicyNotFoundException", operation, repositoryName=repository)
    words = refused(
        "LifecyclePolicyPreviewNotFoundException",
        "get_lifecycle_policy_preview",
        repositoryName=repository,
    )
    assert "start_lifecycle_policy_preview" in words


def changed(**changes):
    """A good rule with changes in its selection; None takes a name out."""
    good = rule(1, "tagged", 1, tagPrefixList=["v"])
    good["selection"] = {
        name: value for name, value in {**good["selection"], **changes}.items() if value is not None
    }
    return good


GOOD = rule(1)
BAD = {
    "no json": ("{" + " " * 100, "Could not map policyString"),
    "a list": (json.dumps([GOOD]), "Could not map policyString"),
    "no rules": (json.dumps({"rule": [GOOD]}), '(["rules"])'),
    "rules of another kind": (json.dumps({"rules": GOOD}), "rules must be a list"),
    "none at all": (json.dumps({"rules": []}), "at least one"),
    "another name": (json.dumps({"rules": [GOOD], "Version": 1}), '(["Version"])'),
    "a rule of another kind": (policy("rule"), "(string)"),
    "no action": (policy({k: v for k, v in GOOD.items() if k != "action"}), '(["action"])'),
    "a rule with more": (policy({**GOOD, "Name": "x"}), '(["Name"])'),
    "priority 0": (policy({**GOOD, "rulePriority": 0}), "minimum: 1, found: 0"),
    "priority as text": (policy({**GOOD, "rulePriority": "1"}), "(string)"),
    "priority as truth": (policy({**GOOD, "rulePriority": True}), "(boolean)"),
    "a description of another kind": (policy({**GOOD, "description": 1}), "description"),
    "action of another kind": (policy({**GOOD, "action": "expire"}), "(string)"),
    "another action": (policy({**GOOD, "action": {"type": "delete"}}), '"expire"'),
    "archive": (policy({**GOOD, "action": {"type": "transition"}}), "only for AWS"),
    "a selection of another kind": (policy({**GOOD, "selection": []}), "(array)"),
    "no tag status": (policy(changed(tagStatus=None)), '(["tagStatus"])'),
    "another tag status": (policy(changed(tagStatus="Tagged")), '"untagged"'),
    "a list as tag status": (policy(changed(tagStatus=["any"])), '"untagged"'),
    "another count type": (policy(changed(countType="sinceImagePulled")), "only for AWS"),
    "an unknown count type": (policy(changed(countType="newest")), '"sinceImagePushed"'),
    "no unit": (policy(changed(countType="sinceImagePushed")), '(["countUnit"])'),
    "another unit": (
        policy(changed(countType="sinceImagePushed", countUnit="hours")),
        '"hours"',
    ),
    "a unit for a count": (policy(changed(countUnit="days")), "matched 0 out of 2"),
    "count 0": (policy(changed(countNumber=0)), "minimum: 1"),
    "half an image": (policy(changed(countNumber=1.5)), "(number)"),
    "tagged without tags": (policy(changed(tagPrefixList=None)), "either"),
    "both lists": (policy(changed(tagPatternList=["v*"])), "either"),
    "an empty list": (policy(changed(tagPrefixList=[])), "at least one"),
    "an empty prefix": (policy(changed(tagPrefixList=[""])), "empty"),
    "a prefix of another kind": (policy(changed(tagPrefixList="v")), "list of strings"),
    "a prefix with a star": (policy(changed(tagPrefixList=["v*"])), "tagPatternList"),
    "five stars": (
        policy(changed(tagPrefixList=None, tagPatternList=["a*b*c*d*e*"])),
        "4 wildcards",
    ),
    "tags for untagged": (policy(changed(tagStatus="untagged")), "only for the tagStatus tagged"),
    "the same priority twice": (policy(GOOD, changed()), "unique value for rulePriority"),
    "any before another": (policy(GOOD, {**changed(), "rulePriority": 2}), "highest value"),
    "untagged twice": (
        policy(rule(1, "untagged"), rule(2, "untagged", 3)),
        "only one rule",
    ),
    "the same prefixes twice": (
        policy(changed(), {**changed(countNumber=3), "rulePriority": 2}),
        "unique sets",
    ),
    "51 rules": (policy(*(rule(n, **tagged(f"v{n}-")) for n in range(1, 52))), "at most 50"),
}


@pytest.mark.parametrize(("text", "words"), BAD.values(), ids=BAD)
def test_policies_that_are_none(text, words):
    with pytest.raises(EcrError) as caught:
        policies.parse(text)
    assert caught.value.code == "InvalidParameterException"
    assert caught.value.message.startswith(
        "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
        "'Lifecycle policy validation failure: "
    )
    assert words in caught.value.message


def test_a_bad_policy_changes_nothing(ecr, repository, refused):
    text = policy(rule(1, count=1))
    ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=text)
    bad = policy(rule(0, count=1))
    for operation in ("put_lifecycle_policy", "start_lifecycle_policy_preview"):
        asked = {"repositoryName": repository, "lifecyclePolicyText": bad}
        assert "minimum: 1, found: 0" in refused("InvalidParameterException", operation, **asked)
    there = ecr.get_lifecycle_policy(repositoryName=repository)
    assert there["lifecyclePolicyText"] == text
