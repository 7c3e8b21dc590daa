"""What a comparison comes to: its exit status, what is refused, and what is told."""

import pytest

from bench.statistics.detectable import detectable
from reports.gate.tolerance import Tolerance


def said(found):
    return {(change.difference.row.label, change.difference.title): change.verdict for change in found.changes}


def test_nothing_changed(sides, held):
    found = held(sides.pairs(), sides.pairs())
    assert found.status == 0 and not found.worse and not found.refused and not found.remarks and not found.notes
    assert set(said(found).values()) == {"same"} and len(found.changes) == 9 + 8


def test_a_fall_is_a_regression_and_a_rise_is_none(sides, held):
    fallen = held(sides.pairs(full=0.7), sides.pairs())
    assert fallen.status == 1 and [change.difference.title for change in fallen.worse] == ["score"]
    assert said(fallen)["full", "score"] == "worse" and said(fallen)["frozen", "score"] == "same"


def test_a_seed_that_collapsed_is_told_and_hides_no_fall(sides, held, make):
    """Planted fault: one seed of `full` fell to .5, and the fall of `frozen` by 10 points could not be told any more."""
    old = sides.pairs()
    inputs = old[0][0].provenance.inputs
    scores = {"full": (0.85, 0.855, 0.5), "frozen": (0.7, 0.705, 0.71)}
    new = [make.record(name, seed, score, inputs=inputs) for name, row in scores.items() for seed, score in enumerate(row)]
    new[2] = make.changed(new[2][0], collapsed="one label alone"), new[2][1]
    found = held([*new, old[-1]], old)
    assert found.status == 1 and said(found)["frozen", "score"] == "worse" and said(found)["full", "score"] == "can't tell"
    assert found.notes == ["sentiment: smollm2 on sst2: full: 1 of 3 seeds collapsed, and 0 of 3 before"]


def test_a_seed_that_is_missing_is_told(sides, held):
    old = sides.pairs()
    found = held([pair for pair in old if pair[0].setup.seed < 2], old)
    assert found.notes == [
        f"sentiment: smollm2 on sst2: {name}: without seed 2, which the old one has" for name in ("full", "frozen")
    ]


def test_a_cost_that_is_not_compared_is_told(sides, held, make):
    """Planted fault: memory twice as large, or not known any more, passed without a word."""

    def with_memory(pair, **device):
        record, frame = pair
        cost = record.cost and record.cost.model_copy(update={"peak_memory_bytes": None if not device else 10**12})
        return make.changed(record, cost=cost, device={**record.provenance.device, **device}), frame

    old = sides.pairs()
    lost = held([with_memory(pair) for pair in old], old)
    assert lost.status == 0 and lost.notes == [
        f"sentiment: smollm2 on sst2: {name}: peak memory not compared, as the new side does not know it"
        for name in ("full", "frozen")
    ]
    elsewhere = held([with_memory(pair, name="another") for pair in old], old)
    assert elsewhere.status == 0
    assert elsewhere.notes[-1] == "peak memory not compared where the two sides were made on unlike machines"


def test_a_number_without_an_interval_is_told(sides, held, make):
    """Planted fault: `rte` fell from .9 to .4, and the comparison passed without a word."""

    def bare(pair, share):
        record, frame = pair
        away = make.elsewhere(pair, "rte", share, 64)[0].outcome.elsewhere["rte"]
        score = away.score.model_copy(update={"ci_low": None, "ci_high": None})
        found = make.changed(record, elsewhere={"rte": away.model_copy(update={"score": score})}), frame
        return make.lost(found, "wikipedia", (0.1, None, None)) if record.setup.strategy == "full" else found

    old = sides.pairs()
    found = held([bare(pair, 0.4) for pair in old], [bare(pair, 0.9) for pair in old])
    assert found.status == 0 and {("full", "forgets wikipedia"), ("full", "score on rte")}.isdisjoint(said(found))
    assert found.notes == [f"{name} not compared where it has no interval" for name in ("rte", "wikipedia")]


def test_a_rise_is_better(sides, held):
    found = held(sides.pairs(full=0.97), sides.pairs())
    assert found.status == 0 and said(found)["full", "score"] == "better"


def test_more_forgetting_and_dearer_training_are_regressions(sides, held, make):
    lost = {"wikipedia": ("loss (nats per token)", 3.2, 3.6)}
    little = {"wikipedia": ("loss (nats per token)", 3.2, 3.3)}
    old = [make.record("full", seed, probes=little) for seed in range(3)]
    found = held([make.record("full", seed, probes=lost) for seed in range(3)], old)
    assert found.status == 1 and said(found)["full", "forgets wikipedia"] == "worse"
    cost = old[0][0].cost
    dear = [(make.changed(record, cost=cost.model_copy(update={"train_flops": 2 * cost.train_flops})), f) for record, f in old]
    found = held(dear, old)
    assert [change.difference.title for change in found.worse] == ["training FLOPs"] and found.status == 1


