"""Which labs there are, and the way to each by its name."""

import difflib
import importlib
import pkgutil

import pandas as pd

from drydock.errors import WrongInput
from drydock.lab import Lab
from drydock.study.repair import labs as modules
from drydock.study.repair.case import Case
from drydock.study.repair.cleaning import clean


def names() -> list[str]:
    """The names of all labs."""
    return sorted(module.name for module in pkgutil.iter_modules(modules.__path__))


def kind(name: str) -> type[Case]:
    """The class of a lab: the one `LAB` of the module of its name. Raises WrongInput."""
    if name not in names():
        near = difflib.get_close_matches(name, names(), n=1)
        meant = f" (did you mean {near[0]!r}?)" if near else ""
        raise WrongInput(f"there is no lab {name!r}{meant}; the labs are: {', '.join(names())}")
    return importlib.import_module(f"{modules.__name__}.{name}").LAB


def labs(lesson: str = "3b") -> pd.DataFrame:
    """A table of a lesson's labs by name: title, the exam's skill ids, and minutes to allow."""
    found = {name: kind(name) for name in names()}
    rows = {name: lab for name, lab in found.items() if lab.lesson == lesson}
    return pd.DataFrame(
        {
            "title": {name: lab.title for name, lab in rows.items()},
            "skills": {name: " ".join(lab.skills) for name, lab in rows.items()},
            "minutes": {name: lab.minutes for name, lab in rows.items()},
        }
    ).rename_axis("lab")


def start(lab: Lab, name: str, alone: bool = True) -> Case:
    """Break the system of this lab and return the case. Started again, it is broken anew.

    `alone` removes the lab that was open before: its services would keep this machine's cores.
    """
    case = kind(name)(lab)
    for other in open_cases(lab) if alone else ():
        if other.name != name:
            clean(other)
    case.reset()
    return case


def resume(lab: Lab, name: str) -> Case:
    """Return the case of a lab that was started before, for instance before a kernel restart."""
    case = kind(name)(lab)
    if not case.recall():
        raise WrongInput(f'the lab {name} was not started; type: repair.start(lab, "{name}")')
    return case


def clean_up(lab: Lab) -> list[str]:
    """Remove all that the labs have made; return the names of those that had made something."""
    cases = [kind(name)(lab) for name in names()]
    return [case.name for case in cases if clean(case)]


def open_cases(lab: Lab) -> list[Case]:
    """The cases that were started and not removed since."""
    cases = [kind(name)(lab) for name in names()]
    return [case for case in cases if case.folder.exists()]
