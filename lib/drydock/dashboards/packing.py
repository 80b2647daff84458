"""Container instances as boxes, filled with the tasks that they run: data in, SVG text out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import groupby

from drydock.model.scaling.placement import Instance, place

CPU, MEMORY = "CPU", "memory"
_WIDTH, _ROW, _TOP = 884, 86, 58
_BAR_LEFT, _BAR_WIDTH, _BAR_HEIGHT = 196, 520, 24
# Okabe and Ito's colours; the letter on each block says the same again.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
_DARK = {"#0072B2", "#009E73", "#D55E00"}


@dataclass(frozen=True)
class Task:
    """A task of a kind (its family), with what it reserves: CPU units and MiB."""

    kind: str
    cpu: int
    memory_mib: int


@dataclass(frozen=True)
class Machine:
    """A container instance: what it has registered, in CPU units and MiB, and what runs on it."""

    name: str
    zone: str
    cpu: int
    memory_mib: int
    tasks: tuple[Task, ...] = ()

    @property
    def free(self) -> dict[str, int]:
        return {
            CPU: self.cpu - sum(task.cpu for task in self.tasks),
            MEMORY: self.memory_mib - sum(task.memory_mib for task in self.tasks),
        }


@dataclass(frozen=True)
class Packing:
    """Machines with their tasks, and the tasks that found no room."""

    machines: tuple[Machine, ...]
    waiting: tuple[Task, ...] = ()

    def summary(self) -> str:
        """One line: how many tasks run, on how many of the machines, how many wait."""
        used = sum(bool(machine.tasks) for machine in self.machines)
        placed = sum(len(machine.tasks) for machine in self.machines)
        where = f"on {used} of {len(self.machines)} machines"
        if not self.waiting:
            return f"{placed} tasks, {where}"
        wanted = placed + len(self.waiting)
        return f"{placed} of {wanted} tasks, {where}; {len(self.waiting)} found no room"


def pack(
    machines: Sequence[Machine], groups: Sequence[tuple[Task, int]], strategy: tuple[str, str]
) -> Packing:
    """Place `count` tasks of each (task, count) group in turn, as ECS does with this strategy.

    `strategy` is a type and a field: ("binpack", "memory" or "CPU"), ("spread", "zone" or
    "instanceId"), ("random", ""). Placing is `drydock.model.scaling.placement.place`.
    """
    filled, waiting = {machine.name: machine for machine in machines}, []
    for task, count in groups:
        candidates = [_as_instance(machine, task.kind) for machine in filled.values()]
        need = {CPU: task.cpu, MEMORY: task.memory_mib}
        names = place(candidates, need, count, strategies=[strategy])
        for name in names:
            machine = filled[name]
            filled[name] = replace(machine, tasks=(*machine.tasks, task))
        waiting += [task] * (count - len(names))
    return Packing(tuple(filled.values()), tuple(waiting))


def draw(packing: Packing) -> str:
    """Return the packing as SVG text: a bar for CPU and one for memory on each machine."""
    kinds = _kinds(packing)
    rows = [
        _machine(machine, _TOP + _ROW * row, kinds) for row, machine in enumerate(packing.machines)
    ]
    height = _TOP + _ROW * len(packing.machines) + 40
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(packing.summary())}" '
        f'style="width:100%;max-width:{_WIDTH}px;height:auto">'
        f"<title>Tasks on container instances</title>{_STYLE}"
        f'<rect x="1" y="1" width="{_WIDTH - 2}" height="{height - 2}" rx="10" fill="#ffffff" '
        f'stroke="#c5cad3"/><g class="packing">'
        f'<text x="24" y="32" class="title">{escape(packing.summary())}</text>'
        f"{''.join(rows)}{_legend(packing, kinds, height - 22)}</g></svg>"
    )


_STYLE = """<style>
.packing text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1a1a1a; }
.packing .title { font-size: 16px; font-weight: 600; }
.packing .soft { font-size: 12px; fill: #4b5563; }
.packing .light { fill: #ffffff; font-weight: 600; }
.packing .dark { font-weight: 600; }
</style>"""


def _as_instance(machine: Machine, kind: str) -> Instance:
    same = sum(task.kind == kind for task in machine.tasks)
    return Instance(machine.name, machine.free, {"zone": machine.zone}, same)


def _kinds(packing: Packing) -> dict[str, tuple[str, str]]:
    """Return the letter and the colour of each kind of task, in order of appearance."""
    tasks = [task for machine in packing.machines for task in machine.tasks]
    names = dict.fromkeys(task.kind for task in (*tasks, *packing.waiting))
    return {
        name: (chr(ord("A") + n % 26), _COLOURS[n % len(_COLOURS)]) for n, name in enumerate(names)
    }


def _machine(machine: Machine, y: int, kinds: dict[str, tuple[str, str]]) -> str:
    free = machine.free
    cpu = [(task.kind, task.cpu) for task in machine.tasks]
    memory = [(task.kind, task.memory_mib) for task in machine.tasks]
    return (
        f'<text x="24" y="{y + 20}" class="dark">{escape(machine.name)}</text>'
        f'<text x="24" y="{y + 40}" class="soft">{escape(machine.zone)}</text>'
        + _bar(CPU, cpu, machine.cpu, f"{free[CPU] / 1024:g} vCPU free", y, kinds)
        + _bar(MEMORY, memory, machine.memory_mib, f"{free[MEMORY]:,} MiB free", y + 30, kinds)
    )


def _bar(
    label: str,
    blocks: list[tuple[str, int]],
    total: int,
    left: str,
    y: int,
    kinds: dict[str, tuple[str, str]],
) -> str:
    parts = [
        f'<text x="{_BAR_LEFT - 10}" y="{y + 17}" text-anchor="end" class="soft">{label}</text>',
        f'<rect x="{_BAR_LEFT}" y="{y}" width="{_BAR_WIDTH}" height="{_BAR_HEIGHT}" '
        'fill="#f3f4f6" stroke="#6b7280"/>',
    ]
    x = float(_BAR_LEFT)
    for kind, amount in blocks:
        width = amount / total * _BAR_WIDTH if total else 0.0
        letter, colour = kinds[kind]
        parts.append(
            f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_BAR_HEIGHT}" '
            f'fill="{colour}" stroke="#ffffff"/>'
        )
        if width >= 14:
            shade = "light" if colour in _DARK else "dark"
            parts.append(
                f'<text x="{x + width / 2:.1f}" y="{y + 17}" text-anchor="middle" '
                f'class="{shade}">{letter}</text>'
            )
        x += width
    parts.append(f'<text x="{_BAR_LEFT + _BAR_WIDTH + 12}" y="{y + 17}">{left}</text>')
    return "".join(parts)


def _legend(packing: Packing, kinds: dict[str, tuple[str, str]], y: int) -> str:
    placed = [task for machine in packing.machines for task in machine.tasks]
    sizes = {task.kind: task for task in (*placed, *packing.waiting)}
    parts, x = [], 24
    for name, (letter, colour) in kinds.items():
        task = sizes[name]
        words = f"{letter} = {name}: {task.cpu / 1024:g} vCPU, {task.memory_mib:,} MiB"
        parts.append(
            f'<rect x="{x}" y="{y - 11}" width="13" height="13" fill="{colour}"/>'
            f'<text x="{x + 20}" y="{y}" class="soft">{escape(words)}</text>'
        )
        x += 40 + 7 * len(words)
    return "".join(parts)


def waiting_words(packing: Packing) -> str:
    """Return what each waiting kind lacks on the machine that comes closest, "" when none waits."""
    words = []
    for task, same in groupby(sorted(packing.waiting, key=lambda task: task.kind)):
        short = "memory" if any(m.free[CPU] >= task.cpu for m in packing.machines) else "CPU"
        words.append(f"{len(list(same))} x {task.kind}: RESOURCE:{short.upper()}")
    return ", ".join(words)
