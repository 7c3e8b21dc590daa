"""A search from its plan to the runs that it is for: by trials that are made up, and once for real."""

import json
from dataclasses import replace

import pytest
from openai_server import Reply, completion

from bench.errors import UserError
from bench.planning import tuning
from bench.planning.next_trials import BATCH
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.planning.tuning import as_far_as_tuned, trials_of, tuned
from bench.progress import Progress
from bench.records import store
from bench.records.outcome import Score
from bench.records.record import Cost
from bench.records.trial import Rung, read_trials
from bench.running import execution
from bench.running.assignments import Workplace, in_turn
from bench.running.trial import recorded_trial
from bench.specs.search import Choice
from bench.tasks import splits


def planned(strategies=("full", "lora-8bit"), seeds=2, tune=None, **options):
    given = {"budget": "32", "probe_items": 4, "test_items": 12} | options
    options = PlanOptions(
        "sentiment", "tiny-bert", strategies=list(strategies), seeds=seeds, tune=tune or {"trials": 6}, **given
    )
    return plan(options, "fp32")


def same(runs, others):
    """Whether they are the same runs, after the same searches."""
    found, other = ([(run.id, run.strategy.hyperparameters, run.tuning) for run in each] for each in (runs, others))
    return found == other


@pytest.fixture
def place(tmp_path, device):
    return Workplace(tmp_path, device, Progress(False, 1))


@pytest.fixture
def imagined(place, monkeypatch):
    """Trials that take no time: the nearer a rate to 1e-3, the better. The list says which were done, in order."""
    done = []

    def perform(trial, device, progress, pruner=None, folder=None):
        done.append(trial)
        score = 1 - abs(trial.sampled["learning_rate"] - 1e-3) / 2e-2
        rungs = [Rung(share=0.25, score=score)] if pruner else []
        status = "pruned" if pruner and pruner([score]) else "ok"
        found = Score(name="accuracy", value=score, ci_low=0, ci_high=1, n=8, share=True)
        return recorded_trial(trial, device, status=status, score=found, rungs=rungs)

    monkeypatch.setattr(tuning, "perform_trial", perform)
    monkeypatch.setattr(place.device.accelerator, "free_memory", lambda: None)  # a collection of garbage takes a second
    return done


def test_the_best_trials_values_are_those_of_all_seeds_of_their_strategy_alone(place, imagined):
    runs = planned(["zero-shot", "full", "lora-8bit"])
    zero, *trained = tuned(runs, place)
    assert zero == runs[0] and len(imagined) == 2 * 6
    for run in trained:
        tried = [trial.sampled["learning_rate"] for trial in imagined if trial.run.strategy.name == run.strategy.name]
        best = min(tried, key=lambda rate: abs(rate - 1e-3))
        assert run.strategy.hyperparameters.learning_rate == best == tried[run.tuning.chosen]
        assert [each.hyperparameters["learning_rate"] for each in run.tuning.tried] == tried and len(tried) == 6
        assert len(run.tuning.expected_best) == 6
    assert len({run.id for run in trained}) == 4 and trained[0].tuning == trained[1].tuning


def test_the_first_trial_is_the_default_and_trials_have_other_seeds_than_runs(place, imagined):
    tuned(planned(["full"], tune={"trials": 2, "seeds": 2}), place)
    assert [trial.run.seed for trial in imagined] == [1000, 1001] * 2
    assert imagined[0].sampled == imagined[1].sampled == {"learning_rate": 2e-4} != imagined[2].sampled
    assert imagined[0].run.probes == () and imagined[0].run.search is None


@pytest.mark.parametrize("tune", [{}, {"sampler": "tpe"}, {"pruner": "halving"}, {"sampler": "tpe", "seeds": 2}])
def test_a_search_that_was_stopped_anywhere_goes_on_and_ends_the_same(tmp_path, place, imagined, monkeypatch, tune):
    tune = {"trials": 10, **tune}
    whole = tuned(planned(["full"], tune=tune), replace(place, out=tmp_path / "whole"))
    count, perform = len(imagined), tuning.perform_trial
    for stop in (BATCH, BATCH + 1):
        left = stop

        def stopped(*given):
            nonlocal left
            if left == 0:
                raise KeyboardInterrupt
            left -= 1
            return perform(*given)

        monkeypatch.setattr(tuning, "perform_trial", stopped)
        here = replace(place, out=tmp_path / f"stopped-{stop}")
        with pytest.raises(KeyboardInterrupt):
            tuned(planned(["full"], tune=tune), here)
        monkeypatch.setattr(tuning, "perform_trial", perform)
        imagined.clear()
        assert same(tuned(planned(["full"], tune=tune), here), whole)
        assert len(imagined) == count - stop


