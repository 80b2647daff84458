"""The commands of study and teaching: `drydock practice`, `exam`, `review`, `handout` and so on."""

import random
from pathlib import Path

import click

from drydock.as_typed import as_typed
from drydock.errors import WrongInput

TYPES = ("multiple_choice", "multiple_response", "ordering", "matching")
PATH = click.Path(path_type=Path)


def _choice(command):
    """The options that choose questions."""
    for option in reversed(
        [
            click.option("--skill", help='Of the exam guide: a skill "1.2.2" or a task "1.2".'),
            click.option("--theme", help="A file of data/questions, for instance connect."),
            click.option("--domain", type=click.Choice(["1", "2", "3", "4"])),
            click.option("--difficulty", type=click.IntRange(1, 3)),
            click.option("--type", "kind", type=click.Choice(TYPES)),
        ]
    ):
        command = option(command)
    return command


def _selected(skill, theme, domain, difficulty, kind):
    from drydock.study import questions

    bank = questions.load()
    if skill is not None and not any(
        one == skill or one.startswith(f"{skill}.") for one in questions.guide()["skills"]
    ):
        raise WrongInput(f"no skill {skill!r} in the exam guide: type: drydock questions --skills")
    themes = sorted({one.theme for one in bank})
    if theme not in (None, *themes):
        raise WrongInput(f"no theme {theme!r}: type one of {', '.join(themes)}")
    return questions.select(
        bank,
        skill=skill,
        theme=theme,
        domain=domain,
        difficulty=difficulty,
        types=[kind] if kind else TYPES,
    )


@click.command()
@_choice
@click.option("--skills", is_flag=True, help="List the skills, with how many questions each has.")
@click.option("--families", is_flag=True, help="List the families of generated questions.")
def questions(skills: bool, families: bool, **chosen) -> None:
    """List the questions that fit, one a line: id, type, skills, difficulty."""
    from drydock.study import families as generated
    from drydock.study.questions import guide

    if families:
        for one in generated.FAMILIES.values():
            click.echo(f"{one.name:32} {one.theme:16} {', '.join(one.skills)}")
        return
    some = _selected(**chosen)
    if skills:
        for name, about in guide()["skills"].items():
            count = sum(name in one.skills for one in some)
            if count:
                click.echo(f"{name:7} {count:3}  {about['about']}")
        return
    for one in some:
        click.echo(f"{one.id:44} {one.type:18} {', '.join(one.skills):22} {one.difficulty}")
    click.echo(f"{len(some)} questions", err=True)


@click.command()
@_choice
@click.option("--family", help="Generated questions of this family, endlessly.")
@click.option("--count", type=click.IntRange(1), default=10, show_default=True)
@click.option("--seed", type=int, help="The same seed, the same questions.")
def practice(family: str | None, count: int, seed: int | None, **chosen) -> None:
    """Answer questions, each with the reason for every option. q stops."""
    from drydock.study import families, terminal

    seed = random.randrange(10**6) if seed is None else seed
    if family:
        if family not in families.FAMILIES:
            raise WrongInput(f"no family {family!r}: type: drydock questions --families")
        some = [families.generate(family, seed + number) for number in range(count)]
    else:
        some = _selected(**chosen)
        random.Random(seed).shuffle(some)
        some = some[:count]
    terminal.practise(some, seed)


@click.command()
@click.option("--count", type=click.IntRange(1), default=20, show_default=True, help="At most.")
def review(count: int) -> None:
    """Answer the questions that are due again today."""
    from drydock.study import progress, terminal
    from drydock.study.questions import load
    from drydock.study.reviews import Reviews

    reviews = Reviews.load(progress.folder() / "reviews.json")
    due = reviews.due(load())
    if not due:
        coming = min((card.due for card in reviews.cards.values()), default=None)
        when = f"the next on {coming:%Y-%m-%d}" if coming else "answer some first: drydock practice"
        click.echo(as_typed(f"nothing is due; {when}"))
        return
    click.echo(f"{len(due)} due")
    terminal.practise(due[:count], seed=0)


