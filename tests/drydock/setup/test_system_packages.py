"""Installing system packages, with an apt-get of our own on PATH that records what it is asked."""

import os
import socket
import sys

import pytest

from drydock.setup import needs, system_packages
from drydock.setup.needs import Need, PackagesMissing
from drydock.setup.system_packages import ensure

APT_GET = """#!/bin/sh
echo "$@" >> {log}
[ "$DEBIAN_FRONTEND" = noninteractive ] || {{ echo "E: asks questions"; exit 100; }}
case "$1" in
  update) {update} ;;
  install) [ -e {dropin} ] && /bin/cat {dropin} >> {log}; {install} ;;
esac
"""


class Machine:
    """A machine whose package manager and packages are files in a folder."""

    def __init__(self, folder, patch):
        self.folder, self.patch = folder, patch
        self.log = folder / "apt.log"
        self.lists = folder / "lists"
        self.dropin = folder / "postgresql-common" / "createcluster.d" / "drydock.conf"
        (folder / "bin").mkdir()
        self.lists.mkdir()
        (self.lists / "mirror_Packages.lz4").touch()
        patch.setenv("PATH", str(folder / "bin"))
        patch.setattr(system_packages, "APT_LISTS", self.lists)
        patch.setattr(system_packages, "APT_CONFIGURATION", folder / "postgresql-common")
        patch.setattr(sys, "platform", "linux")
        for name in ("CONDA_PREFIX", "DRYDOCK_POSTGRES_BIN", "DRYDOCK_ODBC_DRIVER", "DOCKER_HOST"):
            patch.delenv(name, raising=False)
        self.user(0)

    def user(self, uid):
        self.patch.setattr(os, "geteuid", lambda: uid)

    def program(self, name, text="#!/bin/sh\n"):
        path = self.folder / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def apt_get(self, update="exit 0", install=None):
        install = install or f": > {self.folder}/installed"
        parts = {"update": update, "install": install, "log": self.log, "dropin": self.dropin}
        self.program("apt-get", APT_GET.format(**parts))

    def need(self, package="thing", file="installed"):
        path = self.folder / file
        names = {"apt-get": package, "dnf": f"{package}-rpm", "brew": f"{package}-brew"}
        return Need("a thing", lambda: str(path) if path.exists() else None, names)

    def asked(self):
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.split()[0] + " " + line.split()[-1] for line in lines]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return Machine(tmp_path, monkeypatch)


def test_nothing_is_asked_when_nothing_is_missing(machine):
    machine.apt_get()
    (machine.folder / "installed").touch()
    said = []
    ensure([machine.need()], said.append)
    assert machine.asked() == [] and said == []


def test_root_gets_it_without_an_update_that_is_not_needed(machine):
    machine.apt_get()
    said = []
    ensure([machine.need()], said.append)
    assert machine.asked() == ["install thing"]
    assert said == ["Installing a thing with apt-get"]


def test_a_machine_without_package_lists_gets_them_first(machine):
    machine.apt_get()
    (machine.lists / "mirror_Packages.lz4").unlink()
    ensure([machine.need()], print)
    assert [line.split()[0] for line in machine.asked()] == ["update", "install"]


def test_stale_lists_are_renewed_and_the_install_tried_again(machine):
    fresh = machine.folder / "fresh"
    machine.apt_get(
        update=f": > {fresh}",
        install=f'[ -e {fresh} ] || {{ echo "E: 404 Not Found"; exit 100; }}; '
        f": > {machine.folder}/installed",
    )
    ensure([machine.need()], print)
    assert [line.split()[0] for line in machine.asked()] == ["install", "update", "install"]


def test_no_network_is_one_line(machine):
    failure = 'echo "reading lists"; echo "E: Could not resolve mirror"; echo "E: more"; exit 100'
    machine.apt_get(update=failure, install=failure)
    with pytest.raises(PackagesMissing) as caught:
        ensure([machine.need()], print)
    assert str(caught.value) == "apt-get could not install thing: Could not resolve mirror"
    assert caught.value.exit_code != 0


def test_debian_is_kept_from_starting_a_server_on_5432_only_during_the_install(machine):
    machine.apt_get()
    ensure([machine.need("postgresql")], print)
    assert "create_main_cluster = false" in machine.log.read_text()
    assert not machine.dropin.exists()


def test_the_cluster_setting_goes_away_even_when_the_install_fails(machine):
    machine.apt_get(install="exit 100", update="exit 100")
    with pytest.raises(PackagesMissing, match="exit code 100"):
        ensure([machine.need("postgresql")], print)
    assert not machine.dropin.exists()


def test_other_packages_leave_the_cluster_setting_alone(machine):
    machine.apt_get()
    ensure([machine.need("unixodbc")], print)
    assert "create_main_cluster" not in machine.log.read_text()


def test_an_ordinary_user_gets_the_command_to_type_and_nothing_runs(machine):
    machine.apt_get()
    machine.program("sudo")
    machine.user(1000)
    with pytest.raises(PackagesMissing) as caught:
        ensure([machine.need("postgresql"), machine.need("unixodbc")], print)
    command = "sudo apt-get update && sudo apt-get install -y postgresql unixodbc"
    assert command in str(caught.value)
    assert machine.asked() == []


