"""What is measured between two rows, against numbers by hand."""

import math

import pytest
from scipy.stats import ttest_ind

from reports.claims import contrasts
from reports.rows.equal_cost import HELD, SPENT
from reports.rows.row import Row
from reports.rows.transfer import Transfer


def test_ratios_of_costs(rows):
    full, adapter = rows(("full", 0.8, {}), ("lora-8bit", 0.8, {"cost": {"train_seconds": 40}}))
    (found,) = contrasts.cost_below(adapter, full, [full, adapter], SPENT["training"])
    assert found.lead == pytest.approx(math.log(80.5 / 40)) and found.measured.startswith("0.497 [")
    (counted,) = contrasts.count_below(adapter, [full, full], HELD["saved"])
    assert (counted.measured, counted.margin) == ("0.500", None) and counted.lead == pytest.approx(math.log(2))


def test_one_seed_does_not_say_how_far_chance_moves_a_cost(rows):
    full, adapter = rows(("full", 0.8, {"seeds": 1}), ("lora-8bit", 0.8, {"seeds": 1, "cost": {"train_seconds": 1}}))
    (found,) = contrasts.cost_below(adapter, full, [full, adapter], SPENT["training"])
    assert found.p == 1 and found.smallest(1) is None


def test_nine_tenths_of_a_gain(rows):
    full, frozen = rows(("full", 0.85, {}), ("frozen", 0.80, {}))
    (found,) = contrasts.gain_kept(frozen, full)
    assert found.lead == pytest.approx(frozen.over_best.value - 0.9 * full.over_best.value)
    low, high = (float(end) for end in found.measured.partition("[")[2].partition("]")[0].split(", "))
    half = float(found.margin.half_width())
    assert (low, high) == pytest.approx((100 * (found.lead - half), 100 * (found.lead + half)), abs=0.051)


@pytest.mark.parametrize("right", [0.4, 0.5])
def test_of_a_row_that_gains_nothing_the_whole_is_reached(rows, right):
    """Nine tenths of a loss are a smaller loss, which who loses as much would not reach."""
    full, frozen = rows(("full", 0.485, {}), ("frozen", right, {}))
    assert full.over_best.value < 0
    (found,) = contrasts.gain_kept(frozen, full)
    assert found.lead == pytest.approx(frozen.score.value - full.score.value)
    assert found.rows.endswith(": full gains nothing") and found.measured.endswith(" points beyond it")


def test_at_equal_gain_it_is_students_test_over_seeds(rows, make):
    """Of losses .1, .2 and .3 against .2, .4 and .6, each halfway to the end of its curve."""

    def curves(strategy, losses):
        made = [(strategy, 0.8, {"seeds": 1, "curve": make.curve([(0.2, {"wikipedia": 2 * value})])}) for value in losses]
        return made

    full = [rows(each)[0] for each in curves("full", (0.2, 0.4, 0.6))]
    adapter = [rows(each)[0] for each in curves("lora-8bit", (0.1, 0.2, 0.3))]
    low = make.changed(adapter[0].records[0], curve=make.curve([(0.1, {"wikipedia": 0.1})]))  # reaches half as much
    joined = [Row(tuple(r for row in part for r in row.records), forgetting=part[0].forgetting) for part in (full, adapter)]
    joined[1] = Row((low, *joined[1].records[1:]), forgetting=adapter[0].forgetting)
    (found,) = contrasts.less_lost_at_equal_gain(joined[1], joined[0])
    assert found.lead == pytest.approx(0.2)
    assert found.p == pytest.approx(ttest_ind([0.2, 0.4, 0.6], [0.1, 0.2, 0.3]).pvalue, rel=1e-6)


@pytest.mark.parametrize(
    ("other", "compared"),
    [
        ({}, 1),
        ({"inputs": {"probes": [[{"name": "wikipedia", "source": "others"}, 64]]}}, 0),
        ({"probes": {"wikipedia": ("accuracy", 0.5, 0.4)}}, 0),
    ],
)
def test_probes_of_one_name_that_ask_something_else_are_not_compared(rows, make, other, compared):
    """Planted fault: at equal gain, nats of one row stood against points of the other."""
    asked = {
        "inputs": {"probes": [[{"name": "wikipedia", "source": "these"}, 64]]},
        "probes": {"wikipedia": ("loss (nats per token)", 3.2, 3.3)},
        "curve": make.curve([(0.2, {"wikipedia": 0.1})]),
    }
    full, adapter = rows(("full", 0.8, asked), ("lora-8bit", 0.8, asked | other))
    for contrast in (contrasts.less_lost, contrasts.less_lost_at_equal_gain):
        assert len(list(contrast(adapter, full))) == compared


def test_at_equal_gain_rows_that_were_asked_in_other_words_are_held_against_one_base(rows, make):
    """On validation items the base has .55 in the words of `full`, and .35 in those of the adapter, which rises by .4 to .75:
    over the best base by .2. Planted fault: it was read where it had risen by .2 from its own."""
    full = {"curve": make.curve([(0.2, {"wikipedia": 0.1})])}
    path = [point.model_copy(update={"score": 0.35 + point.gain}) for point in make.curve([(0.4, {"wikipedia": 0.4})])]
    found = rows(("full", 0.8, full), ("lora-8bit", 0.8, {"curve": path, "base_score": 0.3}))
    (evidence,) = contrasts.less_lost_at_equal_gain(found[1], found[0])
    assert evidence.lead == pytest.approx(0.1 - 0.4) and "wikipedia at +20.0 points gained" in evidence.rows


def test_slack_moves_the_bound_and_not_the_number(rows):
    (row,) = rows(("full", 0.8, {}))
    alone = row.records[:1]  # of the mixture's two seeds one alone has such a run
    transfer = Transfer("rte", row.quantity, 0.6, 0.5, row.gain * 0.1, 100, "instruction", "entailment", alone, False)
    plain, slack = (contrasts.risen(row, transfer, by) for by in (0.0, 0.02))
    told = "full against instruction alone, on rte (512examples, 1 seed), turned round: positive is better"
    assert plain.rows == slack.rows == told
    assert plain.measured == slack.measured and slack.lead == pytest.approx(plain.lead + 0.02)
