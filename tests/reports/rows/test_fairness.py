"""Tables that compare like with like, and what is said or refused where they don't; records made up here."""

import pytest

from bench.errors import UserError
from bench.records.outcome import BestBase, Gain
from bench.records.record import Import, Limit, Spending, Spent, TrialSummary, Tuning
from reports.rows.fairness import check_comparable, overrun, unfair, unlike
from reports.rows.rows import aggregate

TASK = {"name": "sst2", "prompt": "Review: {text}", "answers": {"good": "good"}, "instructions": {}}


def rows_of(*records):
    return aggregate(records)


def pair(make, **changes):
    """Two rows that differ in `changes` alone."""
    return make.record("full")[0], make.changed(make.record("frozen", trainable=1_000)[0], **changes)


def differing(*records):
    return {each.aspect: each.refuses for each in unlike(rows_of(*records))}


def scored(record, **changes):
    return record.outcome.score.model_copy(update=changes)


def with_task(record, **changes):
    return record.model_copy(
        update={
            "provenance": record.provenance.model_copy(
                update={"inputs": {**record.provenance.inputs, "task": {**TASK, **changes}}}
            )
        }
    )


def test_a_whole_suite_is_alike(make):
    records = [record for record, _ in make.suite(seeds=3)]
    assert differing(*records) == {} and list(unfair(rows_of(*records))) == []
    check_comparable(rows_of(*records))


def test_variants_of_one_strategy_are_alike(make):
    variants = [make.record("full", hyperparameters={"learning_rate": rate})[0] for rate in (1e-5, 2e-5)]
    assert len(rows_of(*variants)) == 2 and differing(*variants) == {}


def test_rows_that_train_nothing_have_no_budget_and_no_trials(make):
    untrained = make.changed(make.record("zero-shot", trainable=0)[0], budget="64examples")
    assert differing(make.changed(make.record("full")[0], tuning=tuned(4)), untrained) == {}


def test_a_run_that_failed_is_not_compared(make):
    assert differing(make.record("full")[0], make.changed(make.failed("frozen"), budget="1examples", engine_version=9)) == {}


def tuned(trials, **how):
    return Tuning(trials=trials, **how)


HOW = {"share": 1.0, "seeds": 1, "items": 512, "sampler": "random", "pruner": "none"}
RATES = {"learning_rate": {"low": 1e-05, "high": 0.001, "log": True, "integer": False}}


def searched(record, **dimensions):
    """The record as a search of these ranges made it."""
    inputs = {**record.provenance.inputs, "search": {"options": {"trials": 4}, "space": dimensions, "items": 512}}
    return make_tuned(record, HOW).model_copy(update={"provenance": record.provenance.model_copy(update={"inputs": inputs})})


def make_tuned(record, how):
    return record.model_copy(update={"setup": record.setup.model_copy(update={"tuning": tuned(4, **how)})})


@pytest.mark.parametrize(
    ("aspect", "changes"),
    [
        ("model's content", {"model_hash": "ef" * 32}),
        ("data", {"data_hash": "ef" * 32}),
        ("engine version", {"engine_version": 4}),
        ("precision", {"device": {"type": "cuda", "precision": "bf16"}}),
        ("precision", {"environment": {"precision": "bf16"}}),
    ],
)
def test_another_question_is_refused(make, aspect, changes):
    one, other = pair(make, **changes)
    assert differing(one, other) == {aspect: True}
    with pytest.raises(
        UserError, match=f"sentiment: smollm2 on sst2: the rows answer different questions: {aspect} differs: .*--allow-unequal"
    ):
        check_comparable(rows_of(one, other))
    (said,) = unfair(rows_of(one, other))
    assert said.startswith(f"not the same question: {aspect} differs: ") and "(full)" in said and "(frozen)" in said


def test_other_items_are_refused(make):
    one, other = pair(make)
    other = make.changed(other, score=scored(other, n=100))
    assert differing(one, other) == {"number of items": True}
    assert "200 (full), 100 (frozen)" in next(unfair(rows_of(one, other)))


