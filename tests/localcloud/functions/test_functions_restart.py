"""Functions outlive the server, and their processes do not."""

import psutil
from functions_lab import FunctionsLab
from live import kill, wait_for

from drydock import cloud as local_cloud

WHO = "import os\ndef handler(event, context):\n    return os.getpid()"


def ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_killed_server_leaves_the_function_but_no_process(home):
    cloud = local_cloud.start(home, port=0)
    lab = FunctionsLab(cloud)
    name = lab.make(WHO)
    before = lab.call(name)[0]["Said"]
    assert not ended(before)
    kill(cloud)
    lab.client = FunctionsLab(local_cloud.start(home, port=0)).client
    wait_for(lambda: ended(before), "the end of the old process")
    after = lab.call(name)[0]["Said"]
    assert after != before
    local_cloud.stop(home)
    wait_for(lambda: ended(after), "the end of the new process")
    assert not any((home / "functions").iterdir())
