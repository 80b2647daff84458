"""From a naive Dockerfile to a good one: what each step of lesson 2 saves, in bytes and seconds.

Where a container engine answers, the five Dockerfiles are really built and measured; elsewhere the
lesson shows what was measured once, from data/image_builds.json, and says so.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from drydock import image_builds
from drydock.charts import BLUE, INK, ORANGE, SKY, SOFT, WIDTH, Chart
from drydock.image_builds import connected
from drydock.images import CONTAINERS

DATA = Path(__file__).parents[2] / "data" / "image_builds.json"
CONTEXT = CONTAINERS / "etl"
FOLDER = CONTEXT / "steps"
REPOSITORY = "localhost/drydock/step"


@dataclass(frozen=True)
class Step:
    """One Dockerfile. `size` is uncompressed, in bytes; times are in seconds.

    `build` is from nothing; `rebuild` after a line of the program has changed; `reused` of its
    steps then came from the cache. `compressed` is what a pull moves, where it is known.
    """

    name: str
    size: int
    layers: int
    build: float
    rebuild: float
    reused: int
    compressed: int | None = None

    def dockerfile(self) -> str:
        return (FOLDER / f"{self.name}.Dockerfile").read_text()


def names() -> list[str]:
    """Return the steps in order: "1-naive", "2-order", ..."""
    return sorted(path.name.removesuffix(".Dockerfile") for path in FOLDER.glob("*.Dockerfile"))


def recorded() -> list[Step]:
    """Return the measurement that data/image_builds.json keeps."""
    return [Step(**row) for row in json.loads(DATA.read_text())["steps"]]


def provenance() -> str:
    """Return when, where and with what the recorded steps were measured."""
    told = json.loads(DATA.read_text())
    return (
        f"Recorded {told['date']} on {told['machine']}, {told['engine']}; base: {told['base']}. "
        f"{told['note']}."
    )


def measure(
    engine: str, base: str | None = None, say: Callable[[str], None] = lambda line: None
) -> list[Step]:
    """Build every step with the engine at this address; a few minutes, and it needs the net.

    `base` is the image that the Dockerfiles start from, their own default when left out. The images
    are removed again, their cached layers too. Raises BuildFailed.
    """
    found = []
    with connected(engine) as client, tempfile.TemporaryDirectory() as folder:
        try:
            for name in names():
                say(f"building {name}")
                found.append(_measured(client, name, Path(folder) / name, base))
        finally:
            _remove_images(client)
    return found


def _measured(client, name: str, context: Path, base: str | None) -> Step:
    _copy_context(name, context)
    build, _ = _build(client, context, f"{REPOSITORY}:{name}", base, fresh=True)
    program = context / "etl" / "curate.py"
    program.write_text(program.read_text() + "\n# one more line\n")
    rebuild, reused = _build(client, context, f"{REPOSITORY}:{name}-2", base, fresh=False)
    image = client.images.get(f"{REPOSITORY}:{name}")
    layers = len(image.attrs["RootFS"]["Layers"])
    return Step(name, image.attrs["Size"], layers, build, rebuild, reused)


def _remove_images(client) -> None:
    for image in client.images.list(name=REPOSITORY):
        for tag in image.tags:
            client.images.remove(tag, force=True)


def table(steps: Iterable[Step]) -> dict[str, dict]:
    """Return the numbers behind `chart`, by the step's name, in MB and seconds."""
    return {
        step.name: {
            "MB": round(step.size / 1e6),
            "MB to pull": step.compressed and round(step.compressed / 1e6),
            "build s": round(step.build),
            "rebuild s": round(step.rebuild, 1),
            "steps reused": step.reused,
        }
        for step in steps
    }


def chart(steps: Iterable[Step], footer: str) -> Chart:
    """Draw size, build and rebuild time of each step as bars; `footer` says who measured when."""
    steps = list(steps)
    figure = Chart(figsize=(WIDTH, 3.6), layout="constrained")
    panels = (
        ("size, MB", [step.size / 1e6 for step in steps], BLUE),
        ("build from nothing, s", [step.build for step in steps], SKY),
        ("build after a change, s", [step.rebuild for step in steps], ORANGE),
    )
    for axes, (title, values, colour) in zip(
        figure.subplots(1, len(panels), sharey=True), panels, strict=True
    ):
        bars = axes.barh([step.name for step in steps], values, color=colour)
        axes.bar_label(
            bars, [f"{value:,.{int(value < 10)}f}" for value in values], padding=3, fontsize=9
        )
        axes.set_title(title, loc="left", fontsize=10, color=INK)
        axes.margins(x=0.2)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
    figure.axes[0].invert_yaxis()
    figure.suptitle(
        "One program, five Dockerfiles", x=0.012, ha="left", fontsize=13, fontweight="bold"
    )
    figure.supxlabel(footer, x=0.012, ha="left", fontsize=8, color=SOFT, wrap=True)
    return figure


def store(steps: Iterable[Step], path: Path = DATA) -> None:
    """Put a new measurement into data/image_builds.json; its other fields are yours to mend."""
    told = json.loads(path.read_text()) | {"steps": [asdict(step) for step in steps]}
    path.write_text(json.dumps(told, indent=1) + "\n")


def _copy_context(name: str, target: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "steps", "Dockerfile")
    shutil.copytree(CONTEXT, target, ignore=ignored)
    shutil.copyfile(FOLDER / f"{name}.Dockerfile", target / "Dockerfile")


def _build(client, context: Path, tag: str, base: str | None, fresh: bool) -> tuple[float, int]:
    """Return seconds, and how many steps the cache answered. Raises BuildFailed."""
    started = time.monotonic()
    said = image_builds.lines(client, context, tag, base, lambda step: None, nocache=fresh)
    reused = sum("using cache" in line.lower() for line in said)
    return time.monotonic() - started, reused
