"""Lists in pages: each page continues the list as it was, or says that it cannot."""

import json

import pytest
from kubernetes.client import ApiException

from localcloud.kubernetes import pages
from localcloud.kubernetes.errors import ApiError
from localcloud.kubernetes.resources import CONFIG_MAPS
from localcloud.kubernetes.store import KEPT_CHANGES, Store


@pytest.fixture
def maps(lab):
    """Seven ConfigMaps of one namespace, by name."""
    lab.core.create_namespace({"metadata": {"name": "paged"}})
    names = [f"m{at}" for at in range(7)]
    for name in names:
        lab.core.create_namespaced_config_map("paged", {"metadata": {"name": name}})
    yield [*names, "kube-root-ca.crt"]
    lab.kubectl("delete", "namespace", "paged")


def names_of(found):
    return [one.metadata.name for one in found.items]


def page(lab, token=None, limit=3, **more):
    more |= {"_continue": token} if token else {}
    return lab.core.list_namespaced_config_map("paged", limit=limit, **more)


def test_pages_are_the_list_as_it_was_when_the_first_was_read(lab, maps):
    first = page(lab)
    assert len(first.items) == 3 and first.metadata.remaining_item_count == 5
    lab.core.delete_namespaced_config_map("m4", "paged")
    lab.core.create_namespaced_config_map("paged", {"metadata": {"name": "m3-new"}})
    lab.core.patch_namespaced_config_map("m5", "paged", {"data": {"a": "b"}})
    second = page(lab, first.metadata._continue)
    third = page(lab, second.metadata._continue)
    assert sorted(names_of(first) + names_of(second) + names_of(third)) == sorted(maps)
    assert third.metadata._continue is None
    versions = {one.metadata.resource_version for one in (first, second, third)}
    assert len(versions) == 1
    now = page(lab, limit=None)
    assert "m3-new" in names_of(now) and "m4" not in names_of(now)


def test_with_a_selector_nobody_has_counted_the_rest(lab, maps):
    found = page(lab, field_selector="metadata.name!=m0")
    assert found.metadata._continue and found.metadata.remaining_item_count is None


def test_kubectl_reads_all_pages(lab, maps):
    shown = lab.kubectl("get", "configmaps", "-n", "paged", "--chunk-size=2", "-o", "name")
    assert sorted(shown.split()) == sorted(f"configmap/{name}" for name in maps)
    table = lab.kubectl("get", "cm", "-n", "paged", "--chunk-size=3", "--no-headers")
    assert len(table.splitlines()) == len(maps)


def test_a_token_that_is_none_is_refused(lab, maps):
    with pytest.raises(ApiException) as refused:
        page(lab, "bm90IGEgdG9rZW4")
    assert refused.value.status == 400 and "continue key is not valid" in refused.value.body


def test_a_token_too_old_is_expired_and_the_rest_can_still_be_had(tmp_path):
    """On a store of its own: thousands of changes through the API would take half a minute."""
    store = Store(tmp_path / "objects.sqlite")
    for at in range(5):
        meta = {"name": f"m{at}", "namespace": "default"}
        store.create(CONFIG_MAPS, {"metadata": meta, "data": {}})
    everything = lambda _: True  # noqa: E731
    _, about = pages.read(store, CONFIG_MAPS, everything, {"limit": "2"})
    with store.together():
        for at in range(KEPT_CHANGES + 1):
            store.change(
                CONFIG_MAPS, "default", "m0", lambda one, at=at: one.update(data={"n": str(at)})
            )
    with pytest.raises(ApiError) as refused:
        pages.read(store, CONFIG_MAPS, everything, {"limit": "2", "continue": about["continue"]})
    status = refused.value.status()
    assert (status["code"], status["reason"]) == (410, "Expired")
    assert status["message"].startswith("The provided continue parameter is too old")
    rest, _ = pages.read(
        store, CONFIG_MAPS, everything, {"continue": status["metadata"]["continue"]}
    )
    assert [one["metadata"]["name"] for one in rest] == ["m2", "m3", "m4"]
    store.close()


def test_a_limit_that_is_no_number_is_refused(lab):
    with pytest.raises(ApiException) as refused:
        lab.core.list_namespaced_config_map("default", limit="many")
    assert json.loads(refused.value.body)["reason"] == "BadRequest"
