"""The program of lesson 3, run as its image's entry point runs it."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "lib" / "containers" / "probe"


def start(*words):
    return subprocess.Popen(
        [sys.executable, FOLDER / "probe.py", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(("words", "code"), [(["exit", "0"], 0), (["exit", "3"], 3), ([], 2)])
def test_exit_codes(words, code):
    assert start(*words).wait(timeout=20) == code


def test_unknown_words_say_what_it_can_do():
    _, said = start("sing").communicate(timeout=20)
    assert "probe.py whoami" in said and "Traceback" not in said


@pytest.mark.parametrize(("words", "code"), [([], 143), (["--deaf"], None)])
def test_sigterm_ends_it_unless_it_is_deaf(words, code):
    process = start("wait", *words)
    try:
        assert "SIGTERM" in process.stdout.readline()  # from here on it listens, or does not
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(timeout=20 if code else 1) == code
        except subprocess.TimeoutExpired:
            assert code is None
    finally:
        process.kill()
        process.communicate()


def test_the_image_installs_the_versions_of_the_lock():
    pins = re.findall(r"^\S+==\S+$", (FOLDER / "requirements.txt").read_text(), re.MULTILINE)
    locked = (ROOT / "requirements.lock").read_text().lower()
    assert pins and all(f"{pin.lower()} " in locked for pin in pins)
