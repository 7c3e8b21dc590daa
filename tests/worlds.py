"""What a process of a launched world does in tests: the runs of a suite under one way after another of sharing a training.

    accelerate launch ... tests/worlds.py RESULTS SUITE ddp fsdp2

Accelerate has no FSDP2 on CPU of its own accord, and all that it lacks is the word: its state is told that it is FSDP, with the
plugin that it makes of launch/fsdp2.yaml. All the rest is Accelerate's own way.
"""

import gc
import json
import os
import sys
from contextlib import suppress
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace

if __name__ == "__main__":  # a launcher runs this file by itself; where tests import it, the path is theirs
    sys.path.insert(0, str(Path(__file__).parents[1]))

from ways import BF16, GO_ON, VALIDATION_ITEMS, tried

PLAIN = ("ddp", "fsdp2")
"""Ways that a world of torch's processes can take; the others are DeepSpeed's."""
KEPT = ("full", "lora", "prompts", "head", "heads")
"""Kinds of models that are kept: a decoder with code of its own, two adapters, an encoder's adapter with its head, and two
heads on one backbone."""
KEEPING = ("ddp", "fsdp2", "zero3")
ASKED = [[5, 6, 7, 8, 9]]
SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}


def become(device, way):
    """Make the started processes share their trainings in another way."""
    state = device.accelerator.state
    if way in PLAIN:
        from accelerate import PartialState
        from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin

        state.distributed_type = DistributedType.FSDP if way == "fsdp2" else DistributedType.MULTI_CPU
        PartialState._shared_state["distributed_type"] = state.distributed_type  # from which each new AcceleratorState reads it
        if way == "fsdp2":
            state.fsdp_plugin = FullyShardedDataParallelPlugin()
        return
    plugin, stage = state.deepspeed_plugin, int(way[4])
    plugin.zero_stage = plugin.deepspeed_config["zero_optimization"]["stage"] = stage
    for part in ("offload_optimizer", "offload_param"):
        plugin.deepspeed_config["zero_optimization"][part] = {"device": "cpu" if "offload" in way else "none"}


def in_bf16(device, way):
    """The same processes, set up to compute in bf16 as a start of their own would set them up."""
    from accelerate import PartialState
    from accelerate.state import AcceleratorState
    from accelerate.utils import DistributedType

    from bench.devices.device import configure, start

    if way.startswith("zero"):
        configure(device.accelerator.state.deepspeed_plugin.deepspeed_config, "bf16")
        return replace(device, precision="bf16")
    AcceleratorState._reset_state()
    if way != "none":
        PartialState._shared_state["distributed_type"] = DistributedType.MULTI_CPU  # as their launcher said
    made = start("bf16")
    if way != "none":
        become(made, way)
    return made


def told(record, items):
    """What is compared."""
    cost = record.cost.model_dump()
    return {
        "status": record.status,
        "reason": record.reason,
        "losses": record.outcome.losses,
        "score": record.outcome.score.value,
        "metrics": {name: score.value for name, score in record.outcome.metrics.items()},
        "stages": record.outcome.stages.scores if record.outcome.stages else [],
        "validation": record.outcome.validation,
        "curve": [point.model_dump() for point in record.outcome.curve],
        "forgetting": {name: [f.before, f.after, f.delta] for name, f in record.outcome.forgetting.items()},
        "predictions": items["prediction"].map(str).tolist(),
        "reference_losses": items["reference_loss"].dropna().tolist(),
        "checks": record.trust.checks,
        "cost": cost,
        "spending": record.spending and record.spending.model_dump(),
        "run_id": record.run_id,
    }


