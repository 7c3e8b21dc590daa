"""Whole runs on a stand-in accelerator, whose tensors refuse to meet the CPU's: the same numbers, and no forgotten move."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

STANDIN = Path(__file__).parent / "standin.py"
TRAINED = ["full", "frozen", "lora-32bit", "multitask"]  # the last is asked by instruction, as `instruction` is
SMALL = {"version": 1, "description": "small", "budget": "16examples", "batch": 8, "max_length": 256}
FEW = {"probe_items": 2, "other_items": 2, "paraphrase_items": 2}
SUITES = {
    # Every strategy that needs no kernel for 8 bit.
    "decoder": {"tasks": ["sst2"], "strategies": ["few-shot", *TRAINED], "probes": ["arc-easy"]},
    "encoder": {"tasks": ["sst2"], "strategies": TRAINED, "probes": ["drift"]},
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
}
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
        command, env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": paths}, capture_output=True, text=True, timeout=600
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory, decoder_folder, own_cache):
    """What the runs come to on the CPU and on `gpu`: of a process for decoders and one for encoders."""
    folder = tmp_path_factory.mktemp("standin")
    (folder / "probes").mkdir()
    subjects = yaml.safe_load((STANDIN.parents[1] / "suites" / "probes" / "medical-subjects.yaml").read_text())
    few = {"name": "subjects", "options": {"train": 24}}
    (folder / "probes" / "subjects.yaml").write_text(yaml.safe_dump(subjects | few))
    for name, fields in SUITES.items():
        model = "tiny-bert" if name.startswith("encoder") else str(decoder_folder)
        given = {"name": name, "models": [model], "probes": [], **SMALL, **FEW, **fields}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(given))

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


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS, ids="-".join)
def test_an_accelerator_gives_the_numbers_of_the_cpu(found, run):
    on_cpu, on_gpu = (found[device]["/".join(run)] for device in ("cpu", "gpu"))
    assert on_cpu["status"] == on_gpu["status"] == "ok", on_gpu["reason"]
    assert on_gpu["losses"] == pytest.approx(on_cpu["losses"], rel=1e-5)
    assert on_gpu["checks"] == on_cpu["checks"]
    if run[0] == "decoder-texts":  # whose predictions are nats
        assert on_gpu["score"] == pytest.approx(on_cpu["score"], rel=1e-5)
    else:
        assert on_gpu["predictions"] == on_cpu["predictions"] and on_gpu["score"] == on_cpu["score"]
    for probe, (before, after, _) in on_cpu["forgetting"].items():
        assert on_gpu["forgetting"][probe][:2] == pytest.approx([before, after], rel=1e-5), probe