@click.command()
@click.option("--size", type=click.IntRange(1), help="Questions; 65 as in the exam when left out.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="130 for 65 questions.")
@click.option("--new", is_flag=True, help="Begin a new one, also when one is under way.")
@click.option("--wrong", is_flag=True, help="Show what was wrong in the last one, and why.")
def exam(size: int | None, minutes: float | None, new: bool, wrong: bool) -> None:
    """Take a mock exam, or go on with the one that is under way."""
    from drydock.study import progress, terminal
    from drydock.study.exam import Exam
    from drydock.study.practice import feedback
    from drydock.study.questions import load

    path, bank = progress.folder() / "exam.json", load()
    found = Exam.load(path, bank)
    if wrong:
        if found is None or not found.finished:
            raise WrongInput("no mock exam was finished yet: type: drydock exam")
        for one in found.questions:
            given = found.answers.get(one.id)
            if not one.is_right(given):
                click.echo(f"\n{one.prompt}\n{feedback(one, given).text()}")
        return
    if found is None or found.finished or new:
        seen = progress.read().answers()
        luck = random.randrange(10**6)
        found = Exam.draw(bank, size=size, minutes=minutes, seed=luck, seen=seen)
        found.save(path)
    elif size or minutes:
        raise WrongInput("a mock exam is under way: type drydock exam to go on, or add --new")
    terminal.sit(found, path)


@click.command()
@click.argument("file", type=PATH, default="drydock.apkg")
@_choice
def anki(file: Path, **chosen) -> None:
    """Write the questions as an Anki deck. Importing it again keeps your reviews."""
    from drydock.study.anki import write_deck

    if file.suffix != ".apkg":
        raise WrongInput(f"{file} is no deck's name: type for instance drydock.apkg")
    some = _selected(**chosen)
    if not some:
        raise WrongInput("no question fits: type another skill, theme or difficulty")
    click.echo(f"{write_deck(some, file)} cards in {file}")


@click.command()
@click.option("--export", "to", type=PATH, help="Write a copy of the progress file.")
@click.option("--import", "came", type=PATH, help="Add what an exported file has more.")
@click.option("--chart", type=PATH, help="Write the heat map of skills as a picture (.png).")
def progress(to: Path | None, came: Path | None, chart: Path | None) -> None:
    """Say what you have done, by skill, and what to study next."""
    from drydock.study import progress as kept
    from drydock.study import standing

    if came:
        click.echo(f"added {kept.take_in(came)} events")
        return
    kept.learner()
    found = kept.read()
    if to:
        if to.exists():
            raise WrongInput(f"{to} is there already: type another name")
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(kept.file().read_bytes())
        click.echo(f"{len(found.events)} events in {to}")
        return
    if chart:
        if chart.suffix != ".png":
            raise WrongInput(f"{chart} is no picture's name: type for instance skills.png")
        standing.heat_map(standing.by_skill(found)).savefig(chart, dpi=200)
        click.echo(str(chart))
        return
    click.echo(as_typed(standing.text(found)))


@click.command()
@click.argument("files", nargs=-1, required=True, type=PATH)
def room(files: tuple[Path, ...]) -> None:
    """Show who is stuck where, from the progress files that learners have exported."""
    from drydock.study import room as view

    click.echo(view.text(view.read(files)))


@click.command()
@click.argument("book", type=click.Choice(["student", "instructor"]))
@click.option("--to", type=PATH, help="The folder; handout/BOOK when left out.")
def handout(book: str, to: Path | None) -> None:
    """Make the student's or the instructor's book from the lessons."""
    import nbformat

    from drydock.study import books, copies

    folder = to or Path("handout") / book
    made = {}
    for name, path in copies.sources().items():
        lesson = books.source(path)
        made[name] = books.student(lesson) if book == "student" else books.instructor(lesson, name)
    if taken := [name for name in made if (folder / f"{name}.ipynb").exists()]:
        raise WrongInput(f"{folder} already has {taken[0]}.ipynb: type --to and another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for name, notebook in made.items():
        nbformat.write(notebook, folder / f"{name}.ipynb")
    click.echo(f"{len(made)} lessons in {folder}")


COMMANDS = (questions, practice, review, exam, anki, progress, room, handout)