def test_other_items_of_a_probe_are_refused(make):
    one, other = pair(make)
    forgetting = {
        name: probe.model_copy(update={"n": 32}) if name == "lambada" else probe
        for name, probe in other.outcome.forgetting.items()
    }
    assert differing(one, make.changed(other, forgetting=forgetting)) == {"items of lambada": True}


def test_other_items_of_a_domain_are_refused(make):
    """Planted fault: a column of the page held scores over 64 reviews of another shop beside scores over 150."""
    pairs = [make.elsewhere(make.record(name), "shops", 0.7, count)[0] for name, count in (("full", 64), ("frozen", 150))]
    assert differing(pairs[0], make.elsewhere(make.record("frozen"), "shops", 0.6, 64)[0]) == {}
    assert differing(*pairs) == {"items of shops": True}
    with pytest.raises(UserError, match=r"items of shops differs: 64 \(full\), 150 \(frozen\)"):
        check_comparable(rows_of(*pairs))
    # What one row mixed in is another column than what another was never trained on.
    foreign = make.elsewhere(make.record("full", inputs={"also": [{"name": "rte"}]}), "rte", 0.6, 150)[0]
    assert differing(make.mixture(count=64)[0], foreign) == {}


def probed(record, **shape):
    inputs = {**record.provenance.inputs, "probes": [[{"name": "lambada", "kind": "cloze", **shape}, 64]]}
    return record.model_copy(update={"provenance": record.provenance.model_copy(update={"inputs": inputs})})


def test_another_definition_of_a_probe_is_refused(make):
    one, other = pair(make)
    assert differing(probed(one), probed(other)) == {} and differing(one, probed(other)) == {}
    assert differing(probed(one), probed(other, source="other texts")) == {"definition of lambada": True}


def test_another_measure_of_a_probe_is_refused(make):
    nats, share = (
        make.record(name, probes={"trivia": measured})[0]
        for name, measured in (("full", ("loss (nats per token)", 3.2, 3.5)), ("frozen", ("accuracy", 0.5, 0.45)))
    )
    assert differing(nats, share) == {"measure of trivia": True}
    (said,) = unfair(rows_of(nats, share))
    assert said.endswith("measure of trivia differs: loss (nats per token) (full), accuracy as a share (frozen)")


def test_another_metric_is_refused(make):
    one, other = pair(make)
    assert differing(one, make.changed(other, score=scored(other, name="f1_macro"))) == {"metric": True}


@pytest.mark.parametrize(
    "words", [{"prompt": "Film: {text}"}, {"answers": {"good": "great"}}, {"instructions": {"test": ["Judge. {text}"]}}]
)
def test_other_words_of_the_task_are_refused(make, words):
    one, other = (with_task(record) for record in pair(make))
    assert differing(one, other) == {}
    assert differing(one, with_task(other, **words)) == {"wording of the task": True}


def test_another_best_wording_of_the_base_is_refused(make):
    one, other = pair(make)
    plain, instructed = (BestBase(style=style, score=0.6, gain=Gain(value=0.1)) for style in ("plain", "instruction"))
    assert differing(make.changed(one, best_base=plain), make.changed(other, best_base=plain)) == {}
    assert differing(make.changed(one, best_base=plain), make.changed(other, best_base=instructed)) == {
        "best wording of the base": True
    }


@pytest.mark.parametrize(
    ("aspect", "changes", "said"),
    [
        ("budget", {"budget": "1024examples"}, "512examples (full), 1024examples (frozen)"),
        ("budget", {"budget": None}, "512examples (full), not known (frozen)"),
        ("number of trials", {"tuning": tuned(4)}, "0 (full), 4 (frozen)"),
        ("number of trials", {"tuning": tuned(None)}, "0 (full), not known (frozen)"),
    ],
)
def test_another_chance_is_marked_and_not_refused(make, aspect, changes, said):
    one, other = pair(make, **changes)
    assert differing(one, other) == {aspect: False}
    check_comparable(rows_of(one, other))
    assert list(unfair(rows_of(one, other))) == [f"not the same chance: {aspect} differs: {said}"]


