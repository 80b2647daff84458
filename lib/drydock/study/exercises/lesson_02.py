"""Exercises of lesson 2, building an image."""

import shutil
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from drydock import oci
from drydock.images import CONTAINERS
from drydock.lab import Lab
from drydock.model import fargate
from drydock.study.exercises import given, looking
from drydock.study.exercises.exercise import Exercise, Mistake, Rule

WORD = "hunter2"
TRIES = (
    ("in ENV", {"Env": [f"PASSWORD={WORD}"]}, {"app/main.py": b"print(1)\n"}, (), True),
    ("in a file", {}, {"app/.env": f"PASSWORD={WORD}".encode()}, (), True),
    ("in a removed file", {}, {"app/.env": f"{WORD}\n".encode()}, ("app/.env",), True),
    ("nowhere", {"Env": ["PASSWORD_FROM=secret"]}, {"app/main.py": b"print(2)\n"}, (), False),
)


def _image(settings, files, removed) -> oci.Image:
    layers = [oci.layer(files, compressed=False)]
    if removed:
        layers.append(oci.layer({"app/other": b"x"}, removed=list(removed), compressed=False))
    return oci.image(layers, settings)


def _steps(dockerfile: str, changed: str) -> list[dict]:
    """Each step of a build after a change of one file, with whether it comes from the cache."""
    with tempfile.TemporaryDirectory() as folder:
        context = Path(shutil.copytree(CONTAINERS / "etl" / "etl", Path(folder) / "etl")).parent
        shutil.copy(CONTAINERS / "etl" / "requirements.txt", context)
        before = oci.steps(dockerfile, context)
        with (context / changed).open("a") as file:
            file.write("# changed\n")
        return oci.compare(before, oci.steps(dockerfile, context))


def _installs(dockerfile: str, changed: str) -> Iterator[dict]:
    return (
        step
        for step in _steps(dockerfile, changed)
        if step["instruction"].startswith("RUN") and "pip" in step["instruction"]
    )


def _is_dockerfile(answer, _: Lab | None) -> str | None:
    if not isinstance(answer, str):
        return "give the Dockerfile as one text"
    words = [line.split(" ")[0].upper() for line in answer.splitlines()]
    missing = [word for word in ("FROM", "COPY", "RUN", "ENTRYPOINT") if word not in words]
    return f"it has no {', '.join(missing)}" if missing else None


def _program_is_cheap(answer, _: Lab | None) -> str | None:
    again = [one["instruction"] for one in _installs(answer, "etl/curate.py") if not one["cached"]]
    return f"a change of the program repeats: {again[0][:60]}" if again else None


def _program_is_in(answer, _: Lab | None) -> str | None:
    built = any(not one["cached"] for one in _steps(answer, "etl/curate.py"))
    return None if built else "a change of the program changes nothing: it is not in the image"


def _requirements_count(answer, _: Lab | None) -> str | None:
    again = any(not one["cached"] for one in _installs(answer, "requirements.txt"))
    return None if again else "a change of requirements.txt installs nothing"


def _is_function(answer, _: Lab | None) -> str | None:
    return None if callable(answer) else "give a function of an image and a word"


def _finds(answer, _: Lab | None) -> str | None:
    for where, settings, files, removed, there in TRIES:
        if there and not answer(_image(settings, files, removed), WORD):
            return f"the word stands {where}, and your function does not find it"
    return None


def _alarms_for_nothing(answer, _: Lab | None) -> str | None:
    for _, settings, files, removed, there in TRIES:
        if not there and answer(_image(settings, files, removed), WORD):
            return "it finds the word in an image that does not have it"
    return None


LEAKY = (
    ({"etc/os-release": b"NAME=Tiny\n"}, ()),
    ({"home/etl/.aws/credentials": b"aws_secret_access_key = EXAMPLEKEY\n"}, ()),
    ({"data/flights.csv": b"1,2,3\n"}, ("home/etl/.aws/credentials",)),
)


def leaky() -> list[oci.Layer]:
    """The layers of an image that still hold a key which a later layer removes."""
    return [oci.layer(files, removed=list(gone)) for files, gone in LEAKY]


def _are_layers(answer, _: Lab | None) -> str | None:
    fits = isinstance(answer, list) and all(isinstance(one, oci.Layer) for one in answer)
    return None if fits and answer else "give a list of layers, as oci.layer makes them"


def _same_files(answer, _: Lab | None) -> str | None:
    wanted, got = set(oci.apply(leaky())), set(oci.apply(answer))
    return None if wanted == got else f"a container sees {', '.join(sorted(got)) or 'nothing'}"


