"""Whole runs shared out among two processes on CPU, by every way of launching, against one process: the same numbers.

Each world is started once and does all its ways. Batches of 8 out of 21 examples and 11 test items leave the processes uneven.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import ways
import worlds
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from bench.devices.device import Device
from bench.measuring import best_wording
from bench.planning import plan
from bench.planning.options import PlanOptions
from bench.progress import Progress
from bench.running.perform import perform

ROOT = Path(__file__).parents[3]
FAMILIES = ("encoder", "decoder")


@pytest.fixture(scope="module")
def suites(tmp_path_factory, decoder_folder):
    folder = tmp_path_factory.mktemp("suites")
    ways.written(folder, decoder_folder)
    return folder


@pytest.fixture(scope="module")
def alone(suites, own_cache, device: Device):
    """What one process finds."""
    found, patch, state = {}, pytest.MonkeyPatch(), dict(AcceleratorState._shared_state)
    patch.setattr(best_wording, "VALIDATION_ITEMS", ways.VALIDATION_ITEMS)
    for name in sorted(ways.SUITES, key=lambda name: name == ways.BF16):
        if name == ways.BF16:
            device = worlds.in_bf16(device, "none")
        for run in plan.plan(PlanOptions(str(suites / f"{name}.yaml"), test_items=11), device.precision):
            found[name, run.strategy.name] = worlds.told(*perform(run, device, Progress(False, 1)))
    patch.undo()
    # Precision is all of a process's, and other tests have theirs.
    AcceleratorState._shared_state.clear()
    AcceleratorState._shared_state.update(state)
    return found


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """In which each world writes what it finds, and what one process has left for the first of them to go on with."""
    made = {name: tmp_path_factory.mktemp(name) for name in ways.WORLDS}
    for family in FAMILIES:
        told = worlds.trained(family, Accelerator(cpu=True), made["fsdp2"] / f"{family} of one", stop=2)
        assert "after step 2 of 6" in told
    return made


@pytest.fixture(scope="module")
def shared(suites, own_cache, folders):
    """What two processes find, by way; a world is started when the first of its ways is asked for."""
    known: dict[str, dict] = {}

    def found(way):
        if way not in known:
            name, done_there = next((name, several) for name, several in ways.WORLDS.items() if way in several)
            results = folders[name] / "found.json"
            files = ",".join(str(suites / f"{suite}.yaml") for suite in ways.SUITES)
            config = ["--config_file", str(ROOT / "launch" / f"{name}.yaml"), "--gpu_ids=-1,-1", "--main_process_port", "0"]
            command = ["-m", "accelerate.commands.accelerate_cli", "launch", *config, str(ROOT / "tests" / "worlds.py")]
            environment = {key: value for key, value in os.environ.items() if not key.startswith(("OMP_", "ACCELERATE_"))}
            done = subprocess.run(
                [sys.executable, *command, str(results), files, ",".join(done_there)],
                env=environment | {"OMP_NUM_THREADS": "1"},
                capture_output=True,
                text=True,
                timeout=1500,
            )
            assert done.returncode == 0, done.stderr[-4000:]
            known.update(json.loads(results.read_text()))
        return {tuple(key.split("/")): value for key, value in known[way].items()}

    return found


@pytest.mark.slow
@pytest.mark.parametrize("run", ways.RUNS, ids="-".join)
@pytest.mark.parametrize("way", ways.WAYS)
def test_two_processes_find_what_one_finds(alone, shared, way, run):
    if not ways.tried(way, *run):
        assert run not in shared(way)
        return
    one, two = alone[run], shared(way)[run]
    if run[1] in ways.QUANTISED and way in ways.SHARDING:
        bits = 8 if run[1] == "lora-8bit" else 4
        assert two["status"] == "refused" and f"holds its base in {bits} bit" in two["reason"]
        return
    assert two["status"] == one["status"] == "ok", two["reason"]
    assert two["run_id"] == one["run_id"]
    assert len(two["losses"]) == len(one["losses"])
    if run[0] == ways.BF16:  # whose rounding may decide between two answers
        assert two["losses"] == pytest.approx(one["losses"], rel=1e-3)
        # The same training in fp32 is the decoder's.
        assert two["losses"] != pytest.approx(shared(way)["decoder", run[1]]["losses"], rel=1e-6)
        return
    # Two processes sum in another order, which moves weights by 1e-8. LLM.int8 rounds what layers read while they are asked:
    # where a number lay between two steps, that made 6e-4 nats of one item. In training nothing is rounded so, and losses are
    # nearer.
    rounded = run[1] == "lora-8bit"
    assert two["losses"] == pytest.approx(one["losses"], rel=1e-6 if rounded else 1e-4)
    for found, wanted in zip(two["predictions"], one["predictions"], strict=True):
        # Of a text that is read, what is predicted are its nats, beside its tokens and bytes.
        assert found == wanted or json.loads(found) == pytest.approx(json.loads(wanted), rel=1e-4)
    assert bool(one["reference_losses"]) == (run[0] in ("writer", "decoder-types"))
    assert two["reference_losses"] == pytest.approx(one["reference_losses"], abs=1e-4)
    assert two["score"] == one["score"] and two["validation"] == pytest.approx(one["validation"])
    for probe, values in one["forgetting"].items():
        assert two["forgetting"][probe] == pytest.approx(values, abs=1e-3 if rounded else 1e-5), probe
    for kind in ("trainable_parameters", "total_parameters", "saved_bytes", "train_examples", "train_tokens", "useful_flops"):
        assert two["cost"][kind] == one["cost"][kind], kind
    assert two["spending"] == one["spending"]  # of these budgets, counts alone: nothing in them is measured
    assert len(two["cost"]["peak_memory_per_process"]) == 2
    assert two["cost"]["device_seconds"] == pytest.approx(2 * two["cost"]["train_seconds"])


@pytest.mark.slow
@pytest.mark.parametrize("run", [run for run in ways.RUNS if run[0] in ways.COUNTED], ids="-".join)
def test_tokens_and_flops_end_a_training_there_too(shared, run):
    """Counted as the record counts what went through the model, of weights that are shared out at their whole size."""
    for way in (way for way in ways.WAYS if ways.tried(way, *run)):
        found, kind = shared(way)[run], {"tokens": "train_tokens", "flops": "useful_flops"}[run[0]]
        assert found["ended"] == [[len(found["losses"]), run[0]]] * 2
        limit = found["spending"]["limits"][run[0]]
        assert 0.9 * limit["limit"] < limit["spent"] == found["cost"][kind] <= limit["limit"]
        assert found["cost"]["train_examples"] % 8  # the last batch is cut


@pytest.mark.slow
@pytest.mark.parametrize("way", [way for way in ways.WAYS if ways.tried(way, ways.CLOCK, "full")])
def test_the_main_processs_clock_ends_a_training_at_one_step_of_all(alone, shared, way):
    """Each process has a clock of its own; had they ended by these, one would wait for another's gradients for ever."""
    found = shared(way)[ways.CLOCK, "full"]
    assert found["status"] == "ok" and found["ended"] == [[len(found["losses"]), "seconds"]] * 2
    limit = found["spending"]["limits"]["seconds"]
    assert limit == {"limit": 5.0, "spent": found["cost"]["train_seconds"]} and limit["spent"] > 4
    assert len(found["losses"]) > 1 and found["run_id"] != alone[ways.CLOCK, "full"]["run_id"]  # it holds the world's size


