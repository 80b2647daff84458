"""The result of a mock exam: the scaled score as an estimate, and where points were lost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from drydock.study.questions import Question, Response, guide

NOTE = (
    "The score is our estimate: AWS publishes the scale and the pass mark, not how right answers "
    "become points. Here no right answer is 100, all of the scored ones are 1,000, and between "
    "them it is a straight line."
)


@dataclass(frozen=True)
class Score:
    """Right answers out of a number of questions."""

    right: int
    of: int

    @property
    def share(self) -> float:
        """The part that is right, 0 to 1."""
        return self.right / self.of if self.of else 0.0


@dataclass(frozen=True)
class Result:
    """What a mock exam came to.

    `scored` and `domains` count the scored questions, as the exam does. `skills` counts all
    questions, each under every skill that it names. `wrong` are the ids answered wrongly or not at
    all, `seconds` the time on the clock.
    """

    scored: Score
    scaled: int
    passed: bool
    domains: dict[str, Score]
    skills: dict[str, Score]
    wrong: tuple[str, ...]
    seconds: float

    def weakest(self, count: int = 3) -> list[str]:
        """Return the skills with the most lost points, for what to study next."""
        lost = {skill: score for skill, score in self.skills.items() if score.right < score.of}
        return sorted(lost, key=lambda skill: (lost[skill].right - lost[skill].of, skill))[:count]

    def text(self) -> str:
        """Return the result as lines for a person."""
        rules, about = guide()["format"], guide()
        verdict = "passed" if self.passed else "not passed"
        lines = [
            f"{self.scaled} of {rules['scale'][1]:,}: {verdict} (pass mark {rules['pass']}), "
            f"{self.scored.right} of {self.scored.of} scored questions right, "
            f"{self.seconds / 60:.0f} minutes",
            *(
                f"  domain {name}, {about['domains'][name]['title']}: {one.right} of {one.of}"
                for name, one in self.domains.items()
            ),
        ]
        if self.weakest():
            lines.append("Study next:")
            lines += [
                f"  {skill} {about['skills'][skill]['about']}: "
                f"{self.skills[skill].right} of {self.skills[skill].of}"
                for skill in self.weakest()
            ]
        return "\n".join([*lines, NOTE])


def scaled(score: Score) -> int:
    """Return the estimate on the exam's scale: a straight line from its least to its most."""
    least, most = guide()["format"]["scale"]
    return round(least + (most - least) * score.share)


def result_of(
    questions: Sequence[Question],
    scored: Iterable[str],
    answers: Mapping[str, Response],
    seconds: float,
) -> Result:
    """Return the result of `answers`; a question without one is wrong."""
    right = {one.id for one in questions if one.is_right(answers.get(one.id))}
    counting = [one for one in questions if one.id in set(scored)]
    total = _score(counting, right)
    points = scaled(total)
    skills = sorted(
        {skill for one in questions for skill in one.skills},
        key=lambda skill: [int(part) for part in skill.split(".")],
    )
    return Result(
        scored=total,
        scaled=points,
        passed=points >= guide()["format"]["pass"],
        domains={
            name: _score([one for one in counting if one.domain == name], right)
            for name in guide()["domains"]
        },
        skills={
            skill: _score([one for one in questions if skill in one.skills], right)
            for skill in skills
        },
        wrong=tuple(one.id for one in questions if one.id not in right),
        seconds=seconds,
    )


def _score(questions: Sequence[Question], right: set[str]) -> Score:
    return Score(sum(one.id in right for one in questions), len(questions))
