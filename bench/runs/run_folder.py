"""What a run that is being done has come to so far, in a folder of its own: its training, and what it has answered since.

A run that is stopped and asked for again goes on from there. The folder goes when the run's record is there.
"""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pandas as pd
from torch import nn

from bench.devices.device import Device
from bench.devices.environment import environment, environment_id
from bench.devices.memory import PeakMemory
from bench.folders import faults_told, write_text
from bench.modeling.saved import save_model
from bench.modeling.spared_work import clock
from bench.progress import Progress
from bench.runs.kept_answers import cached_frame
from bench.runs.run import Run
from bench.specs.checkpoint_every import CheckpointInterval
from bench.training.checkpoint import Checkpoint
from bench.training.state import TrainingState

BY_ITSELF = CheckpointInterval()


@dataclass(frozen=True)
class KeepOptions:
    """What a person wants to be kept of each run."""

    every: CheckpointInterval = BY_ITSELF
    """Between two checkpoints of a training."""
    model: bool = False
    """Whether the trained model stays, in `models/`."""


DEFAULT_KEEP = KeepOptions()


class RunFolder:
    """A run's own folder. Without one nothing is kept on the way, and nothing gone on with.

    Args:
        model_folder: where the trained model is to stay; None where it need not.
    """

    def __init__(
        self, folder: Path | None = None, every: CheckpointInterval = BY_ITSELF, model_folder: Path | None = None
    ) -> None:
        self.folder, self._every, self._model_folder = folder, every, model_folder

    @classmethod
    def of(cls, out: Path, run_id: str, device: Device, progress: Progress, keep: KeepOptions) -> "RunFolder":
        """The folder of a run or a trial, emptied where what lies in it is not of this run in this environment."""
        folder = checkpoint_folder(out, run_id)
        stamp = {"run": run_id, "environment": environment_id(environment(device.torch.type, device.precision))}
        if device.main and folder.exists() and (fault := _stamp_fault(folder / "stamp.json", stamp)):
            progress.say(f"{folder}: {fault}; the run starts anew")
            with faults_told(folder):
                shutil.rmtree(folder)
        if device.main:
            write_text(folder / "stamp.json", json.dumps(stamp))
        device.accelerator.wait_for_everyone()
        return cls(folder, keep.every, model_folder(out, run_id) if keep.model else None)

    def resume_training(self, model: nn.Module, peak: PeakMemory, device: Device, progress: Progress) -> TrainingState:
        """Where the training of the adapted model stands, its weights put into it; at the beginning where nothing was kept."""
        if self.folder is None:
            return TrainingState()
        path = self.folder / "training.safetensors"
        checkpoint = Checkpoint(path, device.accelerator, self._every, peak.bytes, progress.say)
        if state := checkpoint.resume(model):
            # Between two steps of a stage, or after all steps of the stages that are done.
            there = f"step {state.step} of {state.steps}" if state.step else "what is trained"
            progress.say(f"goes on after {there}")
            return state
        if device.main:  # what another training's model has answered
            shutil.rmtree(self.folder / "answers", ignore_errors=True)
        device.accelerator.wait_for_everyone()
        return TrainingState(keeper=checkpoint, micro_tokens=checkpoint.room())

    def answers(self, kind: str, name: str, device: Device, measure: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """What the run's model answers to a set, asked once; `attrs` says how many `seconds` that took."""

        def timed() -> pd.DataFrame:
            started = clock()
            frame = measure()
            frame.attrs["seconds"] = clock() - started
            return frame

        if self.folder is None:
            return timed()
        path = self.folder / "answers" / f"{kind}.{quote(name, safe='')}.parquet"
        cached_frame(path, device, timed)
        # Read in any case, so that a run which was never stopped has the very same.
        return cached_frame(path, device, timed)

    def keep_model(self, model: nn.Module, run: Run, device: Device, progress: Progress) -> None:
        """Let the trained model stay, where that is wished; what can't be kept is told, and the run goes on. All processes call
        it together."""
        if self._model_folder is None:
            return
        tasks = [task.name for task in run.training_tasks]
        try:
            save_model(model, run.checkpoint.tokenizer, tasks, self._model_folder, writes=device.main)
            progress.say(f"the trained model: {self._model_folder}")
        except Exception as error:  # of whichever library: the run has its result all the same
            progress.say(f"the trained model is not kept: {error}")


def model_folder(out: Path, run_id: str) -> Path:
    """Where the trained model of a run lies that was asked for with `--keep-model`."""
    return out / "models" / run_id


def checkpoint_folder(out: Path, run_id: str) -> Path:
    return out / "checkpoints" / run_id


def remove_checkpoint(out: Path, run_id: str) -> None:
    """Once a run has a record nothing of it goes on any more."""
    folder = checkpoint_folder(out, run_id)
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):  # other runs' are there
        folder.parent.rmdir()


def _stamp_fault(path: Path, stamp: dict[str, str]) -> str:
    """Why what lies in the folder can't be gone on with; empty where it can."""
    try:
        saved_stamp = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "what was kept of a run there is damaged"
    if saved_stamp == stamp:
        return ""
    return "what was kept of a run there is of other versions or another device"
