"""Break and repair: labs that start broken, with real symptoms, graded by what then works.

    case = repair.start(lab, "out_of_memory")   # breaks something, and tells the story
    case.hint()                                 # nudge, pointer, near-solution
    case.check()                                # which rule still fails, in plain words
    case.reset()                                # back to broken
    repair.clean_up(lab)                        # removes all that the labs have made

Every lab works in a cluster, task definition family, log group and roles of its own, named
repair-…, so that labs disturb neither each other nor the pipeline.
"""

from drydock.study.repair.case import Case
from drydock.study.repair.registry import clean_up, labs, names, resume, start
from drydock.study.repair.shown import CannotBeShown, Hint, Rule, Solution, Verdict

__all__ = [
    "CannotBeShown",
    "Case",
    "Hint",
    "Rule",
    "Solution",
    "Verdict",
    "clean_up",
    "labs",
    "names",
    "resume",
    "start",
]