def test_an_imported_row_that_may_have_trained_is_marked_beside_tuned_rows(make):
    """As one of lm-evaluation-harness, whose file says nothing of training. Planted fault: it passed for one without any."""
    source = Import(whose="lm-eval", file="results.json", sha256="0" * 64, interval="binomial")
    record = make.changed(make.record("lm-eval 0-shot")[0], budget=None, tuning=tuned(None), data_hash=None)
    cost = record.cost.model_copy(update={"train_examples": None})
    imported = record.model_copy(
        update={"cost": cost, "provenance": record.provenance.model_copy(update={"inputs": {}, "source": source})}
    )
    own = make_tuned(make.record("full")[0], HOW)
    assert {"not the same chance: number of trials differs: 4 (full), not known (lm-eval 0-shot)"} < set(
        unfair(rows_of(own, imported))
    )
    # Of two of them nobody knows either's.
    assert differing(imported, imported.model_copy(update={"run_id": "another"})) == {}


def test_seconds_on_other_devices_are_marked(make):
    """Planted fault: 90 s on one core and 90 s on eight GPUs counted as the same budget."""
    one, other = (make.record(name, budget="90s", inputs={"placement": "cpu x 1"})[0] for name in ("full", "frozen"))
    assert differing(one, other) == {}
    faster = make.record("frozen", budget="90s", inputs={"placement": "cuda x 8"})[0]
    check_comparable(rows_of(one, faster))
    assert list(unfair(rows_of(one, faster))) == [
        "not the same chance: machine of the budget's seconds differs: cpu x 1, a CPU (full), cuda x 8, a CPU (frozen)"
    ]
    assert differing(one, make.record("frozen", budget="90s")[0]) == {}


@pytest.mark.parametrize("told", [{"threads": 64}, {"name": "Another CPU"}])
def test_seconds_on_another_processor_are_marked(make, told):
    """Planted fault: two threads and one, and two kinds of GPU, counted as the same budget."""
    device = {"type": "cpu", "name": "A CPU", "threads": 2}
    rows = []
    for strategy, itself in (("full", device), ("frozen", device | told)):
        run = make.record(strategy, budget="90s", inputs={"placement": "cpu x 1"})[0]
        rows.append(run.model_copy(update={"provenance": run.provenance.model_copy(update={"device": itself})}))
    assert differing(*rows) == {"machine of the budget's seconds": False}
    (said,) = unfair(rows_of(*rows))
    assert said.startswith("not the same chance: machine of the budget's seconds differs: cpu x 1, A CPU, 2 threads (full)")


def test_a_training_in_stages_has_the_budget_in_each(make):
    """Planted fault: twice the examples, half of them of another task, were the same budget."""
    plain, staged = (
        make.record(name, budget="64examples", inputs={"task": {"name": "sst2"}, "earlier": earlier})[0]
        for name, earlier in (("full", []), ("frozen", [{"name": "rte", "version": 1}]))
    )
    (said,) = unfair(rows_of(plain, staged))
    assert said == "not the same chance: budget differs: 64examples (full), 64examples, after as much on rte (frozen)"


@pytest.mark.parametrize(
    ("aspect", "how", "said"),
    [
        ("a trial's share of the budget", {"share": 0.1}, "1.0 (full), 0.1 (frozen)"),
        ("a trial's number of seeds", {"seeds": 5}, "1 (full), 5 (frozen)"),
        ("a trial's validation items", {"items": 32}, "512 (full), 32 (frozen)"),
        ("sampler of trials", {"sampler": "tpe"}, "random (full), tpe (frozen)"),
        ("pruner of trials", {"pruner": "halving"}, "none (full), halving (frozen)"),
    ],
)
def test_trials_of_another_kind_are_marked(make, aspect, how, said):
    one, other = (make_tuned(record, HOW) for record in pair(make))
    assert differing(one, other) == {}
    other = make_tuned(other, {**HOW, **how})
    assert differing(one, other) == {aspect: False}
    assert list(unfair(rows_of(one, other))) == [f"not the same chance: {aspect} differs: {said}"]


