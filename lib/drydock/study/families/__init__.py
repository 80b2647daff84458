"""Generated questions: families whose numbers come from `drydock.model`, so they are always right.

    families.names()
    families.generate("fargate-run-cost", seed=7)     # the same seed, the same question
    families.by_id("fargate-run-cost:7")              # from the id of such a question

The wrong options of a question are the usual mistakes, each named in its reason.
"""

from drydock.errors import WrongInput
from drydock.model.prices import entry_of
from drydock.study.families import connections, failures, placement, prices, scaling, throughput
from drydock.study.families.making import Family, built
from drydock.study.questions import Question

FAMILIES: dict[str, Family] = {
    family.name: family
    for module in (prices, placement, scaling, connections, throughput, failures)
    for family in module.FAMILIES
}


def names(skill: str | None = None) -> list[str]:
    """Return the names of all families, or of those for one skill."""
    return [name for name, one in FAMILIES.items() if skill is None or skill in one.skills]


def generate(name: str, seed: int) -> Question:
    """Return the question of a family for a seed; ValueError names near families."""
    return built(entry_of(name, FAMILIES, "family of questions"), seed)


def by_id(question_id: str) -> Question:
    """Return the generated question with an id such as "fargate-run-cost:7"."""
    name, _, seed = question_id.rpartition(":")
    if name not in FAMILIES or not seed.isdecimal():
        raise WrongInput(f"no generated question has the id {question_id!r}: it is family:seed")
    return generate(name, int(seed))
