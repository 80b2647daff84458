"""All labs live once, side by side, on one local cloud; the tests look at what happened."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lives import LIGHT, ORDER, live

from drydock.lab import open_lab
from drydock.study import repair
from drydock.study.repair import making

AT_ONCE = 5


@pytest.fixture(scope="session")
def lab(cloud):
    return open_lab()


@pytest.fixture(scope="session")
def lives(lab, request):
    """The future Life of each lab that the chosen tests are about, by name."""
    making.lookup_instance(lab)  # once, before several want it at the same time
    named = [item.callspec.params.get("name") for item in request.session.items if _varied(item)]
    chosen = {LIGHT, *named} & set(repair.names())
    names = sorted(chosen, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {name: pool.submit(live, name) for name in names}
        pool.shutdown(cancel_futures=True)


def _varied(item: pytest.Item) -> bool:
    return hasattr(item, "callspec")