def _no_key(answer, _: Lab | None) -> str | None:
    found = oci.find(answer, "EXAMPLEKEY")
    return f"the key is in layer {found[0].layer}" if found else None


def _saved(days: int = 30, which: str = "ARM64") -> Decimal:
    tasks, seconds = given("2.4")

    def bill(architecture: str) -> Decimal:
        each = fargate.task_cost(seconds, 1, 2, architecture=architecture)
        return each.total() * tasks * days

    return bill("X86_64") - bill(which) if which == "ARM64" else bill("X86_64")


GOOD_FRAME = 'FROM python:3.11\nWORKDIR /app\n{}\nENTRYPOINT ["python", "-m", "etl"]\n'
INSTALL = "COPY requirements.txt .\nRUN pip install -r requirements.txt"

EXERCISES = (
    Exercise(
        "2.1",
        "A Dockerfile in the right order",
        skills=("1.2.1", "1.4.1"),
        hints=(
            "A step is built again when its own input changed, or any step before it.",
            "What changes often belongs below what takes long.",
            "Copy requirements.txt alone, install, and only then copy the folder etl.",
        ),
        rules=(
            Rule("a Dockerfile", _is_dockerfile),
            Rule("the program is in the image", _program_is_in),
            Rule("a change of the program installs nothing", _program_is_cheap),
            Rule("a change of the requirements installs again", _requirements_count),
        ),
        mistakes=(
            Mistake(
                "copies everything first",
                GOOD_FRAME.format("COPY . .\nRUN pip install -r requirements.txt"),
                fails="a change of the program installs nothing",
            ),
            Mistake(
                "installs by name, without the file",
                GOOD_FRAME.format("RUN pip install polars\nCOPY etl etl"),
                fails="a change of the requirements installs again",
            ),
            Mistake(
                "forgets the program",
                GOOD_FRAME.format(INSTALL),
                fails="the program is in the image",
            ),
        ),
    ),
    Exercise(
        "2.2",
        "Find every leak",
        skills=("4.2.2",),
        hints=(
            "An image is its layers and its config: which of the two does oci.find read?",
            "`image.layers` for oci.find, `image.config` is bytes.",
            "bool(oci.find(image.layers, word)) or word.encode() in image.config",
        ),
        rules=(
            Rule("a function", _is_function),
            Rule("it finds the word wherever it stands", _finds),
            Rule("no false alarm", _alarms_for_nothing),
        ),
        mistakes=(
            Mistake(
                "reads the layers only",
                lambda image, word: bool(oci.find(image.layers, word)),
                fails="it finds the word wherever it stands",
            ),
            Mistake(
                "reads what a container sees only",
                lambda image, word: (
                    word.encode() in image.config
                    or any(word.encode() in one for one in oci.apply(image.layers).values())
                ),
                fails="it finds the word wherever it stands",
            ),
            Mistake("always warns", lambda image, word: True, fails="no false alarm"),
        ),
    ),
    Exercise(
        "2.3",
        "The same files without the key",
        skills=("4.2.2", "1.2.1"),
        hints=(
            "A layer on top hides a file, and takes nothing away.",
            "Make the layers again, without the one that holds the key.",
            "Take the first layer, and one new layer with data/flights.csv.",
        ),
        rules=(
            Rule("a list of layers", _are_layers),
            Rule("a container sees the same files", _same_files),
            Rule("no layer holds the key", _no_key),
        ),
        mistakes=(
            Mistake(
                "removes it once more on top",
                [*leaky(), oci.layer({}, removed=["home/etl/.aws/credentials"])],
                fails="no layer holds the key",
            ),
            Mistake(
                "drops the last layer too", leaky()[:1], fails="a container sees the same files"
            ),
        ),
    ),
    Exercise(
        "2.4",
        "What ARM saves in a month",
        skills=("1.2.4",),
        hints=(
            "The image has to exist for both; the price differs for vCPU and memory.",
            '`fargate.task_cost(..., architecture="ARM64")`; thirty days of tasks.',
            "(bill on X86_64 - bill on ARM64) * tasks a day * 30",
        ),
        rules=looking.amount(
            _saved,
            "what thirty days on ARM64 save",
            "it is another amount: the difference of both bills, for all tasks of thirty days",
        ),
        mistakes=(
            Mistake(
                "counts one day",
                made=lambda _: _saved(days=1),
                fails="what thirty days on ARM64 save",
            ),
            Mistake(
                "gives the whole bill",
                made=lambda _: _saved(which="X86_64"),
                fails="what thirty days on ARM64 save",
            ),
        ),
        draw=lambda luck: (luck.randrange(100, 2000, 50), luck.randrange(90, 900, 30)),
    ),
)
