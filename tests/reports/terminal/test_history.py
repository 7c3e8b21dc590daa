"""Courses in a terminal."""

from datetime import UTC, datetime

from reports.gate.accepted import accept
from reports.gate.history import courses
from reports.terminal.history import BARS, drawn_as_bars, print_courses


def test_bars_go_from_the_lowest_to_the_highest():
    assert drawn_as_bars([0.0, 0.5, 1.0]) == BARS[0] + BARS[4] + BARS[7] and drawn_as_bars([2.0, 2.0]) == BARS[0] * 2
    assert len(drawn_as_bars(list(range(100)))) == 24


def test_a_table_and_a_line_for_each_change(make, tmp_path, capsys):
    for day, full in enumerate((0.85, 0.85, 0.7), start=1):
        make.kept(tmp_path / str(day), [make.record("full", 3 * day + seed, full + 0.005 * seed) for seed in range(3)])
        accept(tmp_path / str(day), tmp_path / "kept", f"c{day}", datetime(2026, 11, day, tzinfo=UTC))
    print_courses(courses(tmp_path / "kept"))
    printed = capsys.readouterr().out
    first, header, _, *lines = printed.splitlines()
    assert first == "sentiment: smollm2 on sst2"
    assert header.split() == ["strategy", "what", "baselines", "first", "last", "course", "changed"]
    score = next(line for line in lines if " score " in line)
    assert score.split() == ["full", "score", "3", ".855", ".705", "██▁", "2026-11-03", "c3"] and len(score) <= 100
    assert "full: score .855 before, .705 from 2026-11-03 c3 on (-15.0 points)" in lines


def test_what_is_left_out_is_said(make, tmp_path, capsys):
    for day, budget in enumerate(("64examples", "512examples"), start=1):
        make.kept(tmp_path / str(day), [make.record("full", seed, budget=budget) for seed in range(2)])
        accept(tmp_path / str(day), tmp_path / "kept", None, datetime(2026, 11, day, tzinfo=UTC))
    print_courses(courses(tmp_path / "kept"))
    assert "1 earlier baselines are left out" in capsys.readouterr().out
