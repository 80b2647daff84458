"""The learner's desk: quizzes, the mock exam and reviews whose answers are kept.

desk.quiz(skill="1.2.2")        # ten questions, with feedback for every option
desk.review()                   # what is due today
desk.exam()                     # begins a mock exam, or goes on with the one under way
desk.standing()                 # the heat map of skills
"""

import random

from drydock.study import progress
from drydock.study.exam import Exam
from drydock.study.exam_result import Result
from drydock.study.questions import Question, load, select
from drydock.study.reviews import Reviews


def quiz(count: int = 10, *, seed: int | None = None, **chosen):
    """Return a quiz of `count` questions; `chosen` as for `questions.select`."""
    from drydock.study.quiz_widget import Quiz  # a terminal has no widgets to import

    some = select(load(), **chosen)
    seed = random.randrange(10**6) if seed is None else seed
    random.Random(seed).shuffle(some)
    return Quiz(some[:count], on_answer=lambda found: keep_answer(found.question, found.right))


def review(count: int = 20):
    """Return a quiz of the questions that are due today, or a line that there are none."""
    from drydock.study.quiz_widget import Quiz

    due = Reviews.load(progress.folder() / "reviews.json").due(load())
    if not due:
        return "nothing is due today: answer new questions with desk.quiz()"
    return Quiz(due[:count], on_answer=lambda found: keep_answer(found.question, found.right))


def exam(size: int | None = None, *, seed: int | None = None):
    """Return the screen of the mock exam under way, or of a new one of `size` questions."""
    from drydock.study.quiz_widget import ExamScreen

    path = progress.folder() / "exam.json"
    found = Exam.load(path, load())
    if found is None or found.finished:
        seen = progress.read().answers()
        luck = random.randrange(10**6) if seed is None else seed
        found = Exam.draw(load(), size=size, seed=luck, seen=seen)
    return ExamScreen(found, path, on_finish=keep_exam)


def standing():
    """Return the heat map of the learner's skills, a Chart."""
    from drydock.study import standing as known  # matplotlib takes a second that a terminal saves

    return known.heat_map(known.by_skill(progress.read()))


def keep_answer(question: Question, right: bool) -> None:
    """Keep an answer in the learner's progress, and plan when the question is due again."""
    progress.note("answer", question.id, right=right)
    if ":" not in question.id:  # a generated one never comes again
        path = progress.folder() / "reviews.json"
        reviews = Reviews.load(path)
        reviews.answered(question, right)
        reviews.save(path)


def keep_exam(exam: Exam, result: Result) -> None:
    """Keep the answers of a finished mock exam, and what it came to."""
    for question in exam.questions:
        if question.id in exam.answers:
            keep_answer(question, question.id not in result.wrong)
    progress.note("exam", str(result.scaled), right=result.passed, scored=result.scored.of)