def test_only_what_is_missing_is_named(machine):
    machine.apt_get()
    machine.user(1000)
    (machine.folder / "there").touch()
    with pytest.raises(PackagesMissing) as caught:
        ensure([machine.need("postgresql", "there"), machine.need("unixodbc")], print)
    assert "postgresql" not in str(caught.value)


def test_fedora_gets_its_own_command(machine):
    machine.program("dnf")
    with pytest.raises(PackagesMissing, match="dnf install -y thing-rpm"):
        ensure([machine.need()], print)


def test_macos_gets_brew(machine, monkeypatch):
    machine.program("brew")
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(PackagesMissing, match="brew install thing-brew"):
        ensure([machine.need()], print)


def test_without_a_known_package_manager_conda_is_the_way(machine):
    with pytest.raises(PackagesMissing, match=r"conda env create -f environment\.yml"):
        ensure([machine.need()], print)


def test_a_package_that_brings_nothing_is_reported(machine):
    machine.apt_get(install="exit 0")
    with pytest.raises(PackagesMissing, match="cannot be found"):
        ensure([machine.need()], print)


def test_a_machine_without_sudo_gets_a_command_that_works_there(machine):
    machine.apt_get()
    machine.user(1000)
    with pytest.raises(PackagesMissing, match='su -c "apt-get update && apt-get install -y thing"'):
        ensure([machine.need()], print)


def test_in_the_conda_environment_conda_installs_what_it_has(machine, monkeypatch):
    machine.apt_get()
    monkeypatch.setenv("CONDA_PREFIX", "/c/envs/drydock")
    monkeypatch.setenv("CONDA_DEFAULT_ENV", "drydock")
    server = Need("a server", lambda: None, {"apt-get": "server", "conda": "server-forge"})
    browser = Need("a browser", lambda: None, {"apt-get": "browser"})
    with pytest.raises(PackagesMissing) as caught:
        ensure([server, browser], print)
    assert (
        "\n  conda install -c conda-forge server-forge && "
        "apt-get update && apt-get install -y browser" in str(caught.value)
    )
    assert machine.asked() == []


def test_ubuntus_chromium_is_a_snap(machine, monkeypatch):
    machine.apt_get()
    release = machine.folder / "os-release"
    release.write_text('NAME="Ubuntu"\nID=ubuntu\n')
    monkeypatch.setattr(system_packages, "OS_RELEASE", release)
    with pytest.raises(PackagesMissing, match="snap install chromium"):
        ensure(needs.TEST, print)
    assert machine.asked() == []


def test_a_server_and_a_driver_that_are_named_are_found(machine, monkeypatch, tmp_path):
    for name in ("initdb", "postgres"):
        machine.program(name)
    folder = machine.folder / "bin"
    driver = tmp_path / "mine.so"
    driver.touch()
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("DRYDOCK_POSTGRES_BIN", str(folder))
    monkeypatch.setenv("DRYDOCK_ODBC_DRIVER", str(driver))
    assert needs.postgres_server() == str(folder / "postgres")
    assert needs.postgres_odbc_driver() == str(driver)


@pytest.mark.parametrize("variable", ["DRYDOCK_POSTGRES_BIN", "DRYDOCK_ODBC_DRIVER"])
def test_a_variable_that_names_nothing_is_said_before_anything_is_installed(
    machine, monkeypatch, variable
):
    machine.apt_get()
    monkeypatch.setenv(variable, "/nowhere")
    with pytest.raises(PackagesMissing, match=rf"^{variable} names /nowhere, .*; unset it$"):
        ensure(needs.RUN, print)
    assert machine.asked() == []


def test_a_container_engine_is_installed_for_the_tests_and_said(machine, monkeypatch):
    machine.apt_get()
    monkeypatch.setattr(system_packages, "ENGINE_SOCKETS", [str(machine.folder / "none.sock")])
    said = []
    system_packages.try_engine(said.append)
    assert machine.asked() == ["install mmdebstrap"]
    assert said == [
        "Installing podman runc mmdebstrap with apt-get: the tests of containers need a "
        "container engine"
    ]


def test_an_engine_that_cannot_be_installed_is_said_and_no_more(machine, monkeypatch):
    machine.apt_get(install='echo "E: no room"; exit 100')
    monkeypatch.setattr(system_packages, "ENGINE_SOCKETS", [])
    said = []
    system_packages.try_engine(said.append)
    assert said[1].endswith("mmdebstrap: no room; the tests of containers are skipped")


def test_an_engine_that_answers_is_enough(machine, monkeypatch):
    machine.apt_get()
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(place := str(machine.folder / "engine.sock"))
        engine.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{place}")
        system_packages.try_engine(print)
    assert machine.asked() == []


def test_an_ordinary_user_gets_no_engine(machine):
    machine.apt_get()
    machine.user(1000)
    system_packages.try_engine(print)
    assert machine.asked() == []


def test_this_machine_has_what_the_run_needs():
    assert needs.missing(needs.RUN) == []
    assert os.access(needs.postgres_server(), os.X_OK)
    assert "psqlodbcw" in needs.postgres_odbc_driver()