def test_a_change_that_nobody_minds_is_the_same(sides, held, make):
    old = [make.record("full", seed) for seed in range(3)]
    cost = old[0][0].cost
    more = [(make.changed(r, cost=cost.model_copy(update={"train_tokens": int(1.04 * cost.train_tokens)})), f) for r, f in old]
    assert held(more, old).status == 0
    assert held(more, old, Tolerance(percent=1.0)).status == 1


def test_different_questions_are_not_comparable(sides, held):
    found = held(sides.pairs(budget="64examples"), sides.pairs())
    assert found.status == 2 and len(found.refused) == 2
    assert "sentiment: smollm2 on sst2: full: budget: 64examples instead of 512examples" in found.refused
    # The untouched model has no budget, and is compared.
    assert set(said(found)) == {("zero-shot", "score")}


def test_a_regression_beside_what_cannot_be_compared_is_one(sides, held, make):
    new = [*sides.pairs(full=0.6)[:3], *sides.pairs(budget="64examples")[3:6]]
    found = held(new, sides.pairs()[:6])
    assert found.status == 1 and len(found.refused) == 1


def test_one_seed_on_either_side_is_no_ground(sides, held):
    found = held(sides.pairs(seeds=(0,)), sides.pairs(seeds=(1,)))
    assert found.status == 2 and "run it with --seeds 2 or more" in found.refused[0] and len(found.refused) == 2
    # However far a number moved, nothing is said of it by items alone.
    fallen = held(sides.pairs(seeds=(0,), full=0.3), sides.pairs(seeds=(1,)))
    assert fallen.status == 2 and set(said(fallen)) == {("zero-shot", "score")}


def test_a_row_that_is_gone_is_not_passed_over(sides, held):
    found = held(sides.pairs()[3:], sides.pairs())
    assert found.status == 2 and found.refused[0].endswith("full: " + str(sides.path / "new") + " has no such row")
    allowed = held(sides.pairs()[3:], sides.pairs(), allow_missing=True)
    assert allowed.status == 0 and "full" in allowed.remarks[0]


def test_a_row_that_is_new_is_told(sides, held):
    found = held(sides.pairs(), sides.pairs()[3:])
    assert found.status == 0 and "has no such row" in found.remarks[0]


def test_old_runs_in_the_new_folder_hide_no_fall_of_those_made_anew(sides, held):
    """Planted fault: where one folder was kept, `full` fell from .85 to .60 at another rate, and the status was 0."""
    old = sides.pairs()
    fallen = [
        pair for pair in sides.pairs(full=0.6, hyperparameters={"learning_rate": 1e-3}) if pair[0].setup.strategy == "full"
    ]
    found = held([*old, *fallen], old)
    assert found.status == 2 and not found.remarks and len(found.refused) == 1
    assert "full" in found.refused[0] and found.refused[0].endswith("; give new results a folder of their own")
    # In a folder of its own, where the row was done again, another one beside it is a new row.
    again = [(record.model_copy(update={"provenance": later(record)}), items) for record, items in old]
    beside = held([*again, *fallen], old)
    assert beside.status == 0 and len(beside.remarks) == 1


def later(record):
    return record.provenance.model_copy(update={"started": "2026-12-31T00:00:00+00:00"})


FAULT = "loss is not finite"


def fails(make, *seeds):
    return [(make.failed("full", seed, FAULT), None) for seed in seeds]


@pytest.mark.parametrize("whole", [True, False])
def test_a_row_that_fails_now_is_worse_than_any_number(sides, held, make, whole):
    new = [*([] if whole else sides.pairs()[:3]), *fails(make, 9), *sides.pairs()[3:]]
    found = held(new, sides.pairs())
    assert found.status == 1 and found.broken == [f"sentiment: smollm2 on sst2: full (seed 9): failed: {FAULT}"]
    assert not found.refused


@pytest.mark.parametrize("some", [0, 2])
def test_what_failed_before_too_is_no_news(sides, held, make, some):
    side = [*sides.pairs()[:some], *fails(make, 2), *sides.pairs()[3:]]
    found = held(side, side)
    assert found.status == 0 and not found.broken


def test_a_seed_that_failed_before_hides_no_other(sides, held, make):
    new = [*sides.pairs()[:1], *fails(make, 1, 2), *sides.pairs()[3:]]
    found = held(new, [*sides.pairs()[:2], *fails(make, 2), *sides.pairs()[3:]])
    assert found.status == 1 and found.broken == [f"sentiment: smollm2 on sst2: full (seed 1): failed: {FAULT}"]


def test_what_is_counted_and_did_not_change_is_the_same_where_nothing_is_minded(sides, held):
    found = held(sides.pairs(), sides.pairs(), Tolerance(points=0.0, nats=0.0, percent=0.0))
    verdicts = said(found)
    assert verdicts["full", "training FLOPs"] == "same" and verdicts["full", "score"] == "can't tell"


