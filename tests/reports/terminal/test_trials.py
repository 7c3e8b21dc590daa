"""The trials of a folder as lines of a table."""

from contextlib import redirect_stdout
from io import StringIO

from hypothesis import example, given
from hypothesis import strategies as st

from bench.records.outcome import Score
from bench.records.record import Provenance, Setup
from bench.records.trial import TrialRecord
from reports.terminal.trials import print_trials


def trial(name, score=None, **more):
    setup = Setup(suite="s", model="m", task="t", strategy="full", hyperparameters={}, seed=1000, budget="32examples")
    found = None if score is None else Score(name="accuracy", value=score, ci_low=0, ci_high=1, n=8, share=True)
    given = {"status": "ok", "sampled": {"learning_rate": 1e-4}, "score": found} | more
    return TrialRecord(trial_id=name, setup=setup, provenance=Provenance(versions={}, device={}), **given)


def test_the_best_comes_first_and_what_failed_says_why(capsys):
    print_trials([trial("aa", 0.5), trial("bb", status="failed", reason="the loss is nan"), trial("cc", 0.8)])
    printed = capsys.readouterr().out
    assert "3 trainings of trials" in printed and printed.index("cc") < printed.index("aa") < printed.index("bb")
    assert ".800" in printed and "learning_rate" in printed and "the loss" in printed


@given(st.text("[]/\\=:#@.ax1", min_size=1, max_size=6))
@example("[/x]")
@example("[a]")
def test_names_and_reasons_are_no_markup(name):
    printed = StringIO()
    with redirect_stdout(printed):
        print_trials([trial(name, status="failed", reason=name, sampled={"r": name})])
    assert printed.getvalue().splitlines()[-1].split() == [name, "m", "t", "full", f"r={name}", "1000", "–", "–", "–", name]
