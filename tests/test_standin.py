"""Whole runs on a stand-in accelerator, whose tensors refuse to meet the CPU's: the same numbers, and no forgotten move."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from ways import LIBRARY, VIRTUAL, all_kinds, kinds, own_task

STANDIN = Path(__file__).parent / "standin.py"
SMALL = {"version": 1, "description": "small", "budget": "16examples", "batch": 8, "max_length": 256}
FEW = {"probe_items": 2, "other_items": 2, "paraphrase_items": 2}
TRAINED = ["full", "frozen", "lora-32bit", "instruction", "multitask", *VIRTUAL]
SUITES = {
    # Every strategy that needs no kernel for 8 or 4 bit. An encoder shows no solved examples, and rehearses nothing.
    "decoder": {
        "tasks": ["sst2"],
        "strategies": ["zero-shot", "few-shot", "rehearsal", *TRAINED],
        "probes": ["arc-easy"],
    },
    "encoder": {"tasks": ["sst2"], "strategies": ["zero-shot", *TRAINED], "probes": ["drift"]},
    # Two stages, each with a head of its own on one backbone; training ends early, and the best weights are put back.
    "encoder-stages": {
        "stages": ["medical-spans", "sst2"],
        "strategies": ["full"],
        "hyperparameters": {"full": {"early_stopping": 1, "validate_every": 0.5}},
    },
    # A probe of each kind.
    "decoder-probes": {
        "tasks": ["sst2"],
        "strategies": ["full"],
        "probes": ["wikipedia", "lambada", "spelling", "nq-open", "drift"],
    },
    "encoder-probes": {"tasks": ["sst2"], "strategies": ["full"], "probes": ["mrpc", "mrpc-sentences", "subjects"]},
    # The other types of task.
    "decoder-spans": {"tasks": ["medical-spans"], "strategies": ["full"]},
    "encoder-spans": {"tasks": ["medical-spans"], "strategies": ["full"]},
    "decoder-questions": {"tasks": ["squad"], "strategies": ["full"]},
    "encoder-questions": {"tasks": ["squad"], "strategies": ["full"]},
    "decoder-texts": {"tasks": ["film-plots"], "strategies": ["full"]},
    "decoder-choices": {"tasks": ["medmcqa"], "strategies": ["full"]},
    "encoder-choices": {"tasks": ["medmcqa"], "strategies": ["full"]},
    # Texts are written, with two beams and with one, and judged by each metric of texts.
    "decoder-written": {"tasks": ["translations"], "strategies": ["full"]},
    "decoder-chats": {"tasks": ["chats"], "strategies": ["full"]},
}
WRITTEN = {
    "translations": ("localisation-de", {"answer_tokens": 6, "beams": 2}),
    "chats": ("coqa-chat", {"answer_tokens": 6, "turns": 4}),
}
"""Tasks of which texts are written -> those that they are made of, and what is theirs: short texts are enough."""
METRICS = ["chrf", "bleu", "rougeL", "rouge1"]
RUNS = [(suite, strategy) for suite, fields in SUITES.items() for strategy in fields["strategies"]]


REFUSED = """
import standin, torch
kept = standin.register()
one = torch.ones(2).to("gpu")
assert (one + 1 + torch.tensor(1.0)).tolist() == [3.0, 3.0] and one.device.type == "gpu"
try:
    one + torch.ones(2)
except RuntimeError as error:
    print(error)
