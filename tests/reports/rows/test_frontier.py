"""Gain against forgetting, with numbers worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.rows import frontier
from reports.rows.rows import aggregate

# Numbers that differ by less than rounding leaves are level.
NUMBER = st.integers(-(10**6), 10**6).map(lambda millionths: millionths / 1e6)
PLACES = st.lists(st.tuples(NUMBER, NUMBER), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("gain", "forgetting"),
    [
        (0.05, 0.01),  # half way from (0, 0) to (.1, .02)
        (0.1, 0.02),
        (0.15, 0.03),  # half way from (.08, .06) to (.22, 0)
    ],
)
def test_forgetting_where_a_gain_is_first_reached(gain, forgetting):
    places = [(0.0, 0.0), (0.1, 0.02), (0.08, 0.06), (0.22, 0.0)]
    assert frontier.at_gain(places, gain) == pytest.approx(forgetting)


def test_gain_that_is_not_reached_or_is_none(make):
    assert frontier.at_gain([(0.0, 0.0), (0.1, 0.02)], 0.11) is None
    assert frontier.at_gain([], 0.1) is None and frontier.at_gain([(0.0, 0.0), (-0.1, 0.2)], 0.05) is None


def test_path_starts_at_the_untouched_base(make):
    (row,) = aggregate([make.watched("full", [(0.1, 0.02), (0.2, 0.05)])])
    assert frontier.curve_places(row, "lambada") == [(0.0, 0.0), (0.1, 0.02), (0.2, 0.05)]
    assert (
        frontier.curve_places(row, "wikipedia") == []
        and frontier.curve_places(aggregate([make.record("x")[0]])[0], "lambada") == []
    )


def test_path_of_a_base_that_was_rounded_starts_at_what_rounding_lost(make):
    """Planted fault: rounding alone had lost all that the row ever lost, and at half of its gain it was told half of that."""
    pair = make.record(
        "lora-8bit",
        curve=make.curve([(0.1, {"lambada": 0.02}), (0.2, {"lambada": 0.02})]),
        probes={"lambada": ("accuracy", 0.5, 0.48)},
    )
    (row,) = aggregate([make.rounded(pair, "lambada", (0.02, 0.01, 0.03))[0]])
    assert frontier.curve_places(row, "lambada") == [(0.0, 0.02), (0.1, 0.02), (0.2, 0.02)]
    assert frontier.at_gain(frontier.curve_places(row, "lambada"), 0.05) == pytest.approx(0.02)


def test_equal_gain_is_the_smallest_of_the_largest(make):
    found = [
        make.watched("full", [(0.1, 0.02), (0.3, 0.05), (0.25, 0.06)]),
        make.watched("lora", [(0.12, 0.0), (0.2, 0.01)]),
        make.watched("lost", [(-0.3, 0.0), (-0.2, 0.01)]),  # reaches nothing, and does not count
        make.record("unwatched")[0],
    ]
    rows = aggregate(found)
    assert frontier.equal_gain(rows) == pytest.approx(0.2)
    # full from (.1, .02) to (.3, .05) at .2: half way
    reached = [frontier.at_gain(frontier.curve_places(row, "lambada"), 0.2) for row in rows]
    assert reached == [pytest.approx(0.035), pytest.approx(0.01), None, None]
    assert frontier.equal_gain(rows[2:]) is None


def test_curve_of_several_seeds_is_their_mean_at_shared_steps_and_at_their_ends(make):
    one, two = ([(0.1, 0.02), (0.3, 0.05)], [(0.2, 0.04), (0.1, 0.01), (0.4, 0.2)])
    curves = [make.curve([(gain, {"lambada": lost}) for gain, lost in places]) for places in (one, two)]
    (row,) = aggregate([make.record("full", seed, curve=curve, run_id=str(seed))[0] for seed, curve in enumerate(curves)])
    assert [(point.step, point.gain) for point in row.curve] == [(1, pytest.approx(0.15)), (2, pytest.approx(0.35))]
    assert [point.forgetting["lambada"] for point in row.curve] == [pytest.approx(0.03), pytest.approx(0.125)]


@pytest.mark.parametrize(
    ("gain", "expected"),
    [
        ((0.055, 0.03, 0.08), 0.017 / 5.5),  # nats per point
        ((0.055, -0.01, 0.08), None),
        ((0.055, 0.0, 0.08), None),
        ((-0.055, -0.08, -0.03), None),
        ((0.055, None, None), None),
    ],
)
def test_forgetting_per_point_gained(make, gain, expected):
    changes = dict(zip(("gain", "gain_ci_low", "gain_ci_high"), gain, strict=True))
    pair = make.lost(make.record("full", **changes), "wikipedia", (0.017, 0.01, 0.02))
    (row,) = aggregate([pair[0]])
    assert frontier.per_gained(row, "wikipedia") == (None if expected is None else pytest.approx(expected))
    assert frontier.per_gained(row, "unknown") is None


def test_points_of_forgetting_per_point_of_gain(make):
    pair = make.record("full", gain=0.05, gain_ci_low=0.02, gain_ci_high=0.08)
    (row,) = aggregate([make.lost(pair, "lambada", (0.02, 0.01, 0.03))[0]])
    assert frontier.per_gained(row, "lambada") == pytest.approx(0.4)  # 2 points for 5


def test_frontier_by_hand():
    # (gain, forgetting): the second gains less and forgets as much as the first; the fourth is the third again.
    places = [(0.3, 0.1), (0.2, 0.1), (0.1, 0.0), (0.1, 0.0), (0.0, 0.0), (0.4, 0.5), (0.35, 0.6)]
    assert frontier.unbeaten(places) == [0, 2, 3, 5]
    # The untouched base, at (0, 0), beats the first alone.
    assert frontier.unbeaten([(-0.1, 0.0), (-0.1, -0.2), (0.1, 0.2)]) == [1, 2]


@given(PLACES)
def test_frontier_holds_the_extremes_and_is_beaten_by_none(places):
    places = [*places, frontier.BASE]
    best = [places[index] for index in frontier.unbeaten(places)]
    assert max(gain for gain, _ in places) == max(gain for gain, _ in best)
    assert min(lost for _, lost in places) == min(lost for _, lost in best)
    ordered = sorted(set(best))
    assert [lost for _, lost in ordered] == sorted({lost for _, lost in best}) and len(ordered) == len({g for g, _ in ordered})


def test_a_row_that_gains_more_and_forgets_less_is_always_on_the_frontier(make, out):
    better = make.record("better", accuracy=0.9, probes={"wikipedia": ("loss (nats per token)", 3.2, 3.0)})
    worse = make.record("worse", accuracy=0.7, probes={"wikipedia": ("loss (nats per token)", 3.2, 3.6)})
    rows = aggregate(make.kept(out, [better, worse]), out)
    assert frontier.frontier_shares(rows, "wikipedia") == {"better": 1.0, "worse": 0.0}
    assert frontier.frontier_shares(rows, "another") == {}


def test_a_loss_without_an_interval_leaves_no_row_a_share(make, out):
    """Planted fault: a distance from the base was taken for certain, and so put other rows off the frontier."""
    pairs = [make.record("full", accuracy=0.9), make.record("frozen", accuracy=0.7)]
    rows = aggregate(make.kept(out, [pairs[0], make.lost(pairs[1], "wikipedia", (0.05, None, None))]))
    assert frontier.frontier_shares(rows, "wikipedia") == {}
    # The values can be compared all the same: `full` gains more and `frozen` loses less.
    assert {row.label for row in frontier.of_rows(rows, "wikipedia")} == {"full", "frozen"}


def test_shares_do_not_hang_on_the_rows_order(make, out):
    probes = {"wikipedia": ("loss (nats per token)", 3.2, 3.3)}
    scores = {"full": 0.8, "lora": 0.8, "frozen": 0.78}
    made = [make.record(name, accuracy=score, probes=probes) for name, score in scores.items()]
    rows = aggregate(make.kept(out, made), out)
    shares = frontier.frontier_shares(rows, "wikipedia")
    assert frontier.frontier_shares(rows[::-1], "wikipedia") == shares and 0.1 < shares["full"] < 0.9


def test_rounding_puts_no_row_off_the_frontier():
    """.1 + .2 is more than .3 by a last digit."""
    assert frontier.unbeaten([(0.3, 0.1), (0.1 + 0.2, 0.1)]) == [0, 1]
