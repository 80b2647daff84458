"""Practice and the mock exam as widgets. The logic is in `practice` and `exam`.

Quiz(questions.select(bank, skill="1.2.2"))            # feedback after each answer
ExamScreen(Exam.draw(bank), folder / "exam.json")      # saved with every step
"""

from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path

import ipywidgets as widgets

from drydock.errors import WrongInput
from drydock.study.answer_box import AnswerBox
from drydock.study.exam import Exam
from drydock.study.exam_result import Result
from drydock.study.practice import Feedback, Practice, feedback
from drydock.study.questions import Question


class Quiz(widgets.VBox):
    """One question after another, with feedback for every option.

    The order is random by `seed`, or as given if that is None. `on_answer` is called with the
    `Feedback` of each answer, for instance to keep progress.
    """

    def __init__(
        self,
        some: Iterable[Question],
        *,
        seed: int | None = 0,
        on_answer: Callable[[Feedback], None] | None = None,
    ):
        self.session = Practice(some, seed=seed)
        self._seed, self._on_answer = seed or 0, on_answer
        self._answer = widgets.Button(description="Answer", button_style="primary")
        self._next = widgets.Button(description="Next")
        self._count = self.session.left
        self._answer.on_click(lambda _: self._answered())
        self._next.on_click(lambda _: self._show())
        super().__init__()
        self._show()

    def __repr__(self) -> str:
        return f"Quiz of {self._count} question{'s' if self._count > 1 else ''}"

    def _show(self) -> None:
        question = self.session.next()
        if question is None:
            done = f"Done: {self.session.right} right, {self.session.wrong} wrong at first."
            self.children = [widgets.HTML(f"<p><b>{done}</b></p>")]
            return
        self.box = AnswerBox(question, seed=self._seed)
        self.note = widgets.HTML()
        self._answer.disabled = False
        self.children = [self.box, widgets.HBox([self._answer, self._next]), self.note]

    def _answered(self) -> None:
        response = self.box.response
        if response is None:
            self.note.value = "Choose an answer first; where numbers are typed, each of them once."
            return
        found = self.session.answer(response)
        self.box.lock()
        self._answer.disabled = True
        self.note.value = _lines(found.text())
        if self._on_answer:
            self._on_answer(found)


class ExamScreen(widgets.VBox):
    """A mock exam: go to any question, flag it, stop the clock, finish and see what was wrong.

    Every step is saved in `path`; show `ExamScreen(Exam.load(path, bank), path)` to go on. The
    clock of the exam starts with the screen. `on_finish` is called once, at the end of the exam.
    """

    def __init__(
        self, exam: Exam, path: Path, *, on_finish: Callable[[Exam, Result], None] | None = None
    ):
        self.exam, self.path, self.at, self._on_finish = exam, path, 0, on_finish
        self._status, self._note = widgets.HTML(), widgets.HTML()
        self._go = widgets.BoundedIntText(
            description="Go to", min=1, max=len(exam.questions), layout=widgets.Layout(width="12em")
        )
        self._flag = widgets.Checkbox(description="Flag for review", indent=False)
        self._go.observe(lambda change: self._step(change["new"] - 1), "value")
        self._flag.observe(lambda change: self._flagged(change["new"]), "value")
        moves = widgets.HBox(
            [
                _button("Back", lambda: self._step(self.at - 1)),
                _button("Next", lambda: self._step(self.at + 1)),
                _button("Pause", self._pause),
                _button("Finish", self._finish, "warning"),
            ]
        )
        self._moves = widgets.HBox([moves, self._flag, self._go])
        super().__init__()
        if exam.finished:
            self._finish()
        else:
            exam.start()
            self._show()

    def __repr__(self) -> str:
        return f"Mock exam of {len(self.exam.questions)} questions"

    def _step(self, to: int) -> None:
        """Keep the answer of this question, and show another one."""
        to = min(max(to, 0), len(self.exam.questions) - 1)
        if to != self.at and self._kept():
            self.at = to
            self._show()

    def _kept(self) -> bool:
        """Save the answer on the screen; False if the exam is over, which shows the result."""
        try:
            self.exam.answer(self.at, self.box.response)
        except WrongInput:
            self._finish()
            return False
        self.exam.save(self.path)
        return True

    def _show(self) -> None:
        question = self.exam.questions[self.at]
        self.box = AnswerBox(question, self.exam.answers.get(question.id))
        minutes = self.exam.remaining() / 60
        self._status.value = (
            f"Question {self.at + 1} of {len(self.exam.questions)} · {minutes:.0f} minutes left<br>"
            f"Not answered: {_numbers(self.exam.unanswered())} · "
            f"flagged: {_numbers(self.exam.flagged())}"
        )
        self._go.value = self.at + 1
        self._flag.value = question.id in self.exam.flags
        self.children = [self._status, self.box, self._moves, self._note]

    def _flagged(self, on: bool) -> None:
        self.exam.flag(self.at, on)
        self.exam.save(self.path)

    def _pause(self) -> None:
        if not self._kept():
            return
        self.exam.pause()
        self.exam.save(self.path)
        self.children = [
            widgets.HTML("<p>The clock stands. Your answers are saved.</p>"),
            _button("Go on", self._resume, "primary"),
        ]

    def _resume(self) -> None:
        self.exam.start()
        self._show()

    def _finish(self) -> None:
        before = self.exam.finished
        if not before:
            try:
                self.exam.answer(self.at, self.box.response)
            except WrongInput:
                self._note.value = "The time was up before the last answer."
        result = self.exam.finish()
        self.exam.save(self.path)
        if self._on_finish and not before:
            self._on_finish(self.exam, result)
        wrong = [one for one in self.exam.questions if one.id in result.wrong]
        reviews = [
            f"{one.prompt}\n{feedback(one, self.exam.answers.get(one.id)).text()}" for one in wrong
        ]
        texts = [result.text(), *reviews]
        self.children = [self._note, *(widgets.HTML(_lines(text)) for text in texts)]


def _button(text: str, action: Callable[[], None], style: str = "") -> widgets.Button:
    button = widgets.Button(description=text, button_style=style)
    button.on_click(lambda _: action())
    return button


def _numbers(indexes: list[int]) -> str:
    return ", ".join(str(index + 1) for index in indexes) or "none"


def _lines(text: str) -> str:
    return f"<div style='white-space: pre-wrap; line-height: 1.5'>{escape(text)}</div>"