@pytest.mark.slow
@pytest.mark.parametrize("way", ways.WAYS)
def test_an_untouched_model_forgets_exactly_nothing_there_too(shared, way):
    for suite in (suite for suite, strategy in ways.RUNS if strategy == "zero-shot" and ways.tried(way, suite, strategy)):
        assert {delta for _, _, delta in shared(way)[suite, "zero-shot"]["forgetting"].values()} == {0.0}


@pytest.mark.slow
@pytest.mark.parametrize("way", ways.WAYS)
def test_gradients_are_clipped_and_steps_are_the_optimisers_own(shared, way):
    """Plain descent at rate 1 moves the weights by the clipped gradient, whose norm is then that of the move. What is trained
    next, on the same model with another optimiser, moves too: no second stage is lost in the first one's engine."""
    first, second = shared(way)["descent", "moves"]
    assert first == pytest.approx(0.125, rel=1e-4)
    assert second == pytest.approx(0.25, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("way", ways.WAYS)
def test_nothing_of_an_optimiser_is_held_after_training_and_the_model_answers(shared, way):
    """Its moments would count in every later stage, and in the evaluation."""
    assert shared(way)["descent", "left"] == {"optimizers": 0, "trained": True, "same": True}


@pytest.mark.slow
@pytest.mark.parametrize("way", ways.WORLDS["zero1"])
def test_in_bf16_weights_stay_fp32_and_products_are_cast(shared, way):
    """DeepSpeed's own `bf16` would convert all weights."""
    assert shared(way)["descent", "types"] == ["torch.float32", "torch.bfloat16"]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["fsdp2", "zero3"])
def test_no_copy_in_bf16_is_kept_of_weights_that_are_shared_out(shared, way):
    """Autocast would keep one of each until it is left, and with that the whole model in each process."""
    assert shared(way)["descent", "cast again"] == 15  # seven matrices of each block, and the head


