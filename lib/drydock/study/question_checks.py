"""Is the question bank well made? `python -m drydock.study.question_checks` says what is not.

Each problem names the file, the question, the field and what is wrong. Exit code 2 if there is one.
"""

import datetime as dt
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jsonschema
import yaml

from drydock.study.questions import DATA, guide

STEM_WORDS = 90
CHOICES = 4  # the options of a multiple choice, as in the exam
RESPONSES = 5  # the fewest options of a multiple response, as in the exam
FORBIDDEN = re.compile(r"\b(all|none|both|any) of (the above|these)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    """What is wrong with a question: where, in which field, and what."""

    file: str
    id: str
    field: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.id, self.field, self.message) if part)


def problems(folder: Path = DATA / "questions") -> list[Problem]:
    """Return all that is wrong with the files of a folder; an empty list if nothing is."""
    files = sorted(folder.glob("*.yaml"))
    if not files:
        return [Problem(str(folder), "", "", "no question files (*.yaml) here")]
    found: list[Problem] = []
    first: dict[str, str] = {}
    for path in files:
        entries, bad = _entries(path)
        found += bad
        for entry in entries:
            found += [Problem(path.name, entry["id"], *what) for what in _question(entry)]
            if entry["id"] in first:
                where = first[entry["id"]]
                found.append(Problem(path.name, entry["id"], "id", f"it is taken, in {where}"))
            first.setdefault(entry["id"], path.name)
    return found


def main() -> int:
    """Print every problem of data/questions, or how many questions are well made."""
    found = problems()
    for problem in found:
        print(problem)
    if found:
        return 2
    count = sum(len(yaml.safe_load(path.read_text())) for path in _files())
    print(f"{count} questions in {len(_files())} files: well made")
    return 0


def _files() -> list[Path]:
    return sorted((DATA / "questions").glob("*.yaml"))


@cache
def _schema() -> jsonschema.Draft202012Validator:
    schema = json.loads((DATA / "questions" / "schema.json").read_text())
    return jsonschema.Draft202012Validator(schema)


def _entries(path: Path) -> tuple[list[dict], list[Problem]]:
    """The questions of a file that fit the schema, and the problems of those that do not."""
    try:
        entries = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or "it is not UTF-8 text"
        return [], [Problem(path.name, "", where, f"not YAML: {what}")]
    found, bad = [], set()
    for error in _schema().iter_errors(entries):
        place = list(error.absolute_path)
        index = place[0] if place and isinstance(place[0], int) else None
        name = ""
        if index is not None:
            bad.add(index)
            entry = entries[index]
            known = isinstance(entry, dict) and isinstance(entry.get("id"), str)
            name = entry["id"] if known else f"question {index + 1}"
        field = ".".join(str(part) for part in place[1:])
        found.append(Problem(path.name, name, field, error.message))
    if not isinstance(entries, list):
        return [], found
    return [entry for index, entry in enumerate(entries) if index not in bad], found


def _question(entry: dict) -> list[tuple[str, str]]:
    """What the schema cannot say, as (field, message)."""
    options = entry["options"]
    words = len(entry["stem"].split())
    found = [
        ("skills", f"{skill} is no skill of data/exam_guide.json")
        for skill in entry["skills"]
        if skill not in guide()["skills"]
    ]
    if words > STEM_WORDS:
        found.append(("stem", f"{words} words: at most {STEM_WORDS}"))
    if _date(entry["checked"]) is None:
        found.append(("checked", f"{entry['checked']} is no day"))
    for text, count in Counter(one["text"].casefold() for one in options).items():
        if count > 1:
            found.append(("options", f"{count} options say {text!r}"))
    for index, one in enumerate(options):
        if FORBIDDEN.search(one["text"]):
            found.append((f"options.{index}.text", "each option must stand on its own"))
    return found + _answers(entry["type"], options)


def _answers(kind: str, options: list[dict]) -> list[tuple[str, str]]:
    right = sum("correct" in one for one in options)
    pairs = [one["match"] for one in options if "match" in one]
    if pairs and kind != "matching":
        return [("options", f"match belongs to matching, not to {kind}")]
    if kind == "multiple_choice":
        if len(options) != CHOICES or right != 1:
            return [("options", f"{right} of {len(options)} correct: it must be 1 of {CHOICES}")]
    elif kind == "multiple_response":
        if len(options) < RESPONSES or not 2 <= right < len(options):
            return [
                ("options", f"{right} of {len(options)} correct: 2 or more of {RESPONSES} or more")
            ]
    elif right:
        return [("options", f"correct belongs to multiple choice and response, not to {kind}")]
    elif kind == "matching" and len(set(pairs)) != len(options):
        return [("options", "each option of a matching needs a match of its own")]
    return []


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


if __name__ == "__main__":
    sys.exit(main())
