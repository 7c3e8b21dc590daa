"""A sweep's tables: which number stands where, what is marked, and what the caption says."""

import pytest

from bench.errors import UserError
from reports.paper.ablation import SWEPT, Entry, Grid, Sweep, ablations, grid, transposed
from reports.rows.captions import NO_SEED

LOSS = {"wikipedia": ("loss (nats per token)", 3.2, 3.3)}


def trained(make, out, rank, seed=0, accuracy=0.8, rate=1e-4, **changes):
    given = {"peft": {"r": rank}, "learning_rate": rate}
    return make.kept(out, [make.record("lora-8bit", seed, accuracy, LOSS, hyperparameters=given, **changes)])[0]


@pytest.fixture
def sweep(make, out):
    accuracies = {"2": (0.6, 0.61), "8": (0.92, 0.88), "32": (0.88, 0.91)}
    return Sweep(
        ("peft.r",),
        {
            (rank,): [trained(make, out, int(rank), seed, right) for seed, right in enumerate(each)]
            for rank, each in accuracies.items()
        },
    )


def test_lines_are_in_the_order_of_the_values_and_the_best_and_its_ties_are_marked(sweep, out):
    (ablation,) = ablations(sweep, out, ["score", "saved_bytes"])
    table = grid(ablation)
    assert table.corner == ("peft.r",) and table.headers == ["accuracy [95 %]", "saved (B)"]
    assert [names for names, _ in table.lines] == [("2",), ("8",), ("32",)]
    scores = [entries[0] for _, entries in table.lines]
    means = [row.score.value for row in ablation.rows.values()]
    assert [float(entry.text) for entry in scores] == pytest.approx(means, abs=0.0005)
    assert all(entry.interval.startswith("[.") for entry in scores)
    assert not scores[0].best and not scores[0].tied
    assert [entry.best for entry in scores].count(True) == 1 and scores[1].best + scores[1].tied == 1
    assert scores[2].best + scores[2].tied == 1


def test_the_caption_states_seeds_budget_items_and_test(sweep, out):
    (ablation,) = ablations(sweep, out, ["score", "forgetting"])
    told = " ".join(ablation.caption)
    assert told.startswith("peft.r of lora-8bit: smollm2 on sst2, suite sentiment. Seeds: 0, 1. Budget: 512examples.")
    items = ablation.scored[0].outcome.score.n
    assert f"Accuracy over {items} items; probes: wikipedia over 64 items." in told
    assert "Bold: best." in told and "paired over items, Holm over all 3 pairs of a column" in told
    assert "Smallest detectable difference" in told and "differs" not in told


def test_the_caption_says_how_small_a_difference_each_column_shows(sweep, out):
    """Score and gain have one standing, of which it is told once."""

    def told(*columns):
        (ablation,) = ablations(sweep, out, columns)
        return [each.partition("Smallest")[0] for each in ablation.caption if "Smallest detectable difference: " in each]

    assert told("score", "gain", "forgetting") == ["", "forgets wikipedia: "]
    assert told("gain", "score") == told("gain") == ["gain: "]
    assert told("forgetting", "saved_bytes") == ["forgets wikipedia: "] and told("saved_bytes") == []


def test_pairs_without_shared_answers_are_counted_once_however_many_columns(sweep):
    (ablation,) = ablations(sweep, None, ["score", "gain"])
    (told,) = (each for each in ablation.caption if each.startswith("Bold"))
    assert "paired over items but for 3 pairs without shared answers" in told


def test_a_swept_budget_is_not_held_against_the_table_and_another_is(make, out):
    def points(**changes):
        return {(size,): [trained(make, out, 8, budget=size, inputs={"budget": size}, **changes)] for size in ("64", "512")}

    (ablation,) = ablations(Sweep(("budget",), points()), out, ["score"])
    assert "budget differs" not in " ".join(ablation.caption) and "Budget: 64 or 512." in " ".join(ablation.caption)
    (other,) = ablations(Sweep(("peft.r",), points()), out, ["score"])
    assert "Not the same chance: budget differs" in " ".join(other.caption)


def test_a_sweep_of_rows_without_seeds_speaks_of_none(make, out):
    """Planted fault: of an untouched model at two lengths it was said that another seed might differ."""
    points = {
        (length,): make.kept(out, [make.record("zero-shot", 0, right, trainable=0, inputs={"max_length": int(length)})])
        for length, right in (("128", 0.6), ("256", 0.7))
    }
    (ablation,) = ablations(Sweep(("max_length",), points), out, ["score"])
    assert "Seeds: none. Budget: none." in " ".join(ablation.caption)
    assert NO_SEED in ablation.caption and not any("nother seed" in sentence for sentence in ablation.caption)


def test_two_axes_and_one_column_are_a_grid_and_several_columns_a_list(make, out):
    points = {(rank, rate): [trained(make, out, int(rank), rate=float(rate))] for rank in "24" for rate in ("1e-4", "1e-3")}
    sweep = Sweep(("peft.r", "learning_rate"), points)
    table = grid(ablations(sweep, out, ["score"])[0])
    assert table.corner == ("peft.r",) and table.headers == ["learning_rate=1e-4", "learning_rate=1e-3"]
    assert [(names, len(entries)) for names, entries in table.lines] == [(["2"], 2), (["4"], 2)]
    wide = grid(ablations(sweep, out, ["score", "gain"])[0])
    assert [names for names, _ in wide.lines] == list(points) and wide.corner == ("peft.r", "learning_rate")


def test_what_failed_or_is_missing_leaves_a_dash_and_a_reason(make, out, sweep):
    failed = make.failed("lora-8bit", reason="out of memory", hyperparameters={"peft": {"r": 64}})
    whole = Sweep(sweep.axes, {**sweep.points, ("64",): [failed], ("128",): []}, ["128 (seed 0)"])
    (ablation,) = ablations(whole, out, ["score"])
    assert [entries for names, entries in grid(ablation).lines if names in (("64",), ("128",))] == [[Entry("–")]] * 2
    told = " ".join(ablation.caption)
    assert "failed: out of memory." in told and "Not run yet: 128 (seed 0)." in told


def test_nothing_to_show_is_an_error_that_says_why(make, out):
    with pytest.raises(UserError, match="2 .seed 0.*without --no-run"):
        ablations(Sweep(("peft.r",), {("2",): []}, ["2 (seed 0)"]), out, ["score"])
    with pytest.raises(UserError, match="no GPU"):
        ablations(Sweep(("peft.r",), {("2",): [make.failed("lora-8bit", reason="no GPU")]}), out, ["score"])


def test_transposing_turns_columns_into_lines():
    one, two, three, four = map(Entry, "1234")
    table = transposed(
        Grid(["r", "rate"], ["score", "gain"], ["score", "gain"], [(["2", "a"], [one, two]), (["4", "b"], [three, four])])
    )
    assert table == Grid(["r, rate"], ["2, a", "4, b"], [SWEPT] * 2, [(["score"], [one, three]), (["gain"], [two, four])])
