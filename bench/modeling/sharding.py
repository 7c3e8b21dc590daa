"""How a model gets onto the processes' devices, is made ready to train and is let go again, under each launcher.

Where weights are shared out (FSDP2, ZeRO-3), no device ever holds all of them: a model is mapped from its files into the host's
memory, once for all processes of a machine, and each keeps its part. The base model is placed as the one is that is trained.
"""

from typing import Any

import torch
from accelerate import Accelerator
from torch import nn
from transformers import PreTrainedModel

from bench.devices.launched import SHARDING, parallelism
from bench.modeling.mapped_copy import MappedCopy
from bench.modeling.models import Model
from bench.modeling.structure import layers

OWN_WAYS = ("generate", "get_prompt_embedding_to_save")
"""Methods of PEFT's that read weights of the outermost unit without going through its forward pass."""


def to_load(model: Model, bits: int, accelerator: Accelerator) -> Model:
    """The model from which all processes load, in so many bits: where its weights are to be shared out, from files that need no
    converting, which a machine holds once for all its processes."""
    if parallelism(accelerator) not in SHARDING:
        return model
    with accelerator.local_main_process_first():
        return MappedCopy(model, bits).made()


def placed(model: nn.Module, accelerator: Accelerator) -> nn.Module:
    """The model where it can be asked: whole on this process's device, or in parts on all of them."""
    kind = parallelism(accelerator)
    if kind == "fsdp2":
        return _fully_sharded(model, accelerator)
    if kind == "zero3":
        return _partitioned(model, accelerator)
    return model.to(accelerator.device)


def ready(
    model: nn.Module, optimizer: torch.optim.Optimizer, accelerator: Accelerator, max_grad_norm: float
) -> tuple[nn.Module, Any]:
    """A placed model and its optimiser, in the launcher's wrappers, to be trained. What the asking has left is let go: else
    DeepSpeed would go on with its engine."""
    kind = parallelism(accelerator)
    if kind == "fsdp2":
        # The model's parameters are parts already, and so are the optimiser's.
        return model, accelerator.prepare_optimizer(optimizer)
    if kind.startswith("zero"):
        release(accelerator)
        # Under DeepSpeed nothing but its configuration clips.
        accelerator.state.deepspeed_plugin.deepspeed_config["gradient_clipping"] = max_grad_norm
    wrapped, prepared = accelerator.prepare(model, optimizer)
    return wrapped, prepared


def release(accelerator: Accelerator) -> None:
    """Let go of what Accelerate keeps of a model that it has made ready: wrappers, the optimiser with its moments, DeepSpeed's
    engine with its hooks; the model stays."""
    if not (_deepspeed_engine(accelerator) or accelerator._models or accelerator._optimizers):
        return  # to collect garbage for nothing would take a quarter of a second, several times a run
    _unhook(_deepspeed_engine(accelerator))  # no name may hold it while garbage is collected
    # Wrappers go round in circles, and Accelerate forgets them only after it has collected garbage.
    accelerator._models.clear()
    accelerator._optimizers.clear()
    accelerator.free_memory()


def _deepspeed_engine(accelerator: Accelerator) -> Any:
    """DeepSpeed's, in Accelerate's wrapper; None where there is none."""
    return getattr(accelerator, "deepspeed_engine_wrapped", None)


def _unhook(wrapper: Any) -> None:
    """What an engine's own `destroy` leaves in a module, which would keep the engine and its optimiser through it."""
    if wrapper is None:
        return
    wrapper.engine.module_forward_pre_hook.remove()
    wrapper.engine.module_forward_post_hook.remove()
    for weight in wrapper.engine.module.parameters():
        vars(weight).pop("_z3_optimizer", None)


def askable(model: nn.Module, accelerator: Accelerator) -> None:
    """See to it that a model which was let go can be asked: what ZeRO-3 has shared out is put together by an engine alone."""
    if parallelism(accelerator) == "zero3":
        accelerator.prepare(model)


def _fully_sharded(model: nn.Module, accelerator: Accelerator) -> nn.Module:
    from accelerate.utils.fsdp_utils import fsdp2_prepare_model
    from torch.distributed.fsdp import register_fsdp_forward_method
    from transformers.utils.output_capturing import _CAN_RECORD_REGISTRY

    # It would keep the bf16 copy of each weight until the last pass is over, and so the whole model on each device.
    torch.set_autocast_cache_enabled(False)
    # A unit for each block of the stack, whatever transformers lists as not to be split: it lists embeddings, too.
    accelerator.state.fsdp_plugin.transformer_cls_names_to_wrap = [type(layers(model)[0]).__name__]
    sharded: Any = fsdp2_prepare_model(accelerator, model)
    if isinstance(sharded, PreTrainedModel):
        # transformers finds what a model can record, such as hidden states, by its class's name, and fully_shard has made a
        # class of its own of it.
        _CAN_RECORD_REGISTRY[sharded] = sharded._can_record_outputs
    # The outermost unit's weights, too: else they would be whole after a pass, and an optimiser made then would miss its part.
    sharded.set_reshard_after_forward(True)
    for method in OWN_WAYS:
        if hasattr(sharded, method):
            register_fsdp_forward_method(sharded, method)  # else PEFT's would go past the outermost unit
    return sharded


def _partitioned(model: nn.Module, accelerator: Accelerator) -> nn.Module:
    import deepspeed

    release(accelerator)
    config = accelerator.state.deepspeed_plugin.deepspeed_config
    # Before there is an engine, which would first move the whole model to its device.
    deepspeed.zero.Init(module=model, config_dict_or_path={**config, "train_batch_size": accelerator.num_processes})
    for buffer in model.buffers():
        buffer.data = buffer.data.to(accelerator.device)
    askable(model, accelerator)
    return model