def moves(device):
    """By how much two trainings, one after the other, move a small model's weights: each a step of plain descent at rate 1, its
    gradient clipped to a norm of its own."""
    import torch
    from torch import nn

    from bench.modeling.sharding import placed, ready, release
    from bench.modeling.weights import full_tensor

    class Small(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.ModuleList([nn.Linear(6, 6, bias=False), nn.Linear(6, 6, bias=False)])

        def forward(self, inputs):
            return self.blocks[1](self.blocks[0](inputs))

    torch.manual_seed(0)
    accelerator, inputs = device.accelerator, torch.randn(4, 6)
    model, found = placed(Small(), accelerator), []
    for norm in (0.125, 0.25):
        before = [full_tensor(weight).clone() for weight in model.parameters()]
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
        wrapped, optimizer = ready(model, optimizer, accelerator, norm)
        accelerator.gradient_state._set_sync_gradients(True)
        accelerator.backward(wrapped(inputs.to(device.torch)).square().sum())
        accelerator.clip_grad_norm_(wrapped.parameters(), norm)
        optimizer.step()
        optimizer.zero_grad()
        after = [full_tensor(weight) for weight in model.parameters()]
        found.append(float(torch.stack([(b - a).norm() for a, b in zip(before, after, strict=True)]).norm()))
    release(accelerator)
    return found


def left(device):
    """How many optimisers two trainings, one after the other, leave behind, and whether the model then answers as the last step
    has left it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from bench.modeling.sharding import placed, release
    from bench.strategies.base import Hyperparameters
    from bench.tokens.encoded import Encoded
    from bench.training import loop

    torch.manual_seed(0)
    model = placed(LlamaForCausalLM(LlamaConfig(vocab_size=99, **SHAPE)), device.accelerator)
    ids, answers = torch.tensor([[5, 6, 7, 8]], device=device.torch), []

    def ask(model, state=None):
        with torch.no_grad():
            answers.append(model(input_ids=ids).logits)
        return False

    for _ in range(2):
        steps, values = [[Encoded((5, 6, 7, 8), answer=2)] * 2] * 2, Hyperparameters(learning_rate=0.01)
        loop.train(model, steps, values, device.accelerator, loop.Padding(0), watches=[ask])
        ask(model)
    optimizers = sum(type(each) is torch.optim.AdamW for each in gc.get_objects())
    release(device.accelerator)
    trained, same = (not torch.equal(answers[0], answers[4]), all(torch.equal(answers[i], answers[i + 1]) for i in (1, 4)))
    return {"optimizers": optimizers, "trained": trained, "same": same}


def halted(device, folder, other):
    """Whether a training that is broken off in its third step, and goes on from what was kept after its second, comes to what
    it does undisturbed; and by how much it differs where it goes on from what was kept in another way of sharing it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from bench.modeling.sharding import placed, release
    from bench.modeling.weights import full_tensor
    from bench.specs.checkpoint_every import CheckpointInterval
    from bench.strategies.base import Hyperparameters
    from bench.tokens.encoded import Encoded
    from bench.training import loop
    from bench.training.checkpoint import Checkpoint
    from bench.training.state import TrainingState

    # Weights with decay and without, dropout, and biases of 65 numbers, which can't be halved.
    shape = {"hidden_size": 30, "intermediate_size": 65, "num_hidden_layers": 1, "num_attention_heads": 3}
    config = LlamaConfig(vocab_size=99, mlp_bias=True, attention_dropout=0.5, **shape)
    steps = [[Encoded((5, 6, 7, 8 + n), answer=2), Encoded((9, 3 * n, 4), answer=1)] * 2 for n in range(4)]
    values = Hyperparameters(learning_rate=0.01, weight_decay=0.1)

    def trained(path, resume=False, halt=False):
        torch.manual_seed(0)
        model = placed(LlamaForCausalLM(config), device.accelerator)
        torch.manual_seed(device.accelerator.process_index + (99 if resume else 1))
        keeper = Checkpoint(path, device.accelerator, CheckpointInterval(steps=2), lambda: 0, print)
        state = keeper.resume(model) if resume else TrainingState(keeper=keeper)

        def watch(model, state):
            if halt and state.step == 3:
                raise InterruptedError
            return False

        with suppress(InterruptedError):
            loop.train(model, steps, values, device.accelerator, loop.Padding(0), state, [watch])
        weights = [full_tensor(weight).clone() for weight in model.parameters()]
        release(device.accelerator)
        return state, weights

    def differ(weights):
        return max(float((one - two).abs().max()) for one, two in zip(whole[1], weights, strict=True))

    path = folder / "training.safetensors"
    if device.main:
        folder.mkdir(parents=True)
    whole = trained(folder / "undisturbed.safetensors")
    trained(path, halt=True)
    state, weights = trained(path, resume=True)
    found = {"resumed": state.resumed, "losses": state.losses == whole[0].losses, "weights": differ(weights)}
    return found | {"from another": differ(trained(other / path.name, resume=True)[1]) if other else 0.0}


def types_in_bf16(device):
    """Under DeepSpeed in bf16, the types of a training's weights and of what it computes."""
    import torch
    from torch import nn

    from bench.devices.device import configure
    from bench.modeling.sharding import placed, ready, release

    plugin, accelerator = device.accelerator.state.deepspeed_plugin, device.accelerator
    if plugin is None:
        return None
    configure(plugin.deepspeed_config, "bf16")
    model = placed(nn.Sequential(nn.Linear(4, 4)), accelerator)
    wrapped, _ = ready(model, torch.optim.SGD(model.parameters(), lr=1.0), accelerator, 1.0)
    found = [str(next(wrapped.parameters()).dtype), str(wrapped(torch.ones(1, 4)).dtype)]
    release(accelerator)
    del plugin.deepspeed_config["torch_autocast"]
    return found


def cast_again(device):
    """How many matrices are cast to bf16 in the second of two passes of a small model: those of which no copy was kept."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from transformers import LlamaConfig, LlamaForCausalLM

    from bench.modeling.sharding import placed, release

    class Casts(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            named = kwargs or {}
            is_cast = func is torch.ops.aten._to_copy.default and named.get("dtype") == torch.bfloat16
            self.count += is_cast and args[0].dim() == 2
            return func(*args, **named)

    model = placed(LlamaForCausalLM(LlamaConfig(vocab_size=99, **SHAPE)), device.accelerator)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        model(input_ids=torch.tensor([[5, 6]]))
        with Casts() as casts:
            model(input_ids=torch.tensor([[5, 6]]))
    release(device.accelerator)
    return casts.count


def llama():
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(vocab_size=99, tie_word_embeddings=True, **SHAPE))


def bert(labels=3):
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(labels)
    return BertForSequenceClassification(BertConfig(vocab_size=99, num_labels=labels, **SHAPE))


def texts(encoder, seed, heads=1):
    """A step's texts, of lengths that leave the processes uneven."""
    import torch

    from bench.tokens.encoded import Encoded

    generator, found = torch.Generator().manual_seed(seed), []
    for number, length in enumerate((4, 11, 7, 5, 9)):
        ids = tuple(torch.randint(3, 99, (length,), generator=generator).tolist())
        more = {"labels": (number % 2,), "head": number % heads} if encoder else {"answer": length // 2}
        found.append(Encoded(ids, **more))
    return found


def keepable(name):
    """A small model of one of the kinds that `--keep-model` keeps, as it is before its training, and its family."""
    from transformers import LlamaForCausalLM

    from bench.modeling.heads import Heads
    from bench.strategies.adapter import Adapter, AdapterHyperparameters

    class OwnCode(LlamaForCausalLM):
        """transformers writes the file of such a model beside its weights."""

        _auto_class = "AutoModelForCausalLM"

    family = "encoder" if name in ("head", "heads") else "decoder"
    if name == "heads":
        return Heads([bert(2), bert(3)]), family
    model = bert() if name == "head" else llama()
    if name == "full":
        model.__class__ = OwnCode
        return model, family
    config = {"peft_type": "PROMPT_TUNING", "num_virtual_tokens": 3} if name == "prompts" else {"peft_type": "LORA", "r": 4}
    values = AdapterHyperparameters(learning_rate=1e-2, bits=32, peft=config)
    return Adapter(name, values).adapt(model, family), family


def kept(device, folder):
    """Trains a model of each kind and keeps it, as `--keep-model` does; beside it lie all its weights, and what it answers
    where it is asked through the sharding."""
    import torch
    from safetensors.torch import save_file

    from bench.modeling.sharding import placed, release
    from bench.modeling.weights import full_tensor
    from bench.progress import Progress
    from bench.runs.run_folder import RunFolder
    from bench.strategies.base import Hyperparameters
    from bench.training import loop

    told = []
    folder.mkdir(exist_ok=True)

    class Telling(Progress):
        def say(self, text):
            told.append(text)

    for name in KEPT:
        model, family = keepable(name)
        model = placed(model, device.accelerator)
        tasks = [SimpleNamespace(name=str(number)) for number in range(2 if name == "heads" else 1)]
        steps = [texts(family == "encoder", seed, len(tasks)) for seed in range(2)]
        loop.train(model, steps, Hyperparameters(learning_rate=1e-2), device.accelerator, loop.Padding(0))
        run = SimpleNamespace(checkpoint=SimpleNamespace(tokenizer=SimpleNamespace(save_pretrained=str)), training_tasks=tasks)
        RunFolder(model_folder=folder / name).keep_model(model.eval(), run, device, Telling(False, 1))
        with torch.no_grad():  # as its run goes on
            heads = [{"head": number} for number in range(2)] if name == "heads" else [{}]
            found = {f"answers.{n}": model(input_ids=torch.tensor(ASKED), **head).logits for n, head in enumerate(heads)}
        for weight_name, weight in model.named_parameters(remove_duplicate=False):
            found[f"weight.{weight_name}"] = full_tensor(weight).clone()
        if device.main:
            save_file(found, folder / f"{name}.safetensors")
        release(device.accelerator)
    return told


def trained(family, accelerator, path, dropout=0.0, stop=0):
    """A training of six steps that goes on from what lies at the path, where something does; its losses and weights. It is
    stopped after step `stop`, of which the last process alone is asked."""
    import torch

    from bench.modeling.sharding import placed
    from bench.modeling.structure import set_dropout
    from bench.modeling.weights import checksum, full_tensor
    from bench.processes import stopping
    from bench.specs.checkpoint_every import CheckpointInterval
    from bench.strategies.base import Hyperparameters
    from bench.training import loop
    from bench.training.checkpoint import Checkpoint
    from bench.training.state import TrainingState

    model = bert() if family == "encoder" else llama()
    set_dropout(model, dropout)
    model = placed(model, accelerator)
    keeper = Checkpoint(path, accelerator, CheckpointInterval(steps=100), lambda: 0, print)
    state = keeper.resume(model) or TrainingState(keeper=keeper)
    # Each process draws numbers of its own; one that goes on has drawn others before.
    torch.manual_seed(accelerator.process_index + (99 if state.resumed else 0))
    asked, last = stopping.stop_signal, accelerator.process_index == accelerator.num_processes - 1
    stopping.stop_signal = lambda: "SIGTERM" if last and state.step == stop else ""
    try:
        steps = [texts(family == "encoder", seed % 4) for seed in range(6)]  # the second epoch begins with the fifth step
        loop.train(model, steps, Hyperparameters(learning_rate=1e-2), accelerator, loop.Padding(0), state)
    except stopping.Stopped as stopped:
        return str(stopped)
    finally:
        stopping.stop_signal = asked
    weights = {name: checksum(full_tensor(weight)) for name, weight in model.named_parameters()}
    return {"losses": state.losses, "weights": {name: list(sums) for name, sums in weights.items()}, "resumed": state.resumed}


def gone_on_with(device, folder):
    """What two processes find that go on with what two have left, with dropout; and, without, with what one has."""
    found = {}
    for family in ("encoder", "decoder"):
        for part, options in {"dropped": {"dropout": 0.3}, "undropped": {}}.items():
            found[f"{family} {part}"] = trained(family, device.accelerator, folder / "none", **options)
            left = folder / f"{family} {part} of two"
            found[f"{family} {part} stopped"] = trained(family, device.accelerator, left, **options, stop=3)
            copy = folder / f"{family} {part} gone on with"  # what was left stays, for one process to go on with
            if device.main:
                copy.write_bytes(left.read_bytes())
            device.accelerator.wait_for_everyone()
            found[f"{family} {part} gone on"] = trained(family, device.accelerator, copy, **options)
        found[f"{family} left by one"] = trained(family, device.accelerator, folder / f"{family} of one")
    return found


def gone_on(run, device, folder):
    """What a run finds that is ended in its training's second step, and is then asked for again."""
    from bench.progress import Progress
    from bench.running.perform import perform
    from bench.runs.run_folder import KeepOptions, RunFolder
    from bench.specs.checkpoint_every import CheckpointInterval

    class Halting(Progress):
        def step(self, step, *more):
            if step == 2:
                raise InterruptedError

    def kept():
        return RunFolder.of(folder, run.id, device, Progress(False, 1), KeepOptions(every=CheckpointInterval(steps=1)))

    try:
        perform(run, device, Halting(False, 1), kept())
    except InterruptedError:
        device.accelerator.free_memory()
    record, items = perform(run, device, Progress(False, 1), kept())
    return told(record, items) | {"resumed": record.provenance.resumed}


def main(results, suites, ways):
    from bench import quiet

    quiet.libraries(False)
    os.environ.pop("ACCELERATE_USE_FSDP", None)
    from bench.devices.device import start
    from bench.devices.launched import parallelism
    from bench.measuring import best_wording
    from bench.planning import plan
    from bench.planning.options import PlanOptions
    from bench.preflight.parallelism import refusal
    from bench.progress import Progress
    from bench.running.perform import perform

    best_wording.VALIDATION_ITEMS = VALIDATION_ITEMS
    device = start("fp32")
    found: dict[str, dict] = {way: {} for way in ways}
    halt_folder = None
    # All that is in fp32 comes first: a precision is all of a process's.
    for way, suite in sorted(product(ways, suites), key=lambda pair: Path(pair[1]).stem == BF16):
        if way != "none":
            become(device, way)
        asked = in_bf16(device, way) if Path(suite).stem == BF16 else device
        if not found[way]:
            found[way] = {"descent/left": left(device), "descent/moves": moves(device), "descent/types": types_in_bf16(device)}
            found[way]["descent/cast again"] = cast_again(device)
            halt_folder, other = Path(results).parent / "halted" / way, halt_folder
            found[way]["descent/halted"] = halted(device, halt_folder, other)
            if way in KEEPING:
                found[way]["descent/kept"] = kept(device, Path(results).parent / f"kept by {way}")
            if way == "ddp":
                found[way]["descent/gone on"] = gone_on_with(device, Path(results).parent)
            if device.main:
                Path(results).write_text(json.dumps(found))
        # The data of earlier suites stay; each run would look through them for garbage several times.
        gc.collect()
        gc.freeze()
        for run in plan.plan(PlanOptions(suite, test_items=11), asked.precision):
            if not tried(way, run.suite, run.strategy.name):
                continue
            if reason := refusal(run.strategy, parallelism(asked.accelerator)):
                found[way][f"{run.suite}/{run.strategy.name}"] = {"status": "refused", "reason": reason}
                continue
            record, items = perform(run, asked, Progress(False, 1))
            ended = asked.each([len(record.outcome.losses), record.spending and record.spending.ended_by])
            found[way][f"{run.suite}/{run.strategy.name}"] = told(record, items) | {"ended": ended}
            if run.strategy.name == "full" and run.suite in GO_ON.get(way, ()):
                found[way][f"{run.suite}/gone on"] = gone_on(run, asked, Path(results).parent / way / run.suite)
            if asked.main:
                print(way, run.label, record.status, record.reason, flush=True)
                Path(results).write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], list(filter(None, sys.argv[2].split(","))), sys.argv[3].split(","))
