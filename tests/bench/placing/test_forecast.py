"""Seconds as they were measured, else FLOPs at the rate of what is most alike."""

import pytest

from bench.placing.forecast import Forecast, Predictors

FULL = Predictors("full on sst2", "encoder", lambda: 100.0)
LONG = Predictors("full on squad", "encoder", lambda: 300.0)
OTHER = Predictors("full of a decoder", "decoder", lambda: 900.0)


def test_before_anything_is_done_flops_alone_count():
    forecast = Forecast()
    assert not forecast.knows(FULL) and forecast.seconds(FULL) > 0
    assert forecast.seconds(LONG) == pytest.approx(3 * forecast.seconds(FULL))


def test_a_kind_that_was_done_takes_its_median():
    forecast = Forecast()
    for seconds in (7.0, 9.0, 100.0):
        forecast.learn(FULL, seconds)
    assert forecast.knows(FULL) and forecast.seconds(FULL) == 9.0


def test_another_kind_is_as_fast_as_its_model_else_as_all():
    forecast = Forecast()
    forecast.learn(FULL, 10.0)  # 10 FLOP/s
    assert [forecast.seconds(each) for each in (LONG, OTHER)] == [30.0, 90.0]
    forecast.learn(OTHER, 900.0)  # 1 FLOP/s
    assert forecast.seconds(LONG) == 30.0 and not forecast.knows(LONG)
    assert forecast.seconds(Predictors("unseen", "third", lambda: 11.0)) == pytest.approx(2.0), "the median of 10 and 1 is 5.5"


def test_work_without_flops_tells_no_rate():
    """What a tokenizer that is not here would count: nothing is known of it."""
    forecast, unknown = Forecast(), Predictors("hub", "", lambda: 0.0)
    forecast.learn(unknown, 5.0)
    before = Forecast().seconds(FULL)
    assert forecast.seconds(unknown) == 5.0 and forecast.seconds(FULL) == before
