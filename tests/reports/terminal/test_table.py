"""The tables in a terminal."""

import re

import pytest
from rich.console import Console

from bench.errors import UserError
from bench.records.outcome import Score
from reports.rows import summaries
from reports.terminal import table


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)


def lines_of(text: str, start: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(start)]


def test_suite_fits_100_columns_with_every_number(make, out, capsys):
    make.print_rows(make.kept(out, make.suite()), out)
    printed = capsys.readouterr().out
    assert "sentiment: smollm2 on sst2 (accuracy over 200 items)" in printed
    (line,) = [line for line in lines_of(printed, "lora-8bit") if "[." in line]
    assert re.search(r"\.860 \[\.\d{3}, \.\d{3}\] +\+31\.0 +– +\+0\.0\d\d\* +\+1\.6  +0\.0  +81\.5 +3\.21 +1\.78$", line)
    assert all(len(line) <= 100 for line in printed.splitlines() if "[" in line)
    (gain,) = lines_of(printed, "lora-8bit: gain")
    assert re.fullmatch(r"lora-8bit: gain \+31\.0 \[\+\d\d\.\d, \+\d\d\.\d\] points", gain)


def test_both_gains_are_shown_each_with_its_question(make, capsys):
    make.print_rows([make.over_best(make.record("full", accuracy=0.85), right=140)[0]])
    printed = capsys.readouterr().out
    assert re.search(r"full +\.850 \[\.\d{3}, \.\d{3}\] +\+30\.0 +\+15\.0", printed)
    assert lines_of(printed, "gain: what training changed") and lines_of(printed, "over best: what the row adds")


def test_forgetting_that_is_more_than_chance_is_marked(make, capsys):
    record = make.record("full", probes={"wikipedia": ("loss (nats per token)", 3.2, 3.3), "lambada": ("accuracy", 0.5, 0.4)})[
        0
    ]
    sure = {"delta": 0.1, "ci_low": 0.05, "ci_high": 0.15}
    unsure = {"delta": 0.1, "ci_low": -0.01, "ci_high": 0.2}
    probes = {
        name: part.model_copy(update=u)
        for (name, part), u in zip(record.outcome.forgetting.items(), (sure, unsure), strict=True)
    }
    make.print_rows([make.changed(record, forgetting=probes)])
    printed = capsys.readouterr().out
    assert re.search(r"\+0\.100\* +\+10\.0  ", printed) and printed.count("*") == 2
    assert "*: this forgetting is more than chance, corrected for how many probes the row has (Holm)." in printed
    make.print_rows([make.changed(record, forgetting={"lambada": probes["lambada"]})])
    assert "*" not in capsys.readouterr().out


def test_stages_are_a_matrix_with_three_measures(make, capsys):
    make.print_rows([make.staged(make.stages())])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    start = rows.index(["full", "base", ".500", ".400", ".300"])
    assert rows[start + 1 : start + 3] == [["rte", ".800", ".500", ".200"], ["squad", ".700", ".900", ".400"]]
    assert rows[start + 3] == ["sst2", ".750", ".600", ".850", "-17.5", "+10.0", "+17.5"]


def test_stage_score_of_which_nothing_is_known_keeps_its_own_unit_and_no_mean_is_made(make, capsys):
    make.print_rows([make.record("full", stages=make.stages())[0]])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["sst2", "0.750", "0.600", ".850", "–", "–", "–"] in rows


def test_says_what_intervals_hold(make, out, capsys):
    make.print_rows(make.kept(out, make.suite()), out)
    assert len(lines_of(capsys.readouterr().out, "One seed: the interval is for this trained model on new items.")) == 1
    several = make.kept(out, make.suite(2))
    make.print_rows(several, out)
    printed = capsys.readouterr().out
    assert "The rows' SDs between seeds are taken as alike" in printed and "full: seed SD 0.7 points over 2 seeds" in printed
    make.print_rows(several)
    assert "†: the items' part is that of the runs' own bounds" in capsys.readouterr().out