@pytest.mark.slow
@pytest.mark.parametrize(("way", "suite"), [(way, suite) for way, suites in ways.GO_ON.items() for suite in suites])
def test_what_is_shared_out_goes_on_after_it_was_stopped(shared, way, suite):
    """Within a stage: weights, moments and best weights are put together in a checkpoint, and cut again."""
    whole, parts = shared(way)[suite, "full"], shared(way)[suite, "gone on"]
    assert parts["resumed"] == [1] and parts["status"] == "ok"
    assert parts["losses"] == pytest.approx(whole["losses"], rel=1e-6)
    assert parts["predictions"] == whole["predictions"] and parts["validation"] == whole["validation"]


@pytest.mark.slow
@pytest.mark.parametrize("way", ways.WAYS)
def test_a_stage_goes_on_bit_for_bit_and_in_another_way_within_rounding(shared, way):
    """Without its moments a weight would move by the learning rate of 0.01 in another direction."""
    found = shared(way)["descent", "halted"]
    assert (found["resumed"], found["losses"], found["weights"]) == ([2], True, 0.0)
    assert found["from another"] < 1e-4


def read_back(name, folder):
    """What transformers or PEFT makes of what was kept, with the beginnings of its weights' names where they were trained."""
    if name == "full":
        return {"": AutoModelForCausalLM.from_pretrained(folder)}
    if name == "heads":
        kind = AutoModelForSequenceClassification
        return {f"heads.{number}.": kind.from_pretrained(folder / str(number)) for number in range(2)}
    return {"": PeftModel.from_pretrained(worlds.bert() if name == "head" else worlds.llama(), folder)}


@pytest.mark.slow
@pytest.mark.parametrize("name", worlds.KEPT)
@pytest.mark.parametrize("way", worlds.KEEPING)
def test_what_is_kept_of_a_model_is_what_was_trained(shared, folders, way, name):
    """`--keep-model` where each process trains all of the model, and where weights are shared out."""
    told = shared(way)["descent", "kept"]
    assert len(told) == len(worlds.KEPT) and all(text.startswith("the trained model: ") for text in told)
    folder = next(folders[world] for world, several in ways.WORLDS.items() if way in several) / f"kept by {way}"
    known = load_file(folder / f"{name}.safetensors")
    untrained = dict(worlds.keepable(name)[0].named_parameters(remove_duplicate=False))
    for number, (prefix, model) in enumerate(read_back(name, folder / name).items()):
        whole = {f"weight.{prefix}{key}": weight for key, weight in model.named_parameters(remove_duplicate=False)}
        assert whole.keys() == {key for key in known if key.startswith(f"weight.{prefix}")}
        assert all(torch.equal(weight, known[key]) for key, weight in whole.items())
        assert any(not torch.equal(weight, untrained[key.removeprefix("weight.")]) for key, weight in whole.items())
        with torch.no_grad():
            answers = model.eval()(input_ids=torch.tensor(worlds.ASKED)).logits
        torch.testing.assert_close(answers, known[f"answers.{number}"], rtol=1e-5, atol=1e-6)
    assert not [path.name for path in (folder / name).rglob("*.py")], "the model's own code is that of these tests"


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("part", ["dropped", "undropped"])
def test_two_processes_go_on_bit_for_bit(shared, family, part):
    """Each draws its own dropout, of texts that fall to them unevenly; the signal reached the second one alone."""
    found = shared("ddp")
    whole, again = found["descent", "gone on"][f"{family} {part}"], found["descent", "gone on"][f"{family} {part} gone on"]
    told = found["descent", "gone on"][f"{family} {part} stopped"]
    assert told == "stopped by a signal to another process after step 3 of 6"
    assert (whole.pop("resumed"), again.pop("resumed")) == ([], [3])
    assert again == whole and len(set(whole["losses"])) == 6


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_another_number_of_processes_goes_on_within_rounding(shared, folders, tmp_path, family):
    one = worlds.trained(family, Accelerator(cpu=True), tmp_path / "none")
    found = shared("ddp")["descent", "gone on"]
    left = tmp_path / "left"
    left.write_bytes((folders["fsdp2"] / f"{family} undropped of two").read_bytes())
    by_one, by_two = worlds.trained(family, Accelerator(cpu=True), left), found[f"{family} left by one"]
    assert (by_one["resumed"], by_two["resumed"]) == ([3], [2])
    assert by_one["losses"] == pytest.approx(one["losses"], rel=1e-5)
    assert by_two["losses"] == pytest.approx(one["losses"], rel=1e-5)
    assert found[f"{family} undropped"]["losses"] == pytest.approx(one["losses"], rel=1e-5)