def test_trials_that_broke_off_are_marked(make):
    """Planted fault: three of four trials had met a full disk, and the table called the strategy's chance equal."""
    lost = TrialSummary(ids=["b"], hyperparameters={}, status="failed", reason="OSError: no space")
    diverged = lost.model_copy(update={"spent": Spent(examples=64, tokens=1, flops=1, seconds=1.0)})
    one, other = (make_tuned(record, {**HOW, "tried": [diverged, diverged]}) for record in pair(make))
    assert differing(one, other) == {}
    other = make_tuned(other, {**HOW, "tried": [lost, diverged]})
    assert list(unfair(rows_of(one, other))) == ["not the same chance: trials that broke off differs: 0 (full), 1 (frozen)"]


def test_trials_that_passed_their_budget_are_marked(make):
    tried = TrialSummary(ids=["a"], hyperparameters={}, status="ok", score=0.7)
    one, other = (make_tuned(record, {**HOW, "tried": [tried, tried]}) for record in pair(make))
    assert list(unfair(rows_of(one, other))) == []
    beyond = make_tuned(other, {**HOW, "tried": [tried, tried.model_copy(update={"overran": True})]})
    assert list(unfair(rows_of(one, beyond))) == ["frozen (seed 0): 1 of its 2 trials passed their budget"]


def test_everything_in_which_trials_differ_is_told(make):
    one, other = pair(make)
    one, other = make_tuned(one, HOW), make_tuned(other, {**HOW, "share": 0.1, "seeds": 5, "items": 32})
    assert list(differing(one, other)) == [
        "a trial's share of the budget",
        "a trial's number of seeds",
        "a trial's validation items",
    ]


def test_beside_a_row_without_trials_their_number_alone_is_told(make):
    """How no trials were made is no further difference; and what an older record does not say of its trials is none."""
    one, other = pair(make)
    assert differing(one, make_tuned(other, HOW)) == {"number of trials": False}
    assert differing(make_tuned(one, {}), make_tuned(other, HOW)) == {}


def test_a_space_that_was_tried_through_had_its_whole_chance(make):
    """Planted fault: of 20 trials `few-shot` has 16 values to try, and the table said that other rows had more."""

    def asked(record, trials, tried):
        inputs = {**record.provenance.inputs, "search": {"options": {"trials": trials}, "space": {}, "items": 512}}
        return make.changed(record, tuning=tuned(tried, **HOW), inputs=inputs)

    trained, shown = make.record("full")[0], make.record("few-shot", trainable=0, hyperparameters={"shots": 4})[0]
    assert differing(asked(trained, 20, 20), asked(shown, 20, 16)) == {}
    assert differing(asked(trained, 20, 20), asked(shown, 16, 16)) == {"number of trials": False}


def test_settings_of_a_row_that_trains_nothing_and_no_trial_chose_are_marked(make):
    trained, shown = make_tuned(make.record("full")[0], HOW), make.record("few-shot", trainable=0)[0]
    assert differing(trained, shown) == {}
    with_shots = make.changed(shown, hyperparameters={"shots": 4})
    assert differing(make.record("full")[0], with_shots) == {}
    (said,) = unfair(rows_of(trained, with_shots))
    assert said == "not the same chance: number of trials differs: 4 (full), 0 (few-shot)"


def test_a_strategy_with_two_search_spaces_is_marked(make):
    narrow = {"learning_rate": {**RATES["learning_rate"], "low": 0.0001}}
    first, second = (make.record("full", hyperparameters={"learning_rate": rate})[0] for rate in (1e-5, 2e-5))
    one = searched(first, **RATES)
    assert differing(one, searched(second, **RATES)) == {}
    assert differing(one, searched(second, **narrow)) == {"search space of full": False}
    check_comparable(rows_of(one, searched(second, **narrow)))
    *_, said = unfair(rows_of(one, searched(second, **narrow)))
    assert "learning_rate 1e-05 to 0.001 by its logarithm (full (" in said
    assert "learning_rate 0.0001 to 0.001 by its logarithm (full (" in said


