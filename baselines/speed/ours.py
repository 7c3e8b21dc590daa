"""tunebench's side of `make perf`, a process for each thing that is timed: what its engine does, driven as a run drives it.

    python baselines/speed/ours.py FOLDER prepare SHARE            what all contenders read
    python baselines/speed/ours.py WORK.json train STRATEGY PASSES [bf16] [NAME=VALUE ...]
    python baselines/speed/ours.py WORK.json ask
    python baselines/speed/ours.py WORK.json parts                 where the seconds of a whole run go
    python baselines/speed/ours.py WORK.json peak                  what this machine can at most

Each but the first prints an object with its seconds, as the plain scripts beside it do.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench import folders, quiet
from bench.processes import before_torch

before_torch.set_variables()
quiet.libraries(False)

import torch
from transformers import AutoModelForCausalLM

from baselines.speed import questions
from baselines.speed.table import SIDE
from bench.devices.device import Device, start
from bench.inference.local import LocalBackend
from bench.measuring import asked_base, base_self_tests, evaluation
from bench.measuring.evaluation import Session, TrainingSession
from bench.modeling.flops import count_flops
from bench.modeling.fp32_product import multiplied
from bench.modeling.models import Model
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.progress import Progress
from bench.records import store
from bench.running import adaptation, curriculum, perform, stages
from bench.running.memory_ceiling import fit
from bench.runs.run import Run
from bench.specs.budget import Budget
from bench.tasks import splits
from bench.tasks.encoding import Encoding
from bench.tokens.encoded import Encoded
from bench.tokens.token_counts import useful_counts
from bench.training.state import TrainingState

MODELS = {"encoder": "minilm", "decoder": "smollm2"}
STRATEGIES = {"encoder": ("full", "frozen", "lora-8bit", "lora-32bit"), "decoder": ("full", "lora-8bit", "lora-32bit")}
EXAMPLES = {"encoder": 1024, "decoder": 256}
"""For each about so many as take the same time."""
LEAST = 24
"""Of which validation takes some, too."""
ASKED = {"encoder": (872 / 1040, 128 / 1040), "decoder": (872 / 400, 64 / 400)}
"""Test items and items of a probe for each training example, as the suite `sentiment` has them."""


def run_of(folder: Path, family: str, strategy: str, **options: Any) -> Run:
    """A run of the suite that `prepare` wrote."""
    (run,) = plan(PlanOptions(str(folder / family / "speed.yaml"), strategies=[strategy], **options), "fp32")
    return run


def prepare(folder: Path, share: float) -> None:
    """The suites of both families and their training files; the same examples as token ids, and questions as text. A share of 1
    is what is measured; less is for a look at whether it works."""
    for family, model in MODELS.items():
        questions.write_suite(folder / family, model, max(LEAST, round(EXAMPLES[family] * share)))
        run = run_of(folder, family, "full")
        count = len(splits.load_training(run.task).train)
        steps = curriculum.build_curriculum(replace(run, budget=Budget.parse(f"{count}examples")), encoding_of(run)).steps
        given = {
            "family": family,
            "folder": str(run.checkpoint.folder),
            "batch": run.batch,
            "frozen": round(2 / 3 * run.checkpoint.config.num_hidden_layers),
            "rows": [row(encoded) for step in steps for encoded in step],
            "flops": {name: _useful(run_of(folder, family, name), steps) for name in STRATEGIES[family]},
        }
        (folder / f"{family}.json").write_text(json.dumps(given))
    forward = count_flops(run.checkpoint.shape(AutoModelForCausalLM).requires_grad_(False))
    for name in questions.ITEMS:
        asking = asking_run(folder, name)
        backend = questions.Asked(asking)
        texts = backend.texts(questions.answered(backend, asking, name, share)[1])
        told = {"name": name, "share": share, "flops": forward.useful(backend.work), "questions": texts}
        (folder / f"{name}.json").write_text(json.dumps({"folder": given["folder"], "batch": run.batch, **told}))


def asking_run(folder: Path, name: str) -> Run:
    return run_of(folder, "decoder", name if name in ("few-shot", "instruction") else "zero-shot")


def encoding_of(run: Run) -> Encoding:
    return Encoding(run.checkpoint, run.max_length)


def _useful(run: Run, steps: Sequence[Sequence[Encoded]]) -> int:
    return count_flops(fit(run, run.max_length).adapted).useful(useful_counts(e for step in steps for e in step))


def row(encoded: Encoded) -> dict[str, Any]:
    """An example as the plain scripts' collators take it."""
    ids = list(encoded.ids)
    if encoded.decodes:
        return {"input_ids": ids, "completion_mask": [0] * (len(ids) - encoded.answer) + [1] * encoded.answer}
    return {"input_ids": ids, "token_type_ids": list(encoded.types), "labels": encoded.labels[0]}


