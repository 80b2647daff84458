"""JupyterHub for a room: many learners on one machine, each with a local cloud of their own.

    export DRYDOCK_ROOM_PASSWORD=...        # what the room types; 8 letters or more
    sudo -E .venv/bin/jupyterhub -f workshop/jupyterhub_config.py

Learners choose a name and type the room's password. Each gets a Unix account, with systemd also a
bound of memory and a cgroup of their own. workshop/README.md says what to install first.
"""

import os
import shutil
import sys
from pathlib import Path

from drydock.workshop import seats

c = get_config()  # noqa: F821 (JupyterHub gives it)

password = os.environ.get("DRYDOCK_ROOM_PASSWORD", "")
if len(password) < 8:
    sys.exit("drydock: set DRYDOCK_ROOM_PASSWORD to the room's password, 8 letters or more")

if folder := seats.closed(Path(sys.executable)):
    sys.exit(
        f"drydock: learners cannot run {sys.executable}, as {folder} is closed to them: "
        "set the project up with a Python in /usr or /opt"
    )

c.JupyterHub.bind_url = os.environ.get("DRYDOCK_ROOM_URL", "http://:8000")
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = password
c.Authenticator.allow_all = True
c.Authenticator.username_pattern = seats.NAME.pattern

# Without systemd memory is not bounded, which a room notices when one learner takes it all.
with_systemd = shutil.which("systemd-run") and Path("/run/systemd/system").is_dir()
c.JupyterHub.spawner_class = "systemd" if with_systemd else "localprocess"
c.SystemdSpawner.mem_limit = os.environ.get("DRYDOCK_ROOM_MEMORY", seats.MEMORY)
c.SystemdSpawner.isolate_tmp = True
c.SystemdSpawner.username_template = "{USERNAME}"

c.Spawner.cmd = [sys.executable, "-m", "drydock.workshop.seats"]
c.Spawner.default_url = "/lab/tree/00_start_here.ipynb"
c.Spawner.start_timeout = 120  # twenty people open at once


def before(spawner):
    """Give the learner an account and the variables that keep everything apart."""
    home = Path(seats.account(spawner.user.name).pw_dir)
    spawner.environment = {
        **seats.variables(spawner.user.name, home),
        # Terminals find `drydock` there.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    spawner.notebook_dir = str(home / "lessons")


c.Spawner.pre_spawn_hook = before

# Who has left the room for an hour gives the memory back; their files stay.
c.JupyterHub.load_roles = [
    {
        "name": "idle",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle"],
    }
]
c.JupyterHub.services = [
    {"name": "idle", "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600"]}
]
