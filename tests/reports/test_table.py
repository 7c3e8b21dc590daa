"""The tables in a terminal."""

import re

import pytest

from reports import table


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)


def lines_of(text: str, start: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(start)]


def test_suite_fits_100_columns_with_every_number(make, out, capsys):
    table.show(make.kept(out, make.suite()), out)
    printed = capsys.readouterr().out
    assert "sentiment: smollm2 on sst2 (accuracy over 200 items)" in printed
    (line,) = [line for line in lines_of(printed, "lora-8bit") if "[" in line]
    assert re.search(r"\.860 \[\.\d{3}, \.\d{3}\] +\+31\.0 +\+0\.0\d\d +\+1\.6 +0\.0 +81\.5 +3\.21 +1\.78$", line)
    assert all(len(line) <= 100 for line in printed.splitlines() if "[" in line)


def test_says_what_intervals_hold(make, out, capsys):
    table.show(make.kept(out, make.suite()), out)
    assert len(lines_of(capsys.readouterr().out, "95 % intervals hold items alone")) == 1
    several = make.kept(out, make.suite(2))
    table.show(several, out)
    assert "items and seeds (two-level bootstrap)" in capsys.readouterr().out
    table.show(several)
    assert "mean of the seeds' own bounds" in capsys.readouterr().out


def test_parts_that_train_are_counted_on_one_line(make, out, capsys):
    table.show(make.kept(out, make.suite()), out)
    printed = capsys.readouterr().out
    assert "lora-8bit: trainable parameters 2,442,240 of 136,957,248 (1.78 %)\n" in printed
    assert len(lines_of(printed, "frozen: trainable parameters")) == 1
    assert not lines_of(printed, "full: trainable parameters") and not lines_of(printed, "zero-shot: trainable")


def test_failed_run_is_one_line_even_where_nothing_else_is(make, capsys):
    reason = "RuntimeError: " + "very long " * 30
    table.show([make.failed("frozen", 1, reason=reason)])
    assert lines_of(capsys.readouterr().out, f"frozen (seed 1) failed: {reason.strip()}")


def test_check_that_does_not_hold_is_said(make, capsys):
    table.show([make.record("zero-shot", trainable=0, checks={"untouched_forgets_nothing": False})[0]])
    assert "zero-shot: the check untouched_forgets_nothing does not hold" in capsys.readouterr().out


def test_names_are_neither_markup_nor_control_codes(make, capsys):
    table.show([make.record("full", model="[red]model[/red]")[0], make.failed("x", reason="bad \x1b[31m[/b] end")])
    printed = capsys.readouterr().out
    assert "[red]model[/red]" in printed and "\x1b" not in printed and "[/b] end" in printed


def test_many_probes_go_to_tables_of_their_own(make, capsys):
    probes = {f"probe-number-{n}": ("accuracy", 0.5, 0.4) for n in range(15)}
    table.show([make.record("full", probes=probes)[0]])
    printed = capsys.readouterr().out
    rows = lines_of(printed, "full ")
    assert len(rows) == 3 and all(len(row) <= 100 for row in rows)
    assert sum(row.count("+9.4") for row in rows) == 15


def test_four_probes_and_a_variant_fit(make, capsys):
    probes = dict.fromkeys(("wikipedia", "lambada", "arc-easy", "hellaswag"), ("accuracy", 0.5, 0.4))
    pair = [make.record("lora-8bit", n, probes=probes, hyperparameters={"learning_rate": 10**-n})[0] for n in (1, 2)]
    table.show(pair)
    printed = capsys.readouterr().out
    assert (
        len([line for line in lines_of(printed, "lora-8bit") if line.count("+9.4") == 4 and line.rstrip().endswith("100")]) == 2
    )


def test_no_nan_is_shown(make, capsys):
    record = make.record("full")[0]
    bad = record.forgetting["wikipedia"].model_copy(update={"after": float("nan"), "delta": float("nan")})
    table.show([record.model_copy(update={"forgetting": {"wikipedia": bad}, "cost": None, "gain": None})])
    assert "nan" not in capsys.readouterr().out.lower()
