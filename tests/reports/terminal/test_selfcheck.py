"""`tunebench selfcheck`: the bars line by line, and an exit status of 1 where one fails."""

from pathlib import Path

import numpy as np
import pytest

from bench import cli
from bench.errors import UserError
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.progress import Progress
from bench.records import store
from bench.running.assignments import Workplace
from bench.running.execution import execute
from bench.statistics import bars
from reports.rows.captions import smallest_found
from reports.rows.rows import aggregate
from reports.rows.simulation_inputs import likeness_of
from reports.rows.standing import forgetting_standing, score_standing
from reports.terminal.selfcheck import check

ACCEPTED = Path(__file__).parents[3] / ".ci" / "accepted"
TRAINED = """
name: trained
version: 1
description: three rows that train, of three seeds each, and one that does not
models: [tiny-bert]
tasks: [sst2]
strategies: [zero-shot, full, frozen, lora-32bit]
hyperparameters:
  full: {learning_rate: 5.0e-4}
  frozen: {learning_rate: 5.0e-4}
  lora-32bit: {learning_rate: 5.0e-3}
seeds: 3
budget: 2048examples
batch: 16
max_length: 64
"""


def suite(make, seeds: int = 2):
    return [
        make.record(name, seed, share + 0.04 * seed)
        for name, share in (("full", 0.85), ("frozen", 0.8))
        for seed in range(seeds)
    ]


