"""The table of what each part of a seed moves, as it is printed."""

from contextlib import redirect_stdout
from io import StringIO

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bench.errors import UserError
from reports.terminal.variance import CAPTION, TOGETHER, print_variance


def lines(capsys, *records):
    print_variance(*records)
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_every_part_is_a_line_with_its_interval_and_its_share(make, capsys):
    order = [make.varied(0.82, "order", 1), make.varied(0.84, "order", 2)]
    ordinary = [make.changed(make.record(seed=seed)[0], run_id=str(seed)) for seed in (0, 1)]
    told = lines(capsys, [make.varied(0.80), make.varied(0.82, seed=1), make.varied(0.84, seed=2), *order], ordinary)
    assert "sentiment: smollm2 on sst2 (accuracy over 200 items)" in told
    (init,) = (line for line in told if line.startswith("full init 3 2.0 [1.0, 12.6] 50 ["))
    assert init.endswith("]") and any(line.startswith("order 3 2.0 [1.0, 12.6] 50 [") for line in told)
    assert "all at once 2 0.0" in told and TOGETHER in told and set(CAPTION) <= set(told)


def test_a_part_that_moves_nothing_says_why(make, capsys):
    drew = ["order"]
    told = lines(capsys, [make.varied(0.80, drew=drew), make.varied(0.82, "order", 1, drew)], [])
    assert "full init 0 (nothing to initialise) 0" in told and "dropout 0 (no dropout) 0" in told
    assert "order 2 1.4 [0.6, 45.1] 100" in told and TOGETHER not in told


def test_runs_without_a_score_are_told(make, capsys):
    failed = make.changed(make.varied(0.8, seed=1), status="failed", reason="the loss is nan", outcome=None)
    told = lines(capsys, [make.varied(0.8), failed], [])
    assert "full init 1 – –" in told and "full: 1 of 2 runs have no score: the loss is nan" in told
    assert lines(capsys, [failed], []) == ["full: 1 of 1 runs have no score: the loss is nan"]


def test_strategies_that_answer_other_items_are_refused(make, capsys):
    """Planted fault: "all runs answer the same items" stood below runs of 32 and of 64."""
    few = make.varied(0.5, strategy="frozen")
    score = few.outcome.score.model_copy(update={"n": 64})
    few = make.changed(few, outcome=few.outcome.model_copy(update={"score": score}))
    with pytest.raises(UserError, match="number of items differs: 64 \\(frozen\\), 200 \\(full\\)"):
        print_variance([make.varied(0.8), few], [])
    print_variance([make.varied(0.8), few], [], allow_unequal=True)
    assert "not the same question: number of items differs" in capsys.readouterr().out


def test_strategies_of_other_budgets_are_marked(make, capsys):
    other = make.changed(make.varied(0.8, strategy="frozen"), budget="64examples")
    (said,) = (line for line in lines(capsys, [make.varied(0.8), other], []) if line.startswith("not the same chance"))
    assert said.startswith("not the same chance: budget differs: 64examples (frozen), ")


def test_runs_that_collapsed_are_told(make, capsys):
    """Planted fault: of seven runs that all answered alike, more seeds were to tell the parts apart."""
    runs = [make.varied(0.47 if seed else 0.53, seed=seed) for seed in range(3)]
    runs = [make.changed(run, outcome=run.outcome.model_copy(update={"collapsed": "one answer"})) for run in runs[:2]] + runs[
        2:
    ]
    told = lines(capsys, runs, [])
    assert "full: 2 of 3 runs collapsed to a constant answer; their scores say nothing of seeds that learn" in told


@given(name=st.text("[]/\\=:#@.ax1", min_size=1, max_size=6))
@example(name="[/x]")
@example(name="[a]")
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_names_are_no_markup(make, name):
    printed = StringIO()
    with redirect_stdout(printed):
        print_variance([make.varied(0.8 + 0.01 * seed, seed=seed, strategy=name) for seed in (0, 1)], [])
    assert any(line.split()[:2] == [name, "init"] for line in printed.getvalue().splitlines())
