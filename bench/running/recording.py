"""What a run has come to, as a record: what was run, what came out, what it cost, how far to trust it, where it comes from."""

from dataclasses import dataclass, field
from typing import Any

from bench import ENGINE_VERSION
from bench.devices.device import Device
from bench.devices.environment import environment, environment_id, versions
from bench.inference.predictions import unusual_way
from bench.measuring import measures
from bench.measuring.base_results import BaseResults
from bench.measuring.collapse import collapsed
from bench.measuring.evaluation import Evaluation, Session
from bench.measuring.simple_answers import simple_scores
from bench.records.outcome import Outcome, SeedPart, Stages
from bench.records.record import Cost, Provenance, Record, Setup, Spending, Trust
from bench.runs.run import Run
from bench.tasks import splits
from bench.training.state import TrainingState


@dataclass(frozen=True)
class RunResult:
    """What a run has come to, before it is put into a record."""

    before: BaseResults
    after: Evaluation
    cost: Cost
    checks: dict[str, bool]
    training: TrainingState = field(default_factory=TrainingState)
    spending: Spending | None = None
    drew: list[SeedPart] | None = None


def recorded(session: Session, result: RunResult, started: str) -> Record:
    """The record of a run that came to its end; it has failed all the same where a check does not hold."""
    run, data = session.run, splits.load_splits(session.run.task)
    broken = [name for name, holds in result.checks.items() if not holds]
    return Record(
        run_id=run.id,
        status="failed" if broken else "ok",
        reason=f"self-tests that don't hold: {', '.join(broken)}; don't trust this run" if broken else None,
        setup=setup(run),
        outcome=_outcome_of_run(session, result),
        cost=result.cost,
        spending=result.spending,
        trust=Trust(
            checks=result.checks,
            contamination=measures.contaminated(session),
            micro_batch_tokens=result.training.micro_tokens,
            data=data.notes | _left_out_beside(run),
        ),
        provenance=provenance(
            run, session.device, data_hash=data.content_hash, started=started, resumed=result.training.resumed
        ),
    )


def _left_out_beside(run: Run) -> dict[str, int]:
    """How many training examples of other tasks were left out, as they stand in a test, and how many of the own task stand in
    another's and are trained on; nothing where no other test is asked."""
    if not run.strategy.trains or len(run.tested) == 1:
        return {}
    pairs = ((splits.load_training(task).train, splits.trained_examples(task, run.tested)) for task in run.training_tasks)
    removed = sum(len(whole) - len(trained_on) for whole, trained_on in pairs)
    return {"beside_in_test_removed": removed, "in_beside_test": splits.in_other_tests(run.tested)}


def setup(run: Run) -> Setup:
    """What is known before the run."""
    return Setup(
        suite=run.suite,
        model=run.model.name,
        task=run.task.name,
        strategy=run.strategy.name,
        hyperparameters=run.strategy.hyperparameters.model_dump(mode="json"),
        seed=run.seed,
        seeds=run.seeds if run.varied else None,
        budget=str(run.budget),
        tuning=run.tuning,
    )


def provenance(run: Run, device: Device, **known: Any) -> Provenance:
    """Where a run's numbers come from; `known` is what is known only of a run that came to its end."""
    here = environment(device.torch.type, device.precision)
    return Provenance(
        versions=versions(),
        device=device.describe(),
        environment=here,
        environment_id=environment_id(here),
        model_hash=run.model.content_hash,
        engine_version=ENGINE_VERSION,
        trust_remote_code=run.model.trust_remote_code,
        inputs=run.inputs,
        **known,
    )


def _outcome_of_run(session: Session, result: RunResult) -> Outcome:
    before, after, training = result.before, result.after, result.training
    forgotten, test = measures.forgetting(session, before, after), session.sets.test
    trains = session.run.strategy.trains
    of_task = measures.of_task(test, before.test, after.test, trains)
    return Outcome(
        **of_task,
        references=simple_scores(session.simple_answers, of_task["score"].name),
        # Another stage's loss is of another task: to end above it is no rise.
        collapsed=collapsed(after.test, session.simple_answers, of_task["score"], training.losses[training.earlier_steps :])
        if trains
        else None,
        elsewhere=measures.elsewhere(session, before, after),
        robustness=measures.robustness(session.sets.test, after),
        forgetting=forgotten,
        relative_forgetting=measures.relative_forgetting(session.probes, forgotten),
        curve=training.curve,
        stages=_stage_measures(session, before, training),
        losses=training.losses,
        validation=training.validation,
        drew=result.drew,
        asked=unusual_way(session.run.model.can, test.task),
    )


def _stage_measures(session: Session, before: BaseResults, training: TrainingState) -> Stages | None:
    evalsets = session.sets.stages
    if not evalsets:
        return None
    names = [evalset.task.spec.name for evalset in evalsets]
    return measures.stages(names, measures.stage_scores(evalsets, before.stages), training.stage_scores)