@pytest.mark.parametrize("tune", [{"sampler": "tpe"}, {"pruner": "halving"}])
def test_the_order_in_which_a_batchs_trials_end_changes_nothing(tmp_path, place, imagined, tune):
    """Whoever does the trials of a batch begins with the last."""
    (run,) = planned(["full"], 1, tune={"trials": 8, **tune})
    (whole,) = tuned([run], replace(place, out=tmp_path / "whole"))
    first, rounds = [trial.id for trial in imagined], []
    imagined.clear()

    def backwards(works, place, finished):
        rounds.append(len(works))
        return in_turn(list(reversed(works)), place, finished)

    here = replace(place, out=tmp_path / "backwards")
    assert same(tuned([run], here, backwards), [whole]) and rounds == [BATCH, BATCH]
    assert [trial.id for trial in imagined] == first[BATCH - 1 :: -1] + first[: BATCH - 1 : -1] != first
    known, missing = as_far_as_tuned([run], here.out)
    assert same(known, [whole]) and missing == []


def test_searches_ask_for_their_batches_together(place, imagined):
    """What several workers can do at once."""
    rounds = []

    def counted(works, place, finished):
        rounds.append(len(works))
        return in_turn(works, place, finished)

    tuned(planned(tune={"trials": 5}), place, counted)
    assert rounds == [2 * BATCH, 2] and len(imagined) == 10


def test_more_trials_begin_with_those_that_were_made(place, imagined):
    tuned(planned(["full"], tune={"trials": 3}), place)
    tuned(planned(["full"], tune={"trials": 9, "sampler": "tpe"}), place)
    assert len(imagined) == 3 + 6  # under TPE the first batch is random too
    tuned(planned(["full"], tune={"trials": 2}), place)
    assert len(imagined) == 9


def test_a_pruned_trial_is_cut_by_earlier_batches_and_never_chosen(place, imagined):
    (run,) = tuned(planned(["full"], 1, tune={"trials": 12, "pruner": "halving"}), place)
    states = [each.status for each in run.tuning.tried]
    assert states[:BATCH] == ["ok"] * BATCH and "pruned" in states and states[run.tuning.chosen] == "ok"
    assert {"search" in trial.rule for trial in imagined[:BATCH]} == {False}
    assert {"search" in trial.rule for trial in imagined[BATCH:]} == {True}


def test_the_second_batch_is_held_against_the_first(place, imagined):
    """Whose scores on the way must be taken down for that, though nothing prunes it."""
    (run,) = tuned(planned(["full"], 1, tune={"trials": 2 * BATCH, "pruner": "halving"}), place)
    assert "pruned" in [each.status for each in run.tuning.tried[BATCH:]]
    free = run.search.model_copy(update={"options": run.search.options.model_copy(update={"pruner": "none"})})
    (looked_at,), (unpruned,) = (trials_of(run, search, {"learning_rate": 1e-4}, 0, {}) for search in (run.search, free))
    assert unpruned.rule is None and looked_at.id != unpruned.id


def test_a_later_trial_is_another_where_it_is_held_against_another_default(place):
    """Two strategies that differ in their default alone draw the same values, and prune them by unlike first trials."""
    (run,) = planned(["full"], 1, tune={"trials": 2 * BATCH, "pruner": "halving"})
    ids = {
        before: {
            trials_of(run, run.search, {"learning_rate": 1e-4}, before, {"learning_rate": rate})[0].id for rate in (2e-4, 1e-3)
        }
        for before in (0, BATCH)
    }
    assert len(ids[0]) == 1 and len(ids[BATCH]) == 2


def test_a_share_of_the_budget_is_what_each_trial_may_spend(place):
    (run,) = planned(["full"], 1, tune={"trials": 1, "share": 0.25})
    (trial,) = trials_of(run, run.search, {"learning_rate": 1e-4}, 0, {})
    assert str(trial.run.budget) == "8examples" and str(run.budget) == "32examples"


def test_a_trial_that_fails_leaves_its_reason_and_the_search_goes_on(place, imagined, monkeypatch):
    perform = tuning.perform_trial

    def broken(trial, *more):
        if trial.sampled["learning_rate"] == 2e-4:
            raise ValueError("out of\n luck")
        return perform(trial, *more)

    monkeypatch.setattr(tuning, "perform_trial", broken)
    (run,) = tuned(planned(["full"], 1), place)
    assert run.tuning.tried[0].status == "failed" and run.tuning.tried[0].reason == "ValueError: out of luck"
    assert run.tuning.chosen != 0 and len(imagined) == 5
    tuned(planned(["full"], 1), place)
    assert len(imagined) == 5


