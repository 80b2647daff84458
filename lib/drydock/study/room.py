"""The instructor's view of a room: who is stuck where, from exported progress files, no server."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from drydock.errors import WrongInput
from drydock.study import exercises, progress

STUCK_AFTER = 3  # wrong tries of one exercise
MARKS = {"done": "x", "stuck": "!", "trying": "o", "": "."}


@dataclass(frozen=True)
class Seat:
    """One learner: the state of each exercise, hints taken, when something last happened (UTC)."""

    name: str
    states: dict[str, str]
    hints: int
    answers: tuple[int, int]
    last: str

    @property
    def stuck(self) -> list[str]:
        """The exercises that this learner is stuck in."""
        return [one for one, state in self.states.items() if state == "stuck"]


def read(files: Iterable[Path]) -> list[Seat]:
    """Return a seat for each exported file, the ones that are stuck first."""
    seats = []
    for path in files:
        if not path.is_file():
            raise WrongInput(f"no such file: {path}")
        found = progress.read(path)
        if not found.events:
            raise WrongInput(f"{path} holds no progress: export one with `drydock progress`")
        seats.append(_seat(found, path.stem))
    return sorted(seats, key=lambda one: (-len(one.stuck), one.name))


def text(seats: Sequence[Seat]) -> str:
    """Return the room as lines: a column for each exercise, a row for each learner."""
    names = list(exercises.everything())
    wide = max(len(one.name) for one in seats)
    lines = [f"{'':{wide}}  {' '.join(names)}  hints  questions  last (UTC)"]
    for one in seats:
        marks = " ".join(f"{MARKS[one.states[name]]:^{len(name)}}" for name in names)
        right, tried = one.answers
        lines.append(
            f"{one.name:{wide}}  {marks}  {one.hints:5}  {right:3} of {tried:3} {one.last[:16]}"
        )
    lines.append(f"x done, o tried, ! {STUCK_AFTER} or more wrong tries, . not begun")
    for name in names:
        who = [one.name for one in seats if name in one.stuck]
        if who:
            title = exercises.by_id(name).title
            lines.append(f"stuck in {name} ({title}): {', '.join(who)}")
    return "\n".join(lines)


def _seat(found: progress.Progress, stem: str) -> Seat:
    tallies, answers = found.exercises(), found.answers().values()
    return Seat(
        found.learner or stem,
        {name: _state(tallies.get(name)) for name in exercises.everything()},
        sum(found.hints(name) for name in exercises.everything()),
        (sum(one.last for one in answers), len(answers)),
        max(one.when for one in found.events),
    )


def _state(tally: progress.Tally | None) -> str:
    if tally is None:
        return ""
    if tally.done:
        return "done"
    return "stuck" if tally.tries >= STUCK_AFTER else "trying"
