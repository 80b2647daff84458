"""What the API's benchmark is measured against, and whether its results hold."""

from statistics import mean

HELLO_SHARE, DATASETTE_TIMES = 0.5, 10.0
BOUND_MS = 1000.0  # p99 of what is answered at twice the load that saturates
KEPT_SHARE = 0.5  # of the answers at saturation, at twice that load: less is a collapse
GROWTH = 1.05  # of the memory, from the first parts of a soak to the last


def targets(closed: list[dict], opened: list[dict], soaked: list[dict]) -> list[tuple[str, bool]]:
    """Return each target that these results tell something about, with its figure, and if it holds.

    `closed`, `opened` and `soaked` are as api.py collects them.
    """
    rates = {one["name"]: one["per_second"] for one in closed}
    ours, found = rates["data API"], []
    if hello := rates.get("FastAPI hello world"):
        share = ours / hello
        text = f"{share:.2f} of FastAPI's hello world, at least {HELLO_SHARE:g}"
        found.append((text, share >= HELLO_SHARE))
    if datasette := rates.get("Datasette"):
        times = ours / datasette
        text = f"{times:.1f} times Datasette, at least {DATASETTE_TIMES:g}"
        found.append((text, times >= DATASETTE_TIMES))
    found += _overload({one["share"]: one for one in opened})
    if len(soaked) >= 8:
        grown = mean(_memory(soaked[-3:])) / mean(_memory(soaked[1:4]))
        text = f"memory grows {grown:.2f} times over the soak, at most {GROWTH:g}"
        found.append((text, grown <= GROWTH))
        bad = sum(n for one in soaked for status, n in one["answers"].items() if status != "200")
        found.append((f"{bad} errors in the soak, none", bad == 0))
    return found


def _overload(opened: dict[float, dict]) -> list[tuple[str, bool]]:
    if not {1.0, 2.0} <= opened.keys():
        return []
    full, twice = opened[1.0], opened[2.0]
    lost = twice["cut"] + twice["unanswered"]
    lost += sum(n for status, n in twice["answers"].items() if status not in ("200", "503"))
    kept = twice["per_second"] / full["per_second"] if full["per_second"] else 0.0
    waited = twice["p99_ms"]
    return [
        (
            f"p99 {waited} ms at twice the saturating load, at most {BOUND_MS:g}",
            waited is not None and waited <= BOUND_MS,
        ),
        (f"{kept:.2f} of the answers are kept there, at least {KEPT_SHARE:g}", kept >= KEPT_SHARE),
        (f"{lost} requests there get neither 200 nor 503, none", lost == 0),
    ]


def _memory(parts: list[dict]) -> list[float]:
    return [part["megabytes"] for part in parts]
