"""The table of what each part of a seed moves, as it is printed."""

from contextlib import redirect_stdout
from io import StringIO

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

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


@given(name=st.text("[]/\\=:#@.ax1", min_size=1, max_size=6))
@example(name="[/x]")
@example(name="[a]")
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_names_are_no_markup(make, name):
    printed = StringIO()
    with redirect_stdout(printed):
        print_variance([make.varied(0.8 + 0.01 * seed, seed=seed, strategy=name) for seed in (0, 1)], [])
    assert any(line.split()[:2] == [name, "init"] for line in printed.getvalue().splitlines())
