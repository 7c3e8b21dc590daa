"""Each claim on rows of which it is known whether it holds."""

from dataclasses import replace

import pytest

from bench.records.record import Tuning
from reports.claims import claims, rules
from reports.rows.rows import aggregate

ADAPTER = {"rate": 1e-3}
FEW = {"budget": "128examples", "cost": {"train_examples": 128}}
PEFT = {"peft_type": "LORA", "r": 8}


def test_each_claim_has_a_rule():
    named = {name for name in vars(rules) if name in claims.all_claims()}
    assert named == set(claims.all_claims())


@pytest.mark.parametrize(("share", "told"), [(0.5, "holds"), (2.0, "does not hold"), (1.0001, "can't tell")])
@pytest.mark.parametrize(("name", "field"), [("less_memory", "peak_memory_bytes"), ("faster", "train_seconds")])
def test_a_cost_that_chance_moves(verdict, name, field, share, told):
    base = {"peak_memory_bytes": 3_000_000, "train_seconds": 80}[field]
    found = verdict(name, ("full", 0.8, {}), ("lora-8bit", 0.8, ADAPTER | {"cost": {field: round(base * share)}}))
    assert found.verdict == told and len(found.parts) == 1


@pytest.mark.parametrize("name", ["less_memory", "faster"])
def test_a_cost_of_another_machine_says_nothing(verdict, name):
    other = {
        "device": {"type": "cuda", "name": "another", "processes": 1},
        "cost": {"train_seconds": 10, "peak_memory_bytes": 10},
    }
    assert verdict(name, ("full", 0.8, {}), ("lora-8bit", 0.8, ADAPTER | other)).parts == []


def test_time_is_compared_for_the_same_examples(verdict):
    """Planted fault: of a budget in seconds, which both rows spend, it was told that adapters don't train faster."""
    timed = {"budget": "90s", "cost": {"train_examples": 900, "train_seconds": 95}}
    assert verdict("faster", ("full", 0.8, {"budget": "90s"}), ("lora-8bit", 0.8, ADAPTER | timed)).parts == []


@pytest.mark.parametrize("rule", [rules.less_memory, rules.faster])
def test_a_row_whose_seeds_ran_on_two_machines_is_compared_in_no_such_cost(rows, make, rule):
    """Its first seed alone ran where the other row did."""
    full, adapter = rows(("full", 0.8, {}), ("lora-8bit", 0.8, ADAPTER | {"cost": {"train_seconds": 10}}))
    assert len(list(rule([full, adapter]))) == 1
    moved = make.changed(adapter.records[1], device={"type": "cpu", "name": "another"})
    assert not list(rule([full, replace(adapter, records=(adapter.records[0], moved))]))


@pytest.mark.parametrize(("saved", "told"), [(40, "holds"), (8000, "does not hold")])
def test_a_count_needs_no_chance(verdict, saved, told):
    found = verdict("smaller", ("full", 0.8, {}), ("lora-8bit", 0.8, ADAPTER | {"cost": {"saved_bytes": saved}}))
    assert found.verdict == told and found.parts[0].smallest is None


def test_knowledge_at_the_same_rate(verdict):
    kept = {"wikipedia": ("loss (nats per token)", 3.2, 3.2)}
    lost = {"wikipedia": ("loss (nats per token)", 3.2, 3.5)}
    found = verdict("keeps_at_same_rate", ("full", 0.8, {"probes": lost}), ("lora-slow", 0.8, {"probes": kept}))
    assert found.verdict == "holds"
    turned = verdict("keeps_at_same_rate", ("full", 0.8, {"probes": kept}), ("lora-slow", 0.8, {"probes": lost}))
    assert turned.verdict == "does not hold"
    other_rate = verdict("keeps_at_same_rate", ("full", 0.8, {"probes": lost}), ("lora-slow", 0.8, {"probes": kept} | ADAPTER))
    assert other_rate.verdict is None


def test_knowledge_at_the_same_gain(verdict, make):
    """At a gain of .1 full training has lost .2, and the adapter .05; at the end the adapter has lost more."""
    full = {"curve": make.curve([(0.1, {"wikipedia": 0.2})])}
    adapter = {"curve": make.curve([(0.1, {"wikipedia": 0.05}), (0.2, {"wikipedia": 0.9})])}
    found = verdict("keeps_at_same_gain", ("full", 0.8, full), ("lora-8bit", 0.8, ADAPTER | adapter))
    (part,) = found.parts
    assert part.evidence.lead == pytest.approx(0.15) and found.verdict == "holds"
    assert "wikipedia at +10.0 points gained" in part.evidence.rows
    assert verdict("keeps_at_same_gain", ("full", 0.8, {}), ("lora-8bit", 0.8, ADAPTER)).parts == []


@pytest.mark.parametrize(
    ("name", "strategy", "more"), [("little_data", "lora-8bit", ADAPTER), ("fewer_labels", "instruction", {})]
)
def test_little_data(verdict, name, strategy, more):
    """Behind with much data, ahead with little."""
    wanted = [("full", 0.9, {}), (strategy, 0.7, more), ("full", 0.6, FEW), (strategy, 0.9, more | FEW)]
    found = verdict(name, *wanted)
    assert found.verdict == "holds" and len(found.parts) == 1 and "128examples" in found.parts[0].evidence.rows
    assert verdict(name, *wanted[:2]).parts == []  # without more data elsewhere, this is no little data


