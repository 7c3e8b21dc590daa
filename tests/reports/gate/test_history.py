"""The course of rows over what was accepted."""

from datetime import UTC, datetime

import pytest

from bench.errors import UserError
from reports.gate.accepted import accept
from reports.gate.history import courses


@pytest.fixture
def accepted(sides):
    """Accepts lists of pairs, a day after the other, and gives the folder."""

    def keep(*days):
        for number, pairs in enumerate(days, start=1):
            out = sides.kept(f"out{number}", pairs)
            accept(out, sides.path / "kept", f"c{number}", datetime(2026, 11, number, tzinfo=UTC))
        return sides.path / "kept"

    return keep


def by_title(found):
    return {(course.row.label, course.probe): course for course in found}


def test_a_course_has_a_point_for_each_baseline_and_changes_where_it_fell(sides, accepted):
    folder = accepted(
        *(sides.pairs(full=full, seeds=range(3 * n, 3 * n + 3)) for n, full in enumerate((0.85, 0.85, 0.75, 0.75)))
    )
    found = by_title(courses(folder))
    full = found["full", ""]
    assert full.values == pytest.approx([0.855, 0.855, 0.755, 0.755]) and full.changes == [2]
    assert [each.name for each, _ in full.points] == [f"2026-11-0{n} c{n}" for n in (1, 2, 3, 4)]
    assert found["frozen", ""].changes == [] and found["frozen", "wikipedia"].quantity.unit == "nats per token"
    assert ("zero-shot", "wikipedia") not in found and found["zero-shot", ""].changes == []


def test_a_run_that_was_accepted_twice_tells_once_of_the_noise(sides, accepted):
    """The same six runs thrice: with what they tell, one change of 1.5 points is not more than seeds move."""
    same = sides.pairs()
    once, thrice = accepted(same, sides.pairs(full=0.835)), None
    before = by_title(courses(once))["full", ""].changes
    thrice = accepted(same, same, same, sides.pairs(full=0.835))
    assert before == by_title(courses(thrice))["full", ""].changes == []


def test_baselines_of_another_question_are_left_out(sides, accepted):
    folder = accepted(sides.pairs(budget="64examples"), sides.pairs(), sides.pairs(seeds=(5, 6)))
    full = by_title(courses(folder))["full", ""]
    assert len(full.points) == 2 and full.left_out == 1
    assert len(by_title(courses(folder))["zero-shot", ""].points) == 3


def test_rows_of_one_strategy_have_courses_of_their_own(make, accepted):
    def day(first):
        return [
            make.record("full", first + seed, value, hyperparameters={"learning_rate": rate})
            for rate, value in ((1e-5, 0.7), (2e-5, 0.9))
            for seed in range(2)
        ]

    found = by_title(courses(accepted(day(0), day(2))))
    low, high = (found[f"full (learning_rate={rate})", ""] for rate in (1e-5, 2e-5))
    assert (low.values, high.values) == (pytest.approx([0.7, 0.7]), pytest.approx([0.9, 0.9]))
    assert not low.changes and not high.changes


def test_rows_of_two_searches_that_chose_alike_have_courses_of_their_own(make, accepted):
    found = courses(accepted([make.record("full", seed, inputs={"search": {"seeds": n}}) for n in (1, 2) for seed in range(2)]))
    assert len([course for course in found if not course.probe]) == 2


def test_what_a_comparison_needs_and_a_course_does_not_leaves_nothing_out(make, accepted):
    """An imported score without an interval, and baselines in which more was asked beside the task."""

    def bare(value, probes):
        score = make.record("imported")[0].outcome.score.model_copy(update={"value": value, "ci_low": None, "ci_high": None})
        return make.record("imported", score=score, probes=probes)

    wikipedia = {"wikipedia": ("loss (nats per token)", 3.2, 3.3)}
    more = make.elsewhere(bare(0.7, wikipedia | {"lambada": ("accuracy", 0.45, 0.4)}), "rte", 0.6, 64)
    found = by_title(courses(accepted([more], [bare(0.8, wikipedia)])))
    assert {title: len(course.points) for title, course in found.items()} == {("imported", ""): 2, ("imported", "wikipedia"): 2}
    assert found["imported", ""].values == pytest.approx([0.7, 0.8]) and found["imported", ""].left_out == 0


def test_nothing_accepted_is_an_error(sides, accepted, tmp_path):
    with pytest.raises(UserError, match="nothing was accepted into .*none; `tunebench baseline accept OUT --to"):
        courses(tmp_path / "none")
    with pytest.raises(UserError, match="nothing of suite ner was accepted"):
        courses(accepted(sides.pairs()), "ner")


def test_a_suite_that_got_another_name_has_a_course(sides, accepted):
    """The runs are the same, as no id holds a suite's name."""
    pairs = sides.pairs()
    renamed = [(sides.make.changed(record, suite="renamed"), frame) for record, frame in pairs]
    found = by_title(courses(accepted(pairs, renamed)))
    assert found["full", ""].row.setup.suite == "renamed"


def test_each_suite_has_its_own_newest_baseline(sides, accepted):
    """Planted fault: whichever suite was accepted last hid all others."""
    other = [(sides.make.changed(record, suite="another"), frame) for record, frame in sides.pairs(seeds=(3, 4))]
    found = courses(accepted(sides.pairs(), other))
    assert {course.row.setup.suite for course in found} == {"sentiment", "another"}


@pytest.mark.parametrize("before", [0, 2])
def test_seeds_of_another_budget_say_nothing_of_the_noise(make, accepted, before):
    """A fall of 3 points that seeds hardly reach is found, however far they moved a shorter training."""

    def day(first, middle, apart, **changes):
        return [make.record("full", first + seed, middle + apart * (seed - 1), **changes) for seed in range(3)]

    short = [day(10 * n, 0.7, 0.1, budget="64examples") for n in range(before)]
    long = [day(100 + 10 * n, middle, 0.005) for n, middle in enumerate((0.8, 0.8, 0.77, 0.77))]
    assert by_title(courses(accepted(*short, *long)))["full", ""].changes == [2]


@pytest.mark.parametrize(("fewest", "changes"), [(8, [2]), (2, [])])
def test_the_noise_of_a_point_is_that_of_its_seeds_mean(sides, accepted, fewest, changes):
    """Of eight seeds a mean varies an eighth as much as one does; the point with the fewest counts."""

    def day(first, count, value):
        return [sides.make.record("full", first + seed, value + 0.04 * (seed % 2 - 0.5)) for seed in range(count)]

    days = [day(10 * n, 8 if n else fewest, value) for n, value in enumerate((0.80, 0.80, 0.77, 0.77))]
    assert by_title(courses(accepted(*days)))["full", ""].changes == changes
