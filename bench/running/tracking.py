"""A run on experiment trackers, through Accelerate: its settings, its loss step by step, and what came out.

`--track` leaves its choice in the environment, which workers and launched processes inherit.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from accelerate.tracking import get_available_trackers
from accelerate.utils import LoggerType

from bench import folders
from bench.devices.device import Device
from bench.errors import UserError, unknown
from bench.records.record import Record
from bench.runs.run import Run

TRACKERS = ("tensorboard", "mlflow", "wandb", "trackio")
TRACKER_NAMES = "TUNEBENCH_TRACKERS"
"""Environment variable: the trackers, with commas between them."""
TRACKING_FOLDER = "TUNEBENCH_TRACKING"
"""Environment variable: where those that keep files keep them."""
Say = Callable[[str], None]
"""Tells a person a sentence."""


def choose_trackers(names: Sequence[str], out: Path) -> None:
    """Track all runs from here on, in this process and those that it starts.

    Raises:
        UserError: there is no such tracker, or its package is not installed.
    """
    if strange := next((name for name in names if name not in TRACKERS), None):
        raise unknown("tracker", strange, TRACKERS)
    here = {str(tracker) for tracker in get_available_trackers()}
    if missing := next((name for name in names if name not in here), None):
        raise UserError(f"--track {missing}: its package is not installed; `pip install {missing}` mends that")
    os.environ[TRACKER_NAMES], os.environ[TRACKING_FOLDER] = ",".join(names), str((out / "tracking").absolute())


@contextmanager
def tracked(run: Run, device: Device, say: Say) -> Iterator[list[Record]]:
    """While a run goes on it has trackers, if any are chosen; the record that is put into the list is told at the end."""
    records: list[Record] = []
    names = [name for name in os.environ.get(TRACKER_NAMES, "").split(",") if name]
    if not names:
        yield records
        return
    accelerator = device.accelerator
    with _beside_the_run(accelerator, say):
        _start_trackers(run, accelerator, names, Path(os.environ[TRACKING_FOLDER]))
    try:
        yield records
        for record in records:
            track(accelerator, results_of(record), say)
    finally:
        with _beside_the_run(accelerator, say):
            while accelerator.trackers:
                accelerator.trackers.pop().finish()  # taken off first: one that fails here is not ended once more


def track(accelerator: Accelerator, values: dict[str, float], say: Say, step: int | None = None) -> None:
    """Tell the trackers, if there are any."""
    if accelerator.trackers:
        with _beside_the_run(accelerator, say):
            accelerator.log(values, step=step)


@contextmanager
def _beside_the_run(accelerator: Accelerator, say: Say) -> Iterator[None]:
    """A tracker that fails (a full disk, a server that is gone) takes nothing from the run, which goes on without trackers."""
    try:
        with folders.faults_told(Path(os.environ[TRACKING_FOLDER])):
            yield
    except Exception as error:  # each tracker has its own
        say(f"this run is not tracked any further: {' '.join(str(error).split())[:300]}")
        while accelerator.trackers:
            with suppress(Exception):
                accelerator.trackers.pop().finish()


def _start_trackers(run: Run, accelerator: Accelerator, names: Sequence[str], folder: Path) -> None:
    label = re.sub(r"[^\w.+-]+", "-", f"{run.label} {run.id}").strip("-")
    # A store of one's own is named as MLflow has it; else it would ask a folder of the current directory.
    os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
    folder.mkdir(parents=True, exist_ok=True)
    # One accelerator serves all runs of a process, and each run begins its trackers anew.
    accelerator.log_with = [LoggerType(name) for name in names]
    accelerator.project_configuration.logging_dir = str(folder / "tensorboard" / label)
    own: dict[str, dict[str, Any]] = {
        "mlflow": {"run_name": run.label, "logging_dir": str(folder / "mlflow")},
        "wandb": {"name": run.label, "group": run.task.name, "dir": str(folder)},
        "trackio": {"name": run.label},
    }
    accelerator.init_trackers(run.suite, config=settings_of(run), init_kwargs=own)


def settings_of(run: Run) -> dict[str, str | float | bool]:
    """What the run is, flat; nested hyper-parameters by dots."""
    named = {"run_id": run.id, "suite": run.suite, "model": run.model.name, "task": run.task.name}
    named["strategy"] = run.strategy.name
    hyperparameters = run.strategy.hyperparameters.model_dump(mode="json", exclude={"rehearsal"})
    return {**named, "seed": run.seed, "budget": str(run.budget), "batch": run.batch, **_dotted_settings(hyperparameters)}


def _dotted_settings(values: dict[str, Any], before: str = "") -> dict[str, str | float | bool]:
    settings: dict[str, str | float | bool] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            settings |= _dotted_settings(value, f"{before}{name}.")
        else:
            settings[f"{before}{name}"] = value if isinstance(value, int | float | bool) else str(value)
    return settings


def results_of(record: Record) -> dict[str, float]:
    """What came out, as numbers: score, gain, what each probe lost, and costs."""
    outcome = record.outcome
    if outcome is None:
        return {}
    numbers: dict[str, float | None] = {f"score/{outcome.score.name}": outcome.score.value}
    numbers["gain"] = outcome.gain.value if outcome.gain else None
    numbers |= {f"forgetting/{name}": lost.delta for name, lost in outcome.forgetting.items()}
    numbers |= {f"cost/{name}": value for name, value in record.cost.model_dump().items()} if record.cost else {}
    return {name: float(value) for name, value in numbers.items() if isinstance(value, int | float)}