def test_out_of_domain(verdict):
    found = verdict(
        "out_of_domain", ("full", 0.9, {"away": {"tweets": 0.6}}), ("lora-8bit", 0.7, ADAPTER | {"away": {"tweets": 0.9}})
    )
    assert found.verdict == "holds" and found.parts[0].evidence.rows.endswith("on tweets")


def test_a_domain_of_which_other_items_were_asked_says_nothing(rows):
    full, adapter = rows(("full", 0.9, {"away": {"tweets": 0.6}}), ("lora-8bit", 0.7, ADAPTER | {"away": {"tweets": 0.9}}))
    assert len(list(rules.out_of_domain([full, adapter]))) == 1
    fewer = replace(full, elsewhere={"tweets": replace(full.elsewhere["tweets"], items=64)})
    assert not list(rules.out_of_domain([fewer, adapter]))


@pytest.mark.parametrize(("accuracy", "told"), [(0.9, "holds"), (0.6, "does not hold")])
@pytest.mark.parametrize(("name", "strategy"), [("freezing_suffices", "frozen"), ("prompting_suffices", "zero-shot")])
def test_most_of_the_gain(verdict, name, strategy, accuracy, told):
    found = verdict(name, ("full", 0.9, {}), (strategy, accuracy, {"trainable": 0} if strategy == "zero-shot" else {}))
    assert found.verdict == told


@pytest.mark.parametrize(("accuracy", "told"), [(0.55, "holds"), (0.2, "does not hold")])
@pytest.mark.parametrize(("name", "strategy"), [("freezing_suffices", "frozen"), ("prompting_suffices", "zero-shot")])
def test_where_full_training_hurts(verdict, name, strategy, accuracy, told):
    """The base in its best words scores .55."""
    found = verdict(name, ("full", 0.4, {}), (strategy, accuracy, {"trainable": 0} if strategy == "zero-shot" else {}))
    assert found.verdict == told and len(found.parts) == 1


def test_several_tasks(make, out):
    """The mixture costs a half of the two runs alone; on rte it is better than the run alone, on its own task worse."""

    def inputs(name):
        return {"inputs": {"strategy": name, "budget": "512examples", "engine": 1}}

    rte = [make.alone(seed=seed, accuracy=0.6, **inputs("Instruction")) for seed in range(2)]
    sst2 = [make.record("instruction", seed, 0.9, inputs=own(inputs)) for seed in range(2)]
    mixed = [make.mixture(seed, 0.9, 150, **inputs("Mixture")) for seed in range(2)]
    (found,) = claims.tested(aggregate(make.kept(out, [*rte, *sst2, *mixed]), out)).values()
    cheaper, transfers = (next(c for c in found if c.name == name) for name in ("multitask_cheaper", "multitask_transfers"))
    cost, *_ = cheaper.parts
    assert cost.evidence.measured == "0.500"
    assert [part.verdict for part in cheaper.parts] == ["holds", "does not hold", "holds"]
    assert [part.verdict for part in transfers.parts] == ["does not hold", "holds"]


def test_a_tuned_mixture_is_held_against_no_untuned_run(make, out):
    """Planted fault: that training on several tasks helps was told of a mixture that four trials had chosen the rate of."""

    def parts(place, **mixture):
        alone = [make.alone(seed=seed, inputs={"strategy": "Instruction"}) for seed in range(2)]
        mixed = [make.mixture(seed, 0.9, 150, inputs={"strategy": "Mixture"}, **mixture) for seed in range(2)]
        (found,) = claims.tested(aggregate(make.kept(out / place, [*alone, *mixed]), out / place)).values()
        return next(each.parts for each in found if each.name == "multitask_transfers")

    assert len(parts("alike")) == 1 and parts("tuned", tuning=Tuning(trials=4)) == []


def own(inputs):
    shared = {"model": "ab" * 32, "precision": "fp32", "batch": 16, "max_length": 256}
    return shared | {"task": {"name": "sst2", "version": 1, "train": {"sha256": "cd" * 32}}} | inputs("Instruction")["inputs"]


@pytest.mark.parametrize(("held", "told"), [(1000, "holds"), (2000, "holds"), (2100, "does not hold")])
def test_half_the_weights(verdict, held, told):
    whole = ADAPTER | {"hyperparameters": {"bits": 32, "peft": PEFT}}
    eight = ADAPTER | {"hyperparameters": {"bits": 8, "peft": PEFT}, "cost": {"weight_bytes": held}}
    assert verdict("half_the_weights", ("lora-32bit", 0.8, whole), ("lora-8bit", 0.8, eight)).verdict == told


@pytest.mark.parametrize(("rate", "counted"), [(1e-3, "lora-8bit"), (5e-4, "lora-slow")])
def test_an_adapters_weights_are_counted_once_whatever_its_rates(verdict, rate, counted):
    """Planted fault: two rates of one adapter were two comparisons of the same bytes. Counted is that at the other's rate."""
    whole = ADAPTER | {"hyperparameters": {"bits": 32, "peft": PEFT}, "rate": rate}
    eight = ADAPTER | {"hyperparameters": {"bits": 8, "peft": PEFT}, "cost": {"weight_bytes": 2100}}
    found = verdict(
        "half_the_weights",
        ("lora-32bit", 0.8, whole),
        ("lora-8bit", 0.8, eight | {"rate": 1e-3}),
        ("lora-slow", 0.8, eight | {"rate": 5e-4}),
    )
    assert found.counted("does not hold") == len(found.parts) == 1
    assert found.parts[0].evidence.rows.startswith(f"{counted} against lora-32bit")
