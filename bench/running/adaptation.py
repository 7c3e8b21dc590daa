"""The freshly loaded base under its strategy, ready to be trained."""

from torch import nn
from transformers import AutoModelForCausalLM

from bench.devices.device import Device
from bench.modeling.heads import Heads
from bench.modeling.replay.fixed_blocks import replay_fixed_blocks
from bench.modeling.sharding import placed, to_load
from bench.modeling.structure import set_dropout
from bench.modeling.weights import unmap_trained
from bench.runs.run import Run
from bench.strategies.base import Hyperparameters
from bench.tasks import types


def adapted(run: Run, device: Device) -> nn.Module:
    """The model that is trained, on this process's device or shared out among all; an encoder has a head for each task."""
    hyperparameters, bits = run.strategy.hyperparameters, run.strategy.bits
    assert isinstance(hyperparameters, Hyperparameters)
    source = to_load(run.checkpoint, bits, device.accelerator)
    if run.model.family == "decoder":
        model: nn.Module = source.load(AutoModelForCausalLM, bits, device.torch)
    else:
        kinds = [types.task_type(task) for task in run.training_tasks]
        models = [source.load(kind.auto_class, bits, device.torch, num_labels=kind.outputs()) for kind in kinds]
        model = Heads(models) if len(models) > 1 else models[0]
    if hyperparameters.dropout is not None:
        set_dropout(model, hyperparameters.dropout)
    # A quantised base is placed as it is loaded; what was added to it follows.
    model = placed(run.strategy.adapt(model, run.model.family), device.accelerator)
    unmap_trained(model)
    replay_fixed_blocks(model, run.model.family, run.model.content_hash)
    return model