def test_a_row_of_which_nothing_is_left_is_news_though_a_seed_of_it_failed_before(sides, held, make):
    rest = sides.pairs()[3:]
    found = held([*fails(make, 0, 1, 2), *rest], [*sides.pairs()[:2], *fails(make, 2), *rest])
    assert found.status == 1 and found.broken == [f"sentiment: smollm2 on sst2: full (seed 0, 1, 2): failed: {FAULT}"]


@pytest.mark.parametrize(("left", "status"), [("scored", 0), ("failed", 1), ("none", 2)])
def test_a_point_of_a_sweep_that_always_failed_hides_no_other(sides, held, make, left, status):
    def point(rate, scored=True):
        inputs = {"engine": 1, "strategy": "full", "budget": "512examples"}
        fields = {"hyperparameters": {"learning_rate": rate}, "inputs": inputs}
        if scored:
            return [make.record("full", seed, **fields) for seed in range(2)]
        return [(make.failed("full", seed, f"rate {rate}", **fields), None) for seed in range(2)]

    always = [*point(2.0, scored=False), *sides.pairs()[3:]]
    found = held([*([] if left == "none" else point(0.1, left == "scored")), *always], [*point(0.1), *always])
    assert found.status == status
    assert [told.rpartition(": ")[2] for told in found.broken] == (["rate 0.1"] if left == "failed" else [])
    assert [told.rpartition(" has ")[2] for told in found.refused] == (["no such row"] if left == "none" else [])


def test_what_was_changed_is_told(sides, held):
    found = held(sides.pairs(hyperparameters={"learning_rate": 1e-3, "warmup": 0.1}), sides.pairs())
    assert "sentiment: smollm2 on sst2: full: learning_rate 0.001 instead of 2e-05" in found.remarks


def test_a_wide_margin_is_not_a_sameness(sides, held):
    """Few seeds that scatter: nothing is found, and nothing is called the same."""
    new = sides.pairs(seeds=(0, 2), full=0.84)
    assert said(held(new, sides.pairs(seeds=(3, 4, 5)), Tolerance(points=0.1)))["full", "score"] == "can't tell"


def test_nothing_in_common_is_not_comparable(sides, held, make):
    found = held([make.record("full", 0, suite="other")], [make.record("full", 0)])
    assert found.status == 2 and found.changes == []


def test_baselines_before_the_old_side_tell_more_of_the_noise(sides):
    """With two seeds a fall of 3 points can't be told; with what earlier baselines knew of seeds it is found."""
    from reports.gate.compared import compared
    from reports.gate.reading import read_sides

    new, old = sides.kept("new", sides.pairs(seeds=(0, 1), full=0.82)[:2]), sides.kept("old", sides.pairs(seeds=(3, 4))[:2])
    both = read_sides(new, old, None)[:2]
    earlier = [[record for record, _ in sides.pairs(seeds=range(10 + 3 * n, 13 + 3 * n))[:3]] for n in range(4)]
    alone, known = (compared(*both, before, Tolerance(points=0.1)) for before in ([], earlier))
    assert (alone.status, known.status) == (0, 1)
    other = [[record.model_copy(update={"setup": record.setup.model_copy(update={"task": "rte"})}) for record in earlier[0]]]
    assert compared(*both, other, Tolerance(points=0.1)).changes == alone.changes


def test_rows_without_anything_to_compare_are_no_success_where_missing_ones_may_be(sides, held, make):
    found = held([make.record("full", 0, suite="other")], [make.record("full", 0)], allow_missing=True)
    assert found.status == 2 and not found.changes and not found.refused


def test_a_change_among_many_is_found_from_further(sides, held, make):
    """What a line says it finds is corrected for all that are looked at together, as its p is."""
    new, old = make.record("zero-shot", 0, 0.62, trainable=0), make.record("zero-shot", 0, 0.7, trainable=0)
    rest = sides.pairs()[:6]
    alone, beside = (
        next(change for change in found.changes if change.difference.row.label == "zero-shot")
        for found in (held([new], [old]), held([new, *rest], [old, *rest]))
    )
    assert alone.p < beside.p and alone.detectable.value < beside.detectable.value


def test_a_fall_from_a_low_share_is_found_sooner_than_a_rise(held, make):
    """The lower a share below one half, the less its answers vary: what is told is of a fall."""
    new, old = make.record("zero-shot", 0, 0.2, trainable=0), make.record("zero-shot", 0, 0.3, trainable=0)
    (change,) = held([new], [old]).changes
    found = change.difference
    rise = detectable(found.margin, 1, found.accuracy, found.within)
    assert found.accuracy == pytest.approx(0.3) and change.detectable.value < 0.98 * rise.value