def test_a_trial_that_met_a_full_disk_is_done_again_as_if_it_had_not(tmp_path, place, imagined, monkeypatch):
    """Planted fault: its failure was kept for good, and another trial was chosen without a word."""
    perform = tuning.perform_trial
    (whole,) = tuned(planned(["full"], 1), replace(place, out=tmp_path / "whole"))
    best = whole.tuning.tried[whole.tuning.chosen].hyperparameters

    def unlucky(trial, *more):
        if trial.sampled == best:
            raise OSError(28, "No space left on device")
        return perform(trial, *more)

    monkeypatch.setattr(tuning, "perform_trial", unlucky)
    (run,) = tuned(planned(["full"], 1), place)
    assert run.tuning.tried[whole.tuning.chosen].status == "failed" and run.tuning.chosen != whole.tuning.chosen
    assert len(as_far_as_tuned(planned(["full"], 1), place.out)[1]) == 1
    monkeypatch.setattr(tuning, "perform_trial", perform)
    (again,) = tuned(planned(["full"], 1), place)
    assert same([again], [whole])


def test_a_trial_whose_loss_was_no_number_is_not_done_again(place, imagined, monkeypatch):
    perform, asked = tuning.perform_trial, []

    def diverging(trial, *more):
        asked.append(trial)
        found = perform(trial, *more)
        spent = Cost(**{name: 1 for name, field in Cost.model_fields.items() if field.is_required()})
        return found.model_copy(update={"status": "failed", "reason": "the loss is nan", "score": None, "cost": spent})

    monkeypatch.setattr(tuning, "perform_trial", diverging)
    (run,) = tuned(planned(["full"], 1), place)
    assert run.untuned and len(asked) == 6
    tuned(planned(["full"], 1), place)
    assert len(asked) == 6


def test_where_no_trial_fits_the_budget_the_row_is_skipped(place, device):
    """Planted fault: what is skipped without --tune failed with it."""
    (run,) = tuned(planned(["full"], 1, tune={"trials": 2}, budget="3tokens"), place)
    (record,) = execution.execute([run], Workplace(place.out, device, Progress(False, 1)))
    assert record.status == "skipped" and record.reason.startswith("all 2 trials failed; the first: ")
    assert all(trial.beyond_budget for trial in record.setup.tuning.tried)


def test_a_space_of_few_values_has_so_many_trials(place, device, monkeypatch):
    """Planted fault: a space of two values and one of six trials were said to have had the same chance."""
    monkeypatch.setattr(tuning, "perform_trial", lambda *_: (_ for _ in ()).throw(RuntimeError("no memory")))
    (asked,) = planned(["full"], 1)
    space = {"learning_rate": Choice(choice=[1e-4, 2e-4])}
    (run,) = tuned([replace(asked, search=asked.search.model_copy(update={"space": space}))], place)
    assert run.tuning.trials == len(run.tuning.tried) == 2


def test_where_all_trials_failed_the_row_says_so(place, device, monkeypatch):
    monkeypatch.setattr(tuning, "perform_trial", lambda *_: (_ for _ in ()).throw(RuntimeError("no memory")))
    (run,) = tuned(planned(["full"], 1, tune={"trials": 2}), place)
    (record,) = execution.execute([run], Workplace(place.out, device, Progress(False, 1)))
    assert record.status == "failed" and record.reason == "all 2 trials failed; the first: RuntimeError: no memory"
    assert record.setup.tuning.chosen is None and len(record.setup.tuning.tried) == 2


def test_wrong_input_that_a_trial_finds_is_the_trials_failure_and_is_tried_again(place, monkeypatch):
    """As in a run: a file that has vanished keeps no other row from being done. It ended the command for all of them."""
    tried = []

    def vanished(trial, *_):
        tried.append(trial.id)
        raise UserError("rows.csv has vanished; put it back")

    monkeypatch.setattr(tuning, "perform_trial", vanished)
    (run,) = tuned(planned(["full"], 1, tune={"trials": 2}), place)
    assert run.untuned == "all 2 trials failed; the first: rows.csv has vanished; put it back"
    tuned(planned(["full"], 1, tune={"trials": 2}), place)
    assert len(tried) == 4 and tried[:2] == tried[2:]


def test_what_is_missing_is_counted_without_doing_anything(place, imagined):
    runs = planned(tune={"trials": 10})
    known, missing = as_far_as_tuned(runs, place.out)
    assert known == runs and len(missing) == 20 and imagined == []
    tuned(runs[:2], place)
    known, missing = as_far_as_tuned(runs, place.out)
    assert len(missing) == 10 and {trial.run.strategy.name for trial in missing} == {"lora-8bit"}
    assert same(known, [*tuned(runs[:2], place), *runs[2:]]) and as_far_as_tuned([], place.out) == ([], [])


