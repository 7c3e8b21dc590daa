"""A command called as a user gives it, in this process, and records for it to read: made up, or of a small suite that ran."""

import pytest
import shell

from bench import cli
from bench.records import store
from bench.records.outcome import Outcome, Score
from bench.records.record import Cost, Provenance, Record, Setup


@pytest.fixture
def called(capsys):
    """Exit status, standard output and standard error of a command."""

    def call(*arguments) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as leaving:
            cli.main([*map(str, arguments)])
        said = capsys.readouterr()
        return leaving.value.code, said.out, said.err

    return call


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def kept(out):
    """Writes a record that was made up, without items."""

    def keep(strategy, budget="512examples", engine=5, examples=512, task="t"):
        score = Score(name="accuracy", value=0.8, ci_low=0.7, ci_high=0.9, n=100, share=True)
        needed = (name for name, field in Cost.model_fields.items() if field.is_required())
        cost = Cost(**dict.fromkeys(needed, None) | {"train_examples": examples})
        inputs = {"engine": engine, "strategy": strategy} | ({"budget": budget, "seed": 0} if examples else {})
        setup = Setup(suite="s", model="m", task=task, strategy=strategy, hyperparameters={}, seed=0, budget=budget)
        origin = Provenance(versions={}, device={}, engine_version=engine, inputs=inputs)
        found = {"setup": setup, "outcome": Outcome(score=score), "cost": cost, "provenance": origin}
        store.write_record(out, Record(run_id=f"{task}-{strategy}-{budget}-{engine}", status="ok", **found))

    return keep


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The folder in which a small suite ran, and what it printed."""
    folder = tmp_path_factory.mktemp("finished")
    done = shell.run(*shell.TINY, "--strategies", "zero-shot,full,lora-8bit", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, done