def train(work: Path, strategy: str, passes: int, settings: Sequence[str], device: Device) -> dict[str, Any]:
    """Seconds of each pass over the examples, with their encoding; the settings are those of `--set`."""
    given = json.loads(work.read_text())
    per_pass = len(given["rows"])
    run = run_of(work.parent, given["family"], strategy, budget=f"{passes * per_pass}examples", settings=settings)
    session = TrainingSession(run, device, Progress(False, 0))
    model = adaptation.adapted(run, device)
    splits.load_training(run.task)  # read from disk before, as the plain scripts' rows are
    steps = -(-per_pass // run.batch)
    times = [time.perf_counter()]

    def watch(_: object, state: TrainingState) -> bool:
        if state.step % steps == 0 or state.step == state.steps:
            times.append(time.perf_counter())
        return False

    stages.train_stage(session, model, run.task, TrainingState(), lambda _: [watch])
    return {"seconds": [after - before for before, after in pairwise(times)]}


def ask(work: Path, device: Device) -> dict[str, Any]:
    """Seconds of asking, and the share of right answers."""
    given = json.loads(work.read_text())
    run = asking_run(work.parent, given["name"])
    module = run.checkpoint.load(AutoModelForCausalLM).eval()
    backend = LocalBackend(module, run.checkpoint, device)
    started = time.perf_counter()
    right, _ = questions.answered(backend, run, given["name"], given["share"])
    return {"seconds": [time.perf_counter() - started], "right": right}


class Parts:
    """Seconds by part, each without those of the parts inside it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._inner: list[float] = []

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        self._inner.append(0.0)
        started = time.perf_counter()
        yield
        whole = time.perf_counter() - started
        self.seconds[name] = self.seconds.get(name, 0.0) + whole - self._inner.pop()
        if self._inner:
            self._inner[-1] += whole

    def timed(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            with self.of(name):
                return function(*given, **named)

        return call


def parts(work: Path, device: Device) -> dict[str, Any]:
    """A whole run of every weight, from its data to its record, with an empty cache of the base's answers."""
    given = json.loads(work.read_text())
    tests, probed = (max(2, round(share * len(given["rows"]))) for share in ASKED[given["family"]])
    run = run_of(work.parent, given["family"], "full", test_items=tests, probe_items=probed)
    clock, known = Parts(), folders.cache().resolve()
    places: list[tuple[Any, str, str]] = [
        (Model, "load", "load"),
        (Session, "of", "encode"),
        (curriculum, "build_curriculum", "encode"),
        (stages, "build_curriculum", "encode"),
        (base_self_tests, "all_tests", "probe"),
        (stages, "train", "train"),
        (asked_base, "predict", "answer"),
        (evaluation, "predict", "answer"),
        (store, "write_record", "write"),
    ]
    places += [
        (kind, "measure", "probe") for kind in {type(probe) for probe in Session.of(run, device, Progress(False, 0)).probes}
    ]
    with tempfile.TemporaryDirectory() as out, mock.patch.dict("os.environ", TUNEBENCH_CACHE=out):
        for part in ("wheels", "models"):  # what was fetched stays; what the base answered is asked again
            Path(out, part).symlink_to(known / part)
        patches = [mock.patch.object(where, name, clock.timed(getattr(where, name), part)) for where, name, part in places]
        for patch in patches:
            patch.start()
        with clock.of("other"):
            store.write_record(Path(out), *perform.perform(run, device, Progress(False, 0)))
        mock.patch.stopall()
    return {"seconds": [sum(clock.seconds.values())], "parts": clock.seconds}


def peak() -> dict[str, Any]:
    """Seconds of a product of large matrices, by the faster of torch's libraries: the best of ten."""
    one, other = torch.randn(SIDE, SIDE), torch.randn(SIDE, SIDE)
    best = float("inf")
    for _ in range(10):
        started = time.perf_counter()
        multiplied(one, other)
        best = min(best, time.perf_counter() - started)
    return {"seconds": [best]}


def main(place: str, what: str, *given: str) -> None:
    """Do one thing, and print its seconds as the last line."""
    path = Path(place)
    if what == "prepare":
        return prepare(path, float(given[0]))
    device = start("bf16" if "bf16" in given else "fp32")  # fp32 as the plain scripts
    done = {
        "train": lambda: train(path, given[0], int(given[1]), [word for word in given if "=" in word], device),
        "ask": lambda: ask(path, device),
        "parts": lambda: parts(path, device),
        "peak": peak,
    }[what]()
    print(json.dumps(done))


if __name__ == "__main__":
    main(*sys.argv[1:])