"""

SUMMED = """
import standin, torch
from bench.modeling import weights
kept, made, sizes = standin.register(), standin.GpuTensor.__new__, []
standin.GpuTensor.__new__ = lambda cls, raw: sizes.append(raw.numel() * (raw.dtype == torch.long)) or made(cls, raw)
weights.ACCELERATED, values = 100, torch.arange(1000.0)
assert weights.checksum(values.to("gpu")) == weights.checksum(values)
print(max(sizes))
"""


def standin(*arguments):
    """Of a process of its own, since a device is registered for all of it."""
    paths = os.pathsep.join([str(STANDIN.parent), str(STANDIN.parents[1])])
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(
        command, env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": paths}, capture_output=True, text=True, timeout=1500
    )


def written(folder, decoder):
    """The suites as files, with the strategies, tasks and probes that they have of their own."""
    for part in ("probes", "strategies", "tasks"):
        (folder / part).mkdir()
    for name, (base, options) in WRITTEN.items():
        own_task(folder, name, base, options=options, metrics=METRICS, out_of_domain={})
    for name, config in VIRTUAL.items():
        values = {"learning_rate": 5e-3, "bits": 32, "peft": config}
        spec = {"name": name, "description": name, "kind": "adapter", "hyperparameters": values}
        (folder / "strategies" / f"{name}.yaml").write_text(yaml.safe_dump(spec))
    subjects = yaml.safe_load((LIBRARY / "probes" / "medical-subjects.yaml").read_text())
    few = {"name": "subjects", "options": {"train": 24}}
    (folder / "probes" / "subjects.yaml").write_text(yaml.safe_dump(subjects | few))
    for name, fields in SUITES.items():
        model = "tiny-bert" if name.startswith("encoder") else str(decoder)
        given = {"name": name, "models": [model], "probes": [], **SMALL, **FEW, **fields}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(given))


@pytest.fixture(scope="module")
def found(tmp_path_factory, decoder_folder, own_cache):
    """What the runs come to on the CPU and on `gpu`: of a process for decoders and one for encoders."""
    folder = tmp_path_factory.mktemp("standin")
    written(folder, decoder_folder)

    def numbers(family):
        suites = ",".join(str(folder / f"{name}.yaml") for name in SUITES if name.startswith(family))
        done = standin(STANDIN, folder / f"{family}.json", suites)
        assert done.returncode == 0, done.stderr[-4000:]
        return json.loads((folder / f"{family}.json").read_text())

    with ThreadPoolExecutor() as families:
        decoders, encoders = families.map(numbers, ("decoder", "encoder"))
    return {device: decoders[device] | encoders[device] for device in ("cpu", "gpu")}


def test_a_tensor_of_the_cpu_is_refused_there():
    done = standin("-c", REFUSED)
    assert "a tensor on cpu, of shape (2,), meets one on gpu" in done.stdout, done.stderr


def test_a_checksum_takes_little_memory_there_beside_the_weight():
    """It is made within a run, whose memory is measured: an embedding of 28 million numbers would add 450 MB."""
    done = standin("-c", SUMMED)
    assert done.stdout == "100\n", done.stderr


def test_every_kind_of_strategy_task_and_probe_runs_there(tmp_path):
    written(tmp_path, Path("no-decoder"))
    assert kinds(tmp_path) == all_kinds()


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS, ids="-".join)
def test_an_accelerator_gives_the_numbers_of_the_cpu(found, run):
    on_cpu, on_gpu = (found[device]["/".join(run)] for device in ("cpu", "gpu"))
    assert on_cpu["status"] == on_gpu["status"] == "ok", on_gpu["reason"]
    assert on_gpu["losses"] == pytest.approx(on_cpu["losses"], rel=1e-5)
    assert on_gpu["validation"] == pytest.approx(on_cpu["validation"]) and on_gpu["stages"] == on_cpu["stages"]
    assert bool(on_cpu["validation"]) == (run[0] == "encoder-stages") == bool(on_cpu["stages"])
    assert on_gpu["metrics"] == pytest.approx(on_cpu["metrics"], rel=1e-5)
    assert on_gpu["checks"] == on_cpu["checks"]
    if run[0] == "decoder-texts":  # whose predictions are nats
        assert on_gpu["score"] == pytest.approx(on_cpu["score"], rel=1e-5)
    else:
        assert on_gpu["predictions"] == on_cpu["predictions"] and on_gpu["score"] == on_cpu["score"]
    for probe, (before, after, _) in on_cpu["forgetting"].items():
        assert on_gpu["forgetting"][probe][:2] == pytest.approx([before, after], rel=1e-5), probe
