"""How many items a wished power asks, and what a plan says of it."""

import pytest

from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.planning.probe_items import items_by_power, items_needed
from bench.probes import probe_class
from bench.specs.probe_power import probe_power
from bench.statistics.power import power_of_mean, power_of_share


@pytest.fixture
def needed(library):
    def items(name, text):
        return items_needed(probe_class(library.probe(name)), probe_power(text))

    return items


@pytest.mark.parametrize("name", ["lambada", "arc-easy", "spelling", "triviaqa", "medical-subjects"])
def test_answers_are_counted_in_points(library, needed, name):
    items, kind = needed(name, "5points"), probe_class(library.probe(name))
    assert power_of_share(0.05, kind.discordance, items) >= 0.8
    assert needed(name, ".02nats") is None and needed(name, "10points,.02nats") < items


@pytest.mark.parametrize(("name", "text", "loss"), [("wikipedia", ".02nats", 0.02), ("mrpc", "5points", 0.05)])
def test_losses_and_ranks_are_counted_by_their_spread(library, needed, name, text, loss):
    kind, items = probe_class(library.probe(name)), needed(name, text)
    assert power_of_mean(loss, kind.spread, items) >= 0.8 > power_of_mean(loss, kind.spread, items - 1)


def test_a_distance_has_no_power(needed):
    assert needed("drift", "5points,.02nats") is None


def test_a_probe_that_is_too_small_is_asked_whole_and_says_so(library):
    spec = library.probe("spelling")
    items, told = items_by_power(probe_class(spec), spec, probe_power("1points"))
    assert told and told.startswith("probe 'spelling' would need ") and told.endswith(f", and has {items:,}: all are asked")
    assert len(probe_class(spec)(spec, None, items + 100).rows) == items


def test_a_plan_asks_by_power(decoder_folder):
    def probes(**options):
        (run,) = plan(PlanOptions("sentiment", model=str(decoder_folder), strategies=["full"], **options), "fp32")
        return {spec.name: items for spec, items in run.probes}, run.left_out

    wished, told = probes(probe_power="10points")
    assert wished["lambada"] == wished["arc-easy"] > 64
    assert told == ("probe 'wikipedia' asks its 64 items: the power is in another unit than its numbers",)


def test_the_suite_on_forgetting_asks_by_power(decoder_folder):
    runs = plan(PlanOptions("forgetting", model=str(decoder_folder), strategies=["full"]), "fp32")
    assert all(items > 64 for _, items in runs[0].probes)
