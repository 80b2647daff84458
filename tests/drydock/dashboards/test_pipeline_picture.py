"""The picture of the pipeline: what it says for each state, to eyes, readers and nbval."""

import re
from xml.etree import ElementTree

import pytest

from drydock.dashboards.pipeline import STATUSES, PipelinePicture, draw

STAGES = ("raw", "tasks", "curated", "api", "lookup", "quarantine")
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg):
    return [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def description(svg):
    return ElementTree.fromstring(svg).findtext(f"{SVG}desc")


def boxes(svg):
    root = ElementTree.fromstring(svg)
    return {
        group.findall(f"{SVG}text")[1].text: group
        for group in root.iter(f"{SVG}g")
        if group.find(f"{SVG}rect") is not None and group.get("transform")
    }


def test_without_a_state_all_six_boxes_are_idle_and_show_no_count():
    assert description(draw()) == (
        "Raw flights: idle. Fargate tasks: idle. Curated: idle. Data API: idle. "
        "PostgreSQL: idle. Quarantine: idle."
    )
    assert list(boxes(draw())) == [
        "Raw flights",
        "Fargate tasks",
        "Curated",
        "Data API",
        "PostgreSQL",
        "Quarantine",
    ]


def test_counts_are_in_the_boxes_and_in_the_description():
    svg = draw(
        {"raw": "done", "tasks": "running"},
        {"objects": 12, "tasks": 12, "tasks_done": 5, "rows": 139111, "quarantined": 0},
    )
    for count in ("12 objects", "5 of 12 done", "139,111 rows", "0 rows"):
        assert count in texts(svg)
    assert "Fargate tasks: running, 5 of 12 done." in description(svg)


def test_one_of_a_kind_is_no_plural():
    shown = draw({}, {"objects": 1, "tasks": 1, "tasks_done": 1, "rows": 1, "quarantined": 11})
    for count in (">1 object<", ">1 of 1 done<", ">1 row<", ">11 rows<"):
        assert count in shown


def test_a_count_of_which_a_part_is_missing_is_left_out():
    assert not any("done" in (text or "") for text in texts(draw(counts={"tasks": 12}))[:-4])


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("status", [status for status in STATUSES if status != "idle"])
def test_a_status_changes_its_own_box_only_and_not_by_colour_alone(stage, status):
    before, after = boxes(draw()), boxes(draw({stage: status}))
    changed = [
        name
        for name in before
        if ElementTree.tostring(before[name]) != ElementTree.tostring(after[name])
    ]
    assert changed == [list(before)[STAGES.index(stage)]]
    box = after[changed[0]]
    assert status in [text.text for text in box.findall(f"{SVG}text")]
    colourless = [
        re.sub(rb"#[0-9a-f]{6}", b"", ElementTree.tostring(b[changed[0]])) for b in (before, after)
    ]
    assert colourless[0] != colourless[1]


def contrast(one, other):
    """WCAG 2.2 contrast ratio of two colours written as #rrggbb."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("status", STATUSES)
def test_text_and_signs_stand_out_from_their_box(status):
    rect = boxes(draw({"raw": status}))["Raw flights"].find(f"{SVG}rect")
    fill, border = rect.get("fill"), rect.get("stroke")
    inks = re.findall(r"fill: (#[0-9a-f]{6})", draw())
    assert len(inks) == 2
    assert all(contrast(ink, fill) >= 4.5 for ink in inks)
    assert contrast(border, fill) >= 3


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (({"rds": "done"}, {}), "no stage is called 'rds': type one of raw, tasks"),
        (({"raw": "ok"}, {}), "no status is called 'ok': type one of idle, running, done, failed"),
        (({}, {"flights": 3}), "no count is called 'flights': type one of objects"),
    ],
)
def test_a_wrong_name_is_refused(state, says):
    with pytest.raises(ValueError, match=says):
        draw(*state)


def test_the_picture_keeps_what_was_not_named(capfd):
    picture = PipelinePicture()
    assert picture.value == draw()
    picture.show({"raw": "done"}, objects=12)
    picture.show({"tasks": "running"})
    assert picture.value == draw({"raw": "done", "tasks": "running"}, {"objects": 12})
    assert capfd.readouterr() == ("", "")


def test_a_refused_state_changes_nothing():
    picture = PipelinePicture()
    with pytest.raises(ValueError, match="no status"):
        picture.show({"raw": "finished"})
    picture.show({"tasks": "done"})
    assert picture.value == draw({"tasks": "done"})


def test_a_page_without_a_kernel_shows_the_picture_and_no_address():
    picture = PipelinePicture()
    bundle = picture._repr_mimebundle_()
    assert repr(picture) == "PipelinePicture()"
    assert bundle["image/svg+xml"] == draw()
    assert "application/vnd.jupyter.widget-view+json" in bundle
