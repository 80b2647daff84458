"""Where a learner stands, skill by skill, and what to study next.

print(standing.text(progress.read()))
standing.heat_map(standing.by_skill(progress.read()))
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
from matplotlib.colors import ListedColormap

from drydock import notebooks
from drydock.charts import INK, SOFT, Chart
from drydock.study import exercises, families, questions
from drydock.study.progress import Progress

ENOUGH = 3  # answers that say something about a skill
GOOD = 0.8  # from here a skill is known; the pass mark of 720 is about 0.69
NOT_SEEN, WEAK, FAIR, KNOWN = "not seen", "weak", "fair", "good"
COLOURS = {NOT_SEEN: "#f2f2f2", WEAK: "#E69F00", FAIR: "#b3d9f0", KNOWN: "#0072B2"}
SIGNS = {NOT_SEEN: "", WEAK: "-", FAIR: "~", KNOWN: "+"}


@dataclass(frozen=True)
class Standing:
    """A skill's questions and exercises: how many were tried, how many were right at last."""

    skill: str
    right: int
    tried: int

    @property
    def level(self) -> str:
        """In a word; with fewer than three answers nothing is called good."""
        if not self.tried:
            return NOT_SEEN
        share = self.right / self.tried
        if share < 0.6:
            return WEAK
        return KNOWN if share >= GOOD and self.tried >= ENOUGH else FAIR


def by_skill(progress: Progress) -> dict[str, Standing]:
    """Return the standing in each skill of this book; of each question the last answer counts."""
    counts = {name: [0, 0] for name, one in questions.guide()["skills"].items()
              if one["in_this_book"]}  # fmt: skip
    for about, tally in (*progress.answers().items(), *progress.exercises().items()):
        for skill in _skills(about):
            if skill in counts:
                counts[skill][0] += tally.last
                counts[skill][1] += 1
    return {name: Standing(name, right, tried) for name, (right, tried) in counts.items()}


def next_up(standing: Mapping[str, Standing], count: int = 3) -> list[str]:
    """Return the skills to study next: weak ones first, then those not seen, by exam weight."""
    weights = {name: one["weight"] for name, one in questions.guide()["domains"].items()}
    order = {WEAK: 0, NOT_SEEN: 1, FAIR: 2}
    # Skills that a lesson teaches come first: only there the advice can name a place.
    wanted = [one for one in standing.values() if one.level != KNOWN]
    wanted.sort(key=lambda one: (order[one.level], not lessons(one.skill), -weights[one.skill[0]],
                                 -len(lessons(one.skill)), one.skill))  # fmt: skip
    return [one.skill for one in wanted[:count]]


@cache
def lessons(skill: str) -> tuple[str, ...]:
    """Return where the book teaches a skill: exercises by id, and lessons by name."""
    done = [f"exercise {one.id}" for one in exercises.everything().values() if skill in one.skills]
    return (*_lessons_of().get(skill, ()), *done)


def text(progress: Progress) -> str:
    """Return a learner's standing as lines for a terminal."""
    found = by_skill(progress)
    about = questions.guide()["skills"]
    done = progress.exercises()
    lines = [
        f"learner {progress.learner}: {len(progress.answers())} questions, "
        f"{sum(one.done for one in done.values())} of {len(exercises.everything())} exercises done",
        "",
    ]
    for one in found.values():
        if one.tried:
            lines.append(f"{SIGNS[one.level] or ' '} {one.skill:7} {one.right:3} of {one.tried:3}  "
                         f"{about[one.skill]['about']}")  # fmt: skip
    unseen = sum(one.level == NOT_SEEN for one in found.values())
    lines += [f"{unseen} of {len(found)} skills not seen yet", "", "Study next:"]
    for skill in next_up(found):
        lines.append(f"  {skill} {about[skill]['about']}")
        lines.append(f"     {'; '.join(lessons(skill)[:4]) or 'questions only'}; "
                     f"drydock practice --skill {skill}")  # fmt: skip
    return "\n".join(lines)


def heat_map(standing: Mapping[str, Standing]) -> Chart:
    """Draw one box for each skill, a row for each task; colour and sign say how well it is known.

    The numbers are those of `by_skill`.
    """
    tasks = questions.guide()["tasks"]
    rows = [task for task in tasks if any(one.startswith(f"{task}.") for one in standing)]
    widest = max(int(one.rsplit(".", 1)[1]) for one in standing)
    chart = Chart(figsize=(8.0, 0.36 * len(rows) + 1.1), layout="constrained")
    axes = chart.add_subplot()
    levels = list(COLOURS)
    grid = [[float("nan")] * widest for _ in rows]
    for name, one in standing.items():
        task, number = name.rsplit(".", 1)
        row, column = rows.index(task), int(number) - 1
        grid[row][column] = levels.index(one.level)
        ink = "white" if one.level == KNOWN else INK
        words = f"{one.right}/{one.tried} {SIGNS[one.level]}" if one.tried else "·"
        axes.text(column, row, words, ha="center", va="center", fontsize=7.5, color=ink)
    colours = ListedColormap(list(COLOURS.values()))
    axes.imshow(grid, cmap=colours, vmin=-0.5, vmax=len(levels) - 0.5, aspect="auto")
    axes.set_yticks(range(len(rows)), [f"{task} {tasks[task]}" for task in rows], fontsize=8)
    axes.set_xticks(range(widest), [f".{n + 1}" for n in range(widest)], fontsize=8)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_xticks([n + 0.5 for n in range(widest)], minor=True)
    axes.set_yticks([n + 0.5 for n in range(len(rows))], minor=True)
    axes.grid(which="minor", color="white", linewidth=3)
    axes.tick_params(which="minor", length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    legend = (
        "right/tried, by the last answer:  - below 60 %   ~ fair   + 80 % and more   · not seen"
    )
    axes.set_xlabel(legend, fontsize=8, color=SOFT)
    return chart


def _skills(about: str) -> tuple[str, ...]:
    """The skills of a question or an exercise by its id; none if the book no longer has it."""
    if about in exercises.everything():
        return exercises.everything()[about].skills
    if ":" in about:
        family = families.FAMILIES.get(about.rpartition(":")[0])
        return family.skills if family else ()
    return _bank().get(about, ())


@cache
def _bank() -> dict[str, tuple[str, ...]]:
    return {one.id: one.skills for one in questions.load()}


@cache
def _lessons_of(folder: Path = notebooks.FOLDER) -> dict[str, tuple[str, ...]]:
    """The lessons whose opening names a skill."""
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(folder.glob("[!.]*.ipynb")):
        opening = nbformat.read(path, as_version=4).cells[0].source
        row = re.search(r"^\| Exam skills[^|]*\|(.*)\|$", opening, re.MULTILINE)
        for skill in re.findall(r"\b\d\.\d\.\d+\b", row.group(1) if row else ""):
            found[skill] = (*found.get(skill, ()), path.stem)
    return found
