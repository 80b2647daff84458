"""A question on the screen: its prompt, and controls that can all be used by keyboard.

JupyterLab takes the arrow keys, and in lists the digits too, to move between cells. So there are
neither radio buttons nor drop-down lists here: boxes are ticked with Tab and Space, and numbers
are typed.
"""

from html import escape

import ipywidgets as widgets

from drydock.study.questions import Question, Response

_WIDE = widgets.Layout(width="auto")
_NARROW = widgets.Layout(width="4.5em")


class AnswerBox(widgets.VBox):
    """The prompt of a question with its options; `response` is what is chosen now.

    One box to tick for each option (in a multiple choice, ticking one unticks the others), or a
    number to type for each place of an ordering and each pair of a matching.
    """

    def __init__(self, question: Question, response: Response | None = None, *, seed: int = 0):
        self.question = question
        self.controls: dict[str, widgets.Widget] = {}
        self._seed = seed
        make = {"ordering": self._places, "matching": self._pairs}.get(question.type, self._boxes)
        super().__init__([_html(f"<b>{escape(question.prompt)}</b>"), *make(response)])

    @property
    def response(self) -> Response | None:
        """What is chosen, in the form of `Question.is_right`; None if it is not complete."""
        chosen = {key: control.value for key, control in self.controls.items()}
        if self.question.type not in ("ordering", "matching"):
            return [key for key, ticked in chosen.items() if ticked] or None
        if len(set(chosen.values())) < len(chosen) or 0 in chosen.values():
            return None
        if self.question.type == "ordering":
            return sorted(chosen, key=chosen.get)
        halves = self.question.shown_matches(self._seed)
        return {key: halves[number - 1].key for key, number in chosen.items()}

    def choose(self, response: Response | None) -> None:
        """Set the controls to a response; None clears them."""
        kind, halves = self.question.type, self.question.shown_matches(self._seed)
        for key, control in self.controls.items():
            if kind == "ordering":
                control.value = list(response).index(key) + 1 if response else 0
            elif kind == "matching":
                keys = [one.key for one in halves]
                control.value = keys.index(response[key]) + 1 if response else 0
            else:
                control.value = key in (response or ())

    def lock(self) -> None:
        """Let nothing be changed any more."""
        for control in self.controls.values():
            control.disabled = True

    def _boxes(self, response: Response | None) -> list[widgets.Widget]:
        for one in self.question.shown(self._seed):
            box = widgets.Checkbox(description=f"{one.key}. {one.text}", indent=False, layout=_WIDE)
            self.controls[one.key] = box
        self.choose(response)
        if self.question.type == "multiple_choice":
            for box in self.controls.values():
                box.observe(self._only, "value")
        return list(self.controls.values())

    def _only(self, change: dict) -> None:
        for box in self.controls.values():
            if change["new"] and box is not change["owner"]:
                box.value = False

    def _places(self, response: Response | None) -> list[widgets.Widget]:
        rows = [self._numbered(one.key, one.text) for one in self.question.shown(self._seed)]
        self.choose(response)
        return [_html("Type the place of each, from 1:"), *rows]

    def _pairs(self, response: Response | None) -> list[widgets.Widget]:
        halves = self.question.shown_matches(self._seed)
        numbered = "".join(f"<li>{escape(one.match)}</li>" for one in halves)
        rows = [self._numbered(one.key, one.text) for one in self.question.options]
        self.choose(response)
        return [_html(f"Type the number of its partner for each:<ol>{numbered}</ol>"), *rows]

    def _numbered(self, key: str, text: str) -> widgets.Widget:
        most = len(self.question.options)
        self.controls[key] = widgets.BoundedIntText(value=0, min=0, max=most, layout=_NARROW)
        return widgets.HBox([self.controls[key], widgets.Label(text)])


def _html(text: str) -> widgets.HTML:
    return widgets.HTML(f"<div style='line-height: 1.5; margin: 0.5em 0'>{text}</div>")