def test_a_space_of_few_values_is_tried_through_and_no_trial_counts_twice(place, imagined):
    """Planted fault: of two values four trials were told, of which the record counted the seconds of two twice."""
    space = {"learning_rate": Choice(choice=[2e-4, 1e-3, 3e-3])}
    (run,) = planned(["full"], 1, tune={"trials": 8})
    narrow = replace(run, search=run.search.model_copy(update={"space": space}))
    (found,) = tuned([narrow], place)
    assert sorted(each.hyperparameters["learning_rate"] for each in found.tuning.tried) == [2e-4, 1e-3, 3e-3]
    assert len(imagined) == 3 and found.tuning.expected_best == [] and as_far_as_tuned([narrow], place.out)[1] == []


@pytest.mark.parametrize("tune", [{"trials": 6}, {"trials": 6, "sampler": "tpe"}])
def test_a_search_that_is_over_is_not_made_again_from_what_it_chose(tmp_path, place, imagined, tune):
    """A command that goes on has runs whose search is over beside others whose isn't."""
    runs = planned(tune=tune)
    whole = tuned(runs, replace(place, out=tmp_path / "whole"))
    tuned(runs[:2], place)
    count = len(imagined)
    known, missing = as_far_as_tuned(runs, place.out)
    assert known[0].tuning.chosen, "not the default, with which the search began"
    assert same(tuned(known, place), whole) and len(imagined) == count + 6
    assert len(missing) == 6


def test_for_real_numbers_of_solved_examples_are_tried_and_the_best_is_shown(place, own_cache):
    runs = planned(["zero-shot", "few-shot"], 2, tune={"trials": 4})
    chosen = tuned(runs, place)
    trials = {trial.sampled["shots"]: trial for trial in read_trials(place.out)}
    assert len(trials) == 4 and 4 in trials and all(1 <= shots <= 16 for shots in trials)
    best = max(trials.values(), key=lambda trial: trial.worth)
    zero, *few = chosen
    assert zero == runs[0] and len(few) == 2
    for run in few:
        assert trials[run.wording.shots].worth == best.worth and run.tuning.trials == 4
        assert [each.spent.examples for each in run.tuning.tried] == [0] * 4


def test_for_real_what_an_api_refuses_is_a_trial_that_failed_and_the_search_goes_on(place, server, own_cache, tmp_path):
    """Planted faults: no trial of an API's model could be done, and a prompt that was too long ended the command."""

    def reply(asked):
        solved = len(asked["messages"]) // 2
        return Reply(400, {"error": {"message": "too long"}}) if solved > 5 else Reply(body=completion("positive"))

    server.reply = reply
    said = {"name": "api", "description": "d", "endpoint": {"base_url": server.url, "model": "m"}}
    (tmp_path / "api.yaml").write_text(json.dumps(said))
    options = PlanOptions("sentiment", str(tmp_path / "api.yaml"), strategies=["few-shot"], tune={"trials": 8}, test_items=12)
    (chosen,) = tuned(plan(options, "fp32"), place)
    trials = {trial.sampled["shots"]: trial for trial in read_trials(place.out)}
    assert len(trials) == 8 and {shots: trial.status for shots, trial in trials.items()} == {
        shots: "ok" if shots <= 5 else "failed" for shots in trials
    }
    refused = [trial.reason for trial in trials.values() if trial.status == "failed"]
    assert refused and all("too long" in reason for reason in refused)
    assert not chosen.untuned and chosen.wording.shots <= 5
    (record,) = execution.execute([chosen], place)
    assert record.status == "ok"


def test_for_real_a_test_is_read_by_final_runs_alone(place, device, own_cache, monkeypatch):
    runs = planned(["full"], 2, tune={"trials": 2})
    load, readers = splits.load_splits, []
    splits.load_training(runs[0].task)
    monkeypatch.setattr(splits, "load_splits", lambda spec: readers.append(spec.name) or load(spec))
    chosen = tuned(runs, place)
    assert readers == [] and len(read_trials(place.out)) == 2 and store.read_all(place.out) == []
    found = execution.execute(chosen, Workplace(place.out, device, Progress(False, 2)))
    assert readers and [record.status for record in found] == ["ok", "ok"], found[0].reason
    for record in found:
        taken = record.setup.tuning
        assert taken.trials == 2 and taken.tried[taken.chosen].score == max(each.score for each in taken.tried)
        assert record.setup.hyperparameters["learning_rate"] == taken.tried[taken.chosen].hyperparameters["learning_rate"]
        assert record.provenance.inputs["search"]["options"]["trials"] == 2
        assert all(each.spent.examples == 32 for each in taken.tried)


def test_what_cannot_be_done_is_not_searched(place, imagined, monkeypatch):
    """A task that the model cannot do has a row that is skipped, and no trials."""
    runs = planned(["full"], 1)
    monkeypatch.setattr(type(runs[0]), "unfit", property(lambda run: "it cannot be done"))
    assert tuned(runs, place) == runs and as_far_as_tuned(runs, place.out) == (runs, []) and imagined == []
