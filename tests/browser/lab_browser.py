"""JupyterLab in a real browser: open a notebook, run it, read and photograph what is shown."""

import json
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import psutil
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from drydock.notebooks import jupyter_lab
from drydock.setup import needs

START_SECONDS = 60
VIEW = {"width": 1280, "height": 900}
# Every cell is in the page, in view or not, and the page ends with the last one.
WHOLE_NOTEBOOK = {
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none", "scrollPastLastCell": False}
}
# A cell shows [ ] before, [*] while, [3] after it ran; an error ends the wait for the rest.
PROMPTS = "() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]"
PROMPTS += ".map(prompt => prompt.textContent)"
NO_CELL_HAS_RUN = f"{PROMPTS}.every(text => !/[0-9*]/.test(text))"
EVERY_CELL_HAS_RUN = f"{PROMPTS}.every((text, _, all) => /[0-9]/.test(text) ||"
EVERY_CELL_HAS_RUN += """ (!all.some(other => other.includes('*')) && document.querySelector(
    '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]')))"""
HIDDEN_HEIGHT = """() => {
    document.querySelector(".jp-Notebook .jp-WindowedPanel-outer").scrollTop = 0;
    const last = [...document.querySelectorAll(".jp-Notebook .jp-Cell")].pop();
    return Math.ceil(last.getBoundingClientRect().bottom) + 40 - window.innerHeight;
}"""
EVERY_WIDGET_IS_DRAWN = """() => [...document.querySelectorAll('.jp-OutputArea-output.lm-Panel')]
    .every(output => output.querySelector('.jupyter-widgets'))"""
# Without these Chromium looks for updates and for a network that a test must not need.
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def served(folder: Path, variables: Mapping[str, str], scratch: Path) -> Iterator["Lab"]:
    """Serve a folder of notebooks and yield it as a Lab with a browser; both end with the block.

    `variables` is the server's environment, and so that of its kernels. Settings and run-time files
    of JupyterLab go to `scratch`, so that those of the person who runs the test stay as they are.
    """
    token = secrets.token_hex(16)
    private = {
        f"JUPYTER{name}_DIR": str(scratch / name.lower())
        for name in ("_CONFIG", "_RUNTIME", "_DATA", "LAB_SETTINGS", "LAB_WORKSPACES")
    }
    settings = scratch / "_config" / "labconfig"
    settings.mkdir(parents=True)
    (settings / "default_setting_overrides.json").write_text(json.dumps(WHOLE_NOTEBOOK))
    log = scratch / "jupyterlab.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            jupyter_lab(folder, "--no-browser", "--port=0", f"--IdentityProvider.token={token}"),
            env={**variables, **private},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        port = _wait_for_port(server, log)
        with sync_playwright() as playwright, _chromium(playwright) as browser:
            yield Lab(browser, f"http://127.0.0.1:{port}", token)
    finally:
        _end(server.pid)


class Lab:
    """A browser at a JupyterLab. `foreign` collects each request to anywhere else."""

    def __init__(self, browser: Browser, address: str, token: str):
        self.browser, self.address, self.token = browser, address, token
        self.foreign: list[str] = []
        self.errors: list[str] = []

    def open_notebook(self, name: str) -> "OpenNotebook":
        """Open a notebook alone in the window and wait until its kernel is idle."""
        page = self.browser.new_page(viewport=VIEW)
        page.on("request", self._note_request)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(f"{self.address}/lab/tree/{quote(name)}?token={self.token}&reset")
        notebook = OpenNotebook(page)
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=START_SECONDS * 1000)
        notebook.wait_until_idle(START_SECONDS)
        return notebook

    def _note_request(self, request) -> None:
        where = urlsplit(request.url)
        if where.scheme in ("http", "https", "ws", "wss") and where.hostname != "127.0.0.1":
            self.foreign.append(request.url)


class OpenNotebook:
    """One notebook in one browser page."""

    def __init__(self, page: Page):
        self.page = page

    def wait_until_idle(self, seconds: float) -> None:
        """Wait until the status bar says that the kernel is there and has nothing to do."""
        status = self.page.locator("#jp-bottom-panel").get_by_text("| Idle")
        status.first.wait_for(timeout=seconds * 1000)

    def run_all(self, seconds: float) -> None:
        """Clear what is stored, choose Run All Cells, and wait until the last cell is done."""
        self._choose("Edit", "Clear Outputs of All Cells")
        self._wait_for(NO_CELL_HAS_RUN, START_SECONDS)
        self._choose("Run", "Run All Cells")
        self._wait_for(EVERY_CELL_HAS_RUN, seconds)
        self.wait_until_idle(seconds)
        self._wait_for(EVERY_WIDGET_IS_DRAWN, START_SECONDS)

    def _choose(self, menu: str, item: str) -> None:
        self.page.get_by_role("menuitem", name=menu, exact=True).click()
        self.page.get_by_role("menuitem", name=item, exact=True).click()

    def _wait_for(self, script: str, seconds: float) -> None:
        self.page.wait_for_function(script, timeout=seconds * 1000)

    def outputs(self) -> list[str]:
        """Return the text of each code cell's output as a reader sees it, widgets included."""
        cells = self.page.locator(".jp-Notebook .jp-CodeCell")
        return [
            "\n".join(cells.nth(n).locator(".jp-OutputArea-output").all_inner_texts())
            for n in range(cells.count())
        ]

    def tracebacks(self) -> list[str]:
        """Return the text of every error output on the page."""
        errors = '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]'
        stderr = '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]'
        return self.page.locator(f"{errors}, {stderr}").all_inner_texts()

    def dialogs(self) -> list[str]:
        """Return the text of pop-ups and notifications that would cover the lesson."""
        return self.page.locator(".jp-Dialog-content, .Toastify__toast").all_inner_texts()

    def screenshot(self, path: Path) -> Path:
        """Store a picture of the whole notebook, in a window as tall as it is."""
        for _ in range(3):  # a taller window may re-draw an output and so change its height
            hidden = self.page.evaluate(HIDDEN_HEIGHT)
            if hidden <= 0:
                break
            height = self.page.viewport_size["height"] + hidden
            self.page.set_viewport_size({**self.page.viewport_size, "height": height})
            self.page.wait_for_timeout(500)
        self.page.locator(".jp-NotebookPanel").first.screenshot(path=path)
        return path


@contextmanager
def _chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(
        executable_path=needs.browser(), args=CHROMIUM, headless=True
    )
    try:
        yield browser
    finally:
        browser.close()


def _wait_for_port(server: subprocess.Popen, log: Path) -> int:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        connections = psutil.Process(server.pid).net_connections("tcp")
        listening = [c.laddr.port for c in connections if c.status == psutil.CONN_LISTEN]
        if listening:
            return listening[0]
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _end(pid: int) -> None:
    """End the server with its kernels, and wait for them."""
    try:
        server = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return
    family = [server, *server.children(recursive=True)]
    server.terminate()
    _, alive = psutil.wait_procs(family, timeout=10)
    for process in alive:
        with suppress(psutil.NoSuchProcess):  # a kernel ends with its server, maybe just now
            process.kill()
    psutil.wait_procs(alive, timeout=10)