def left_with(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    return left.value.code


def test_bars_are_printed_with_their_figures(make, out, capsys):
    make.kept(out, suite(make))
    assert left_with(["selfcheck", "--suite", "sentiment", "--out", str(out), "--tables", "2000"]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("sentiment: smollm2 on sst2: 2 rows, 2 seeds (SD ") and first.endswith(
        "2,000 simulated tables, 500 comparisons"
    )
    assert lines[0].startswith("ok   A/A, 2 seeds: a winner between two names of one strategy: 0.0")
    assert lines[-1] == "11 of 11 bars hold"


def test_what_is_planted_is_what_the_caption_prints(make, out, capsys):
    """Rows that train nothing are among the caption's pairs, though none of them is simulated."""
    untrained = [make.record("zero-shot", trainable=0), make.record("few-shot", trainable=0, accuracy=0.6)]
    records = make.kept(out, [*suite(make, 3), *untrained])
    (caption, *_) = smallest_found(score_standing(aggregate(records, out)))
    assert caption.endswith("Holm over all 6 pairs.")
    printed = caption.removeprefix("Smallest detectable difference: ").partition(" points")[0]
    check(aggregate(records, out), out, 100, 0)
    said = capsys.readouterr().out
    assert f"planted: {printed} points, the smallest detectable difference that is printed, found: " in said
    # With other seeds the caption would print another.
    check(aggregate(records, out), out, 100, 0, seeds=5)
    said = capsys.readouterr().out
    assert "the smallest detectable difference of such tables, found: " in said and f"planted: {printed} points" not in said


def test_bars_of_entities_are_printed(make, out, capsys):
    records = make.kept(out, [make.entities(name, seed) for name in ("full", "frozen") for seed in range(3)])
    (caption, *_) = smallest_found(score_standing(aggregate(records, out)))
    printed = caption.removeprefix("Smallest detectable difference: ").partition(" points")[0]
    assert check(aggregate(records, out), out, 1000, 0)
    first, *_, last = (said := capsys.readouterr().out).splitlines()
    assert first.startswith("sentiment: smollm2 on sst2: 2 rows, 3 seeds (SD ") and last == "11 of 11 bars hold"
    assert f"planted: {printed} points, the smallest detectable difference that is printed, found: " in said


def test_bars_of_what_probes_lost_are_printed_where_they_are_asked_for(make, out, capsys):
    records = make.kept(out, [make.ranking(name, seed) for name in ("full", "frozen") for seed in range(3)])
    (caption, *_) = smallest_found(forgetting_standing(aggregate(records, out), "mrpc"))
    printed = caption.removeprefix("Smallest detectable difference: ").partition(" points")[0]
    check(aggregate(records, out), out, 100, 0)
    assert "mrpc" not in capsys.readouterr().out
    assert left_with(["selfcheck", "--out", str(out), "--probes"]) == 0
    said = capsys.readouterr().out
    assert "sentiment: smollm2 on sst2: forgets mrpc: 2 rows, 3 seeds (SD " in said and "120 items, 2,000 simulated" in said
    of_probe = said.partition("forgets mrpc")[2]
    assert f"planted: {printed} points, the smallest detectable difference that is printed, found: " in of_probe
    assert of_probe.count("\nok ") >= 10 and "of 22 bars hold" in of_probe


def test_margins_of_a_comparison_are_those_of_the_score_s_unit(make, out, capsys):
    """Two points of a share, and five hundredths of what runs from 0 to 100."""

    def written(name, seed):
        record, frame = make.record(name, seed)
        task = frame["kind"] == "task"
        frame.loc[task, ["gold", "before"]] = ['["a b c d e f"]', "a b c d"]
        frame.loc[task, "prediction"] = np.where(frame.loc[task, "prediction"] == "positive", "a b c d e f", "a b c d f e")
        score = record.outcome.score.model_copy(update={"name": "chrf", "value": 60.0, "share": False})
        return make.changed(record, score=score, metrics={"chrf": score}), frame

    check(aggregate(make.kept(out, suite(make)), out), out, 100, 0)
    assert "compare: changed by 2.0 points, the same" in capsys.readouterr().out
    records = make.kept(out / "written", [written(name, seed) for name in ("full", "frozen") for seed in range(2)])
    truth = float(likeness_of(aggregate(records, out / "written"), out / "written").truths.mean())
    check(aggregate(records, out / "written"), out / "written", 100, 0)
    assert f"compare: changed by {5 * truth:.1f} points, the same" in capsys.readouterr().out


def test_a_bar_that_fails_is_exit_status_1(make, out, capsys, monkeypatch):
    make.kept(out, suite(make))
    monkeypatch.setattr(bars, "LEVEL", 0.5)
    assert left_with(["selfcheck", "--out", str(out)]) == 1
    printed = capsys.readouterr().out
    assert "FAIL A/A, 2 seeds" in printed and "of 11 bars hold" in printed


def test_what_cannot_be_checked_is_said(make, out, capsys):
    alone = make.record("full", suite="other")
    check(aggregate(make.kept(out, [*suite(make), alone]), out), out, 100, 0)
    assert "not checked: other: smollm2 on sst2: nothing is known of seeds" in capsys.readouterr().out
    with pytest.raises(UserError, match="nothing can be checked; other: .* --seeds 2 or more"):
        check(aggregate([alone[0]], out), out, 100, 0)


@pytest.mark.slow
def test_bars_hold_in_tables_drawn_from_ten_real_seeds_of_one_row(capsys):
    """What tunebench's own CI accepted: MiniLM's answers to 872 reviews."""
    (folder,) = ACCEPTED.iterdir()
    check(aggregate(store.read_all(folder), folder), folder, 2000, 0)
    first, *bars, _ = capsys.readouterr().out.splitlines()
    assert first.startswith("gate: minilm on sst2: 1 rows, 10 seeds")
    assert len(bars) == 10 and [bar for bar in bars if not bar.startswith("ok ")] == []


@pytest.mark.slow
def test_bars_hold_in_tables_drawn_from_real_answers_of_several_rows(tmp_path, device, own_cache, capsys):
    """A suite that is trained for this. What its caption prints is planted, zero-shot's pairs among those looked at."""
    (tmp_path / "trained.yaml").write_text(TRAINED)
    runs = plan(PlanOptions(str(tmp_path / "trained.yaml")), "fp32")
    records = execute(runs, Workplace(tmp_path / "out", device, Progress(False, len(runs))))
    (caption, *_) = smallest_found(score_standing(aggregate(records, tmp_path / "out")))
    assert caption.endswith("Holm over all 6 pairs.")
    capsys.readouterr()
    check(aggregate(records, tmp_path / "out"), tmp_path / "out", 2000, 0)
    first, *bars, _ = capsys.readouterr().out.splitlines()
    assert first.startswith("trained: tiny-bert on sst2: 3 rows, 3 seeds") and "872 items" in first
    assert len(bars) == 11 and [bar for bar in bars if not bar.startswith("ok ")] == []
    printed = caption.removeprefix("Smallest detectable difference: ").partition(" points")[0]
    assert any(f"planted: {printed} points, the smallest detectable difference that is printed, found: " in bar for bar in bars)