def test_the_caption_is_of_what_is_shown_with_an_interval(make, out, capsys):
    """Other tasks' gains are, and a probe's loss is not; but a mark on that is of whole clusters too."""
    task, away = make.record("multitask"), make.elsewhere(make.mixture(), "sarcasm", 0.7, 64)
    groups = [f"story {n // 4}" for n in range(64)]
    for pair, kind in ((task, "probe"), (away, "elsewhere")):
        items = pair[1]
        of_kind = items["kind"] == kind
        names = items["name"].where(of_kind)
        first = items[names == names.dropna().iloc[0]]
        clusters = items.index.map(dict(zip(first.index, groups, strict=False))).astype(object)
        make.print_rows(make.kept(out, [(pair[0], items.assign(cluster=clusters))]), out)
        printed = capsys.readouterr().out
        assert lines_of(printed, "Items that belong together") and "16 effective clusters" in printed
        make.print_rows(make.kept(out, [pair]), out)
        assert not lines_of(capsys.readouterr().out, "Items that belong together")


def test_parts_that_train_are_counted_on_one_line(make, out, capsys):
    make.print_rows(make.kept(out, make.suite()), out)
    printed = capsys.readouterr().out
    assert "lora-8bit: trainable parameters 2,442,240 of 136,957,248 (1.78 %)\n" in printed
    assert len(lines_of(printed, "frozen: trainable parameters")) == 1
    assert not lines_of(printed, "full: trainable parameters") and not lines_of(printed, "zero-shot: trainable")


def test_failed_run_is_one_line_even_where_nothing_else_is(make, capsys):
    reason = "RuntimeError: " + "very long " * 30
    make.print_rows([make.failed("frozen", 1, reason=reason)])
    assert lines_of(capsys.readouterr().out, f"frozen (seed 1) failed: {reason.strip()}")


def test_check_that_does_not_hold_is_said(make, capsys):
    make.print_rows([make.record("zero-shot", trainable=0, checks={"untouched_forgets_nothing": False})[0]])
    assert "zero-shot: the check untouched_forgets_nothing does not hold" in capsys.readouterr().out


def test_names_are_neither_markup_nor_control_codes(make, capsys):
    make.print_rows([make.record("full", model="[red]model[/red]")[0], make.failed("x", reason="bad \x1b[31m[/b] end")])
    printed = capsys.readouterr().out
    assert "[red]model[/red]" in printed and "\x1b" not in printed and "[/b] end" in printed


def test_many_probes_go_to_tables_of_their_own(make, capsys):
    probes = {f"probe-number-{n}": ("accuracy", 0.5, 0.4) for n in range(15)}
    make.print_rows([make.record("full", probes=probes)[0]])
    printed = capsys.readouterr().out
    rows = lines_of(printed, "full ")
    assert len(rows) == 3 and all(len(row) <= 100 for row in rows)
    assert sum(row.count("+9.4") for row in rows) == 15


def test_three_probes_and_a_variant_fit(make, capsys):
    probes = dict.fromkeys(("wikipedia", "lambada", "arc-easy"), ("accuracy", 0.5, 0.4))
    pair = [make.record("lora-8bit", n, probes=probes, hyperparameters={"learning_rate": 10**-n})[0] for n in (1, 2)]
    make.print_rows(pair)
    printed = capsys.readouterr().out
    assert (
        len([line for line in lines_of(printed, "lora-8bit") if line.count("+9.4") == 3 and line.rstrip().endswith("100")]) == 2
    )


def test_no_nan_is_shown(make, capsys):
    record = make.record("full")[0]
    bad = record.outcome.forgetting["wikipedia"].model_copy(update={"after": float("nan"), "delta": float("nan")})
    make.print_rows([make.changed(record, forgetting={"wikipedia": bad}, cost=None, gain=None)])
    assert "nan" not in capsys.readouterr().out.lower()


def perplexing(make, strategy: str, value: float, probes: dict):
    record = make.record(strategy, task="plots", probes=probes)[0]
    score = Score(name="perplexity", value=value, ci_low=value * 0.97, ci_high=value * 1.04, n=48, higher_is_better=False)
    gain = {"base_score": 1300.0, "gain": 1300 - value, "gain_ci_low": 1.0, "gain_ci_high": 2.0}
    return make.changed(record, score=score, metrics={"perplexity": score}, **gain)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 12])