@pytest.mark.parametrize(
    "other",
    [
        {"learning_rate": {**RATES["learning_rate"], "log": False}},
        {**RATES, "peft.r": {"low": 4.0, "high": 64.0, "log": True, "integer": True}},
        {"learning_rate": {"choice": [1e-05, 0.001]}},
    ],
)
def test_ranges_differ_in_their_kind_and_number_too(make, other):
    first, second = (make.record("full", hyperparameters={"learning_rate": rate})[0] for rate in (1e-5, 2e-5))
    assert differing(searched(first, **RATES), searched(second, **other)) == {"search space of full": False}


def test_choices_that_python_takes_for_equal_are_two(make):
    first, second = (make.record("full", hyperparameters={"learning_rate": rate})[0] for rate in (1e-5, 2e-5))
    yes, one = ({"early": {"choice": [value, None]}} for value in (True, 1))
    assert differing(searched(first, **yes), searched(second, **one)) == {"search space of full": False}


def test_each_strategy_has_a_search_space_of_its_own(make):
    one, other = pair(make)
    assert differing(searched(one, **RATES), searched(other, learning_rate={"choice": [1e-4, 1e-3]})) == {}


def test_what_is_not_known_of_the_question_differs_from_nothing(make):
    assert differing(*pair(make, model_hash=None, data_hash=None, engine_version=None, device={}, environment={})) == {}


def test_a_mixture_is_marked_beside_runs_alone_with_other_trials(make, out):
    """Planted fault: what mixing brings was told of a tuned mixture and untuned runs alone, without a word."""
    alike = make.kept(out, [make.mixture(), make.alone()])
    assert list(unfair(aggregate(alike[:1], out, alike))) == []
    unlike_runs = make.kept(out / "tuned", [make.mixture(tuning=tuned(4)), make.alone()])
    (said,) = unfair(aggregate(unlike_runs[:1], out / "tuned", unlike_runs))
    assert said == "not the same chance: multitask had 4 trials, and instruction on rte alone 0"


def test_tables_are_apart(make):
    """Another suite, model or task may be of another engine."""
    check_comparable(rows_of(*pair(make, engine_version=4, model="minilm")))


def spending(record, **limits):
    """The record with what it spent of each limit: name -> (limit, spent)."""
    parts = {name: Limit(limit=limit, spent=spent) for name, (limit, spent) in limits.items()}
    return record.model_copy(update={"spending": Spending(limits=parts, ended_by=next(iter(limits)))})


@pytest.mark.parametrize(
    ("limits", "over"),
    [
        ({"examples": (512, 512)}, None),
        ({"examples": (512, 513)}, "spent 513 examples of a budget of 512"),
        ({"tokens": (80_000, 80_001)}, "spent 80,001 tokens of a budget of 80,000"),
        ({"flops": (3 * 10**12, 3 * 10**12 + 10**6)}, "spent 3,000,001,000,000 FLOP of a budget of 3,000,000,000,000"),
        ({"seconds": (90, 91.8)}, None),
        ({"seconds": (90, 91.9)}, "spent 91.9 seconds of a budget of 90.0"),
        ({"memory": (4, 5)}, "spent 5 bytes of memory of a budget of 4"),
        ({"examples": (512, 512), "seconds": (90, 95.0)}, "spent 95.0 seconds of a budget of 90.0"),
    ],
)
def test_a_run_that_spent_more_is_marked(make, limits, over):
    assert list(overrun(spending(make.record("full")[0], **limits))) == ([over] if over else [])


def test_a_record_that_does_not_know_what_it_spent_says_nothing(make):
    assert list(overrun(make.record("full")[0])) == []


def test_who_spent_more_is_named_with_its_seed(make):
    over = spending(make.record("full", seed=1)[0], examples=(512, 600))
    assert list(unfair(rows_of(over))) == ["full (seed 1): spent 600 examples of a budget of 512"]


def test_a_single_seed_of_another_precision_is_refused(make):
    """`auto` is another one on another machine, and a row is of several."""
    seeds = [make.record(name, seed)[0] for name in ("full", "frozen") for seed in range(2)]
    assert differing(*seeds) == {}
    seeds[1] = make.changed(seeds[1], device={**seeds[1].provenance.device, "precision": "bf16"})
    assert len(rows_of(*seeds)) == 2 and differing(*seeds) == {"precision": True}
