"""Tasks that publish one month at the same time, in any order of their steps."""

import hashlib
import json
import random
import threading

import pytest
from etl.errors import InputFailure
from etl.layout import Month
from etl.publish import Content, publish

MONTH = Month.parse("2013-02")
SCHEDULES = 300


class Killed(BaseException):
    """Ends a task as SIGKILL does: nothing of it runs any more."""


class Memory:
    """Objects, each operation at once as in S3."""

    def __init__(self):
        self.objects: dict[str, bytes] = {}

    def name(self, key):
        return f"s3://lake/{key}"

    def keys(self, prefix):
        return sorted(key for key in self.objects if key.startswith(prefix))

    def etag(self, key):
        data = self.objects.get(key)
        return None if data is None else hashlib.md5(data).hexdigest()

    def get(self, key):
        if key not in self.objects:
            raise InputFailure(f"{key} does not exist")
        return self.objects[key], self.etag(key)

    def put(self, key, data):
        self.objects[key] = data

    def replace(self, key, data, etag):
        same = self.etag(key) == etag
        if same:
            self.objects[key] = data
        return same

    def delete(self, key):
        self.objects.pop(key, None)


class Turns:
    """A store of which every operation waits until the schedule lets its task go on."""

    def __init__(self, store, work):
        self._store, self._go, self._done = store, threading.Semaphore(0), threading.Semaphore(0)
        self.ended = self.killed = False
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()
        self._done.acquire()

    def _run(self, work):
        try:
            work(self)
        except Killed:
            pass
        finally:
            self.ended = True
            self._done.release()

    def step(self):
        self._go.release()
        self._done.acquire()

    def kill(self):
        self.killed = True
        self.step()

    def __getattr__(self, name):
        operation = getattr(self._store, name)

        def in_turn(*arguments):
            self._done.release()
            self._go.acquire()
            if self.killed:
                raise Killed
            return operation(*arguments)

        return in_turn


def content(raw: bytes, etag: str) -> Content:
    bad = b"a bad line\n" if b"bad" in raw else b""
    return Content(b"rows of " + raw, bad, {"source": {"key": MONTH.raw_key, "etag": etag}})


def task(store) -> None:
    while not publish(store, MONTH, content(*store.get(MONTH.raw_key))):
        pass


def no_manifest_lies(store: Memory) -> None:
    if MONTH.manifest_key not in store.objects:
        return
    manifest = json.loads(store.objects[MONTH.manifest_key])
    curated = store.objects[manifest["file"]["key"]]
    assert manifest["file"]["sha256"] == hashlib.sha256(curated).hexdigest()
    if manifest["quarantine"]:
        assert store.objects[manifest["quarantine"]]


def now_published(store: Memory) -> bytes:
    """The rows, after checking that nothing else lies beside them."""
    manifest = json.loads(store.objects[MONTH.manifest_key])
    named = [key for key in (manifest["file"]["key"], manifest["quarantine"]) if key]
    assert sorted(named) == [key for key in store.keys("") if "month=" in key]
    return store.objects[manifest["file"]["key"]]


@pytest.mark.parametrize("tasks", [2, 3])
@pytest.mark.parametrize("killing", [False, True], ids=["none_killed", "some_killed"])
@pytest.mark.parametrize("before", ["nothing", "a month", "an older program's"])
def test_the_manifest_names_what_is_there_at_every_moment(tasks, killing, before):
    for seed in range(SCHEDULES // tasks):
        chance, store = random.Random(seed), Memory()
        inputs = [b"one", b"two bad", b"one"]
        store.put(MONTH.raw_key, inputs.pop())
        if before != "nothing":
            task(store)
        if before == "an older program's":
            older = f"{MONTH.curated_prefix}flights-0123456789ab.parquet"
            manifest = {"file": {"key": older, "sha256": hashlib.sha256(b"rows").hexdigest()}}
            store.objects[older] = b"rows"
            store.put(MONTH.manifest_key, json.dumps(manifest | {"quarantine": None}).encode())
        running = [Turns(store, task) for _ in range(tasks)]
        while live := [one for one in running if not one.ended]:
            if inputs and chance.random() < 0.1:
                store.put(MONTH.raw_key, inputs.pop())
            one = chance.choice(live)
            if killing and chance.random() < 0.03:
                one.kill()
            else:
                one.step()
            no_manifest_lies(store)
        task(store)
        no_manifest_lies(store)
        assert now_published(store) == b"rows of " + store.objects[MONTH.raw_key]


def test_a_task_that_was_overtaken_does_not_bring_older_rows_back():
    store = Memory()
    store.put(MONTH.raw_key, b"old")
    late = Turns(store, task)
    for _ in range(7):  # up to where its files are written
        late.step()
    store.put(MONTH.raw_key, b"new")
    task(store)
    while not late.ended:
        late.step()
        assert b"new" in store.objects[json.loads(store.objects[MONTH.manifest_key])["file"]["key"]]
    assert now_published(store) == b"rows of new"


@pytest.mark.parametrize("junk", [b"", b"[]", b"{", b'{"revision": "7"}', b"\xff"])
def test_a_manifest_that_is_none_is_replaced(junk):
    store = Memory()
    store.put(MONTH.raw_key, b"one")
    task(store)
    store.put(MONTH.manifest_key, junk)
    task(store)
    assert now_published(store) == b"rows of one"


def test_a_published_file_that_was_lost_or_damaged_is_written_again():
    store = Memory()
    store.put(MONTH.raw_key, b"one bad")
    task(store)
    for key in [key for key in store.keys("") if "month=" in key]:
        store.delete(key)
        task(store)
        no_manifest_lies(store)
    [key] = store.keys(MONTH.curated_prefix)
    store.put(key, b"half")
    task(store)
    assert now_published(store) == b"rows of one bad"


def test_publishing_the_same_again_changes_nothing():
    store = Memory()
    store.put(MONTH.raw_key, b"one bad")
    task(store)
    first = dict(store.objects)
    task(store)
    assert store.objects == first