def test_perplexity_fits_in_its_own_unit_with_the_lowest_first(make, capsys, count):
    probes = {f"probe-{n}": ("accuracy", 0.5, 0.4) for n in range(count)}
    make.print_rows([perplexing(make, name, value, probes) for name, value in (("full", 1234.5), ("frozen", 1100.25))])
    printed = capsys.readouterr().out
    first, second = [line for line in printed.splitlines() if "[1" in line]
    assert re.search(r"frozen +1 +1,100\.2 \[1,067\.2, 1,144\.3\] +\+199\.75 ", first) and "+65.500" in second
    assert re.search(r" 81\.5 +3\.21 +100$", first) and re.search(r" 81\.5 +3\.21 +100$", second)
    assert "plots (perplexity over 48 items)" in printed and " perplexity" in printed
    assert all(len(line) <= 100 for line in printed.splitlines())
    assert sum(line.count("+9.4") for line in printed.splitlines()) == 2 * count


def test_best_is_first(make, capsys):
    make.print_rows([make.record(name, accuracy=accuracy)[0] for name, accuracy in (("b", 0.7), ("a", 0.6), ("c", 0.9))])
    assert [line[0] for line in capsys.readouterr().out.splitlines() if "[." in line] == ["c", "b", "a"]


def test_row_of_an_api_beside_rows_with_probes(make, capsys):
    paid = make.record("endpoint", accuracy=0.9, trainable=0, probes={})[0]
    nothing = {"money": 0.0123, "total_parameters": 0, "peak_memory_bytes": 0, "eval_seconds": 3.0}
    paid = make.changed(paid, cost=paid.cost.model_copy(update=nothing))
    make.print_rows([paid, make.record("full")[0]])
    printed = capsys.readouterr().out
    assert re.search(r"^endpoint .*\+35\.0 +– +– +– +– +0 +– +–$", printed, re.MULTILINE)
    assert "endpoint: the API asks 0.0123" in printed
    make.print_rows([paid])
    printed = capsys.readouterr().out
    assert "forgets" not in printed and lines_of(printed, "endpoint ")


def test_run_alone_is_found_among_the_folder_s_other_records(make, out, capsys):
    shown = make.kept(out, [make.mixture(), make.alone()])[:1]
    make.print_rows(shown, out)
    printed = capsys.readouterr().out
    assert lines_of(printed, "multitask: transfer to rte") and "entailment: " not in printed
    make.print_rows(shown)
    assert "transfer" not in capsys.readouterr().out


def test_ranks_stand_beside_the_names(make, out, capsys):
    make.print_rows(make.kept(out, make.suite(3)), out)
    printed = capsys.readouterr().out
    assert re.search(r"^zero-shot +7 \.550", printed, re.MULTILINE) and re.search(r"^full +1-4 \.885", printed, re.MULTILINE)
    assert lines_of(printed, "rank: the places") and lines_of(printed, "Smallest detectable difference: ")
    for probe in ("wikipedia", "lambada", "arc-easy"):
        assert lines_of(printed, f"{probe}: Forgetting ranks: ") and lines_of(printed, f"{probe}: Smallest detectable differe")
    make.print_rows([make.record("full")[0]])
    assert "rank" not in capsys.readouterr().out


def every(run: str, suite: str) -> bool:
    return True


def test_a_folder_s_tables_are_printed_again_as_they_were(make, out, capsys, monkeypatch):
    make.print_rows(make.kept(out, make.suite()), out)
    shown = capsys.readouterr().out
    for _ in range(2):
        assert table.print_results(out, every) and capsys.readouterr().out == shown
        monkeypatch.setattr(summaries, "aggregate", lambda *_: pytest.fail("nothing has changed"))
    monkeypatch.undo()
    monkeypatch.setattr(table, "console", lambda: Console(highlight=False, width=60))
    assert table.print_results(out, every) and capsys.readouterr().out != shown  # another terminal
    assert not table.print_results(out, lambda run, suite: suite == "other")


def test_another_question_is_refused_and_shown_by_leave(make, out, capsys):
    make.kept(out, [make.record("full", engine_version=1), make.record("frozen", engine_version=2)])
    for _ in range(2):
        with pytest.raises(UserError, match="answer different questions"):
            table.print_results(out, every)
        assert table.print_results(out, every, allow_unequal=True)
        assert "not the same question: engine version differs" in capsys.readouterr().out
