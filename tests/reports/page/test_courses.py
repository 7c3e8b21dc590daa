"""The page's section of rows over time."""

import re
from datetime import UTC, datetime

import pytest
from browsing import Opened, browsing

from reports.gate.accepted import accept
from reports.gate.history import courses
from reports.page import leaderboard
from reports.page.courses import HEIGHT, WIDTH, courses_section


@pytest.fixture
def baselines(make, tmp_path):
    for day, full in enumerate((0.85, 0.85, 0.7), start=1):
        found = [make.record("full", 3 * day + seed, full + 0.005 * seed, model="<b>m</b>") for seed in range(3)]
        make.kept(tmp_path / str(day), found)
        accept(tmp_path / str(day), tmp_path / "kept", "<i>c", datetime(2026, 11, day, tzinfo=UTC))
    return tmp_path / "kept"


def test_a_line_for_each_number_with_its_points_and_changes(baselines):
    html = courses_section(courses(baselines))
    assert html.count("<svg") == html.count("<polyline") == 4 and html.count("<circle") == 12
    assert html.count("<line ") == 1 and "full: score .855 before, .705 from 2026-11-03" in html
    lines = re.findall(r'points="([^"]+)"', html)
    points = [point.split(",") for line in lines for point in line.split()]
    assert len(points) == 12 and all(0 <= float(x) <= WIDTH and 0 <= float(y) <= HEIGHT for x, y in points)


def test_where_nothing_is_known_of_a_change_it_says_so(make, tmp_path):
    """Of one seed an empty cell, and "no change", would tell what nobody knows."""
    for day, full in enumerate((0.85, 0.7), start=1):
        make.kept(tmp_path / str(day), [make.record("full", day, full)])
        accept(tmp_path / str(day), tmp_path / "kept", "c", datetime(2026, 11, day, tzinfo=UTC))
    html = courses_section(courses(tmp_path / "kept"))
    assert html.count("<td>not known</td>") == 4 and "no change" not in html


def test_the_suite_is_named(make, tmp_path):
    make.kept(tmp_path / "out", [make.record("full", seed, suite=suite) for seed, suite in enumerate(("one", "other"))])
    accept(tmp_path / "out", tmp_path / "kept", "c", datetime(2026, 11, 1, tzinfo=UTC))
    html = courses_section(courses(tmp_path / "kept"))
    assert html.count("<td>one</td>") == html.count("<td>other</td>") == 4


def test_nothing_from_outside_is_markup(baselines):
    html = courses_section(courses(baselines))
    assert "<b>" not in html and "<i>" not in html and "&lt;b&gt;m" in html


def test_it_stands_on_the_page_where_it_is_asked_for(make, out, baselines):
    make.kept(out, [make.record("full")])
    text = leaderboard.write_page(out, out, baselines=baselines).read_text()
    assert text.count('<section id="history"') == 1 and 'href="#history"' in text
    # No style in attributes, which the page's policy would refuse.
    assert "style=" not in courses_section(courses(baselines))
    assert 'id="history"' not in leaderboard.write_page(out, out).read_text()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_it(make, out, baselines, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    make.kept(out, [make.record("full")])
    path = leaderboard.write_page(out, out, baselines=baselines)
    with browsing() as browser:
        page = Opened(browser, path, color_scheme=scheme, viewport={"width": 360, "height": 740})
        found = axe.Axe().run(page.page, context="#history", options={"resultTypes": ["violations"]})
        assert [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found.response["violations"]] == []
        assert page.page.evaluate("document.documentElement.scrollWidth") <= 360
        page.close()
