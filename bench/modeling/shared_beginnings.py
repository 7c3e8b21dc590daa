"""In which trainings a beginning that several texts share may be read once for all of them, with the gradients of all."""

from torch import nn

from bench.modeling.forward import caches
from bench.modeling.structure import drops, layers, lowest_trained


def shares_beginnings(model: nn.Module) -> bool:
    """Whether losses and gradients are then those of texts that are read whole, but for the order of sums.

    Not so where something is dropped, since each text draws for itself; nor in 8 bit, where what a text becomes hangs on the
    texts beside it. Gradient checkpointing would compute keys and values again, and put them into the cache a second time. And
    what lower blocks that never change make of a whole text is kept (`replay_fixed_blocks`), which saves more.
    """
    if not caches(model) or drops(model) or any(getattr(module, "gradient_checkpointing", False) for module in model.modules()):
        return False
    whole_numbers = any(not weight.is_floating_point() for weight in model.parameters())
    return not whole_numbers and lowest_trained(model, list(layers(model))) == 0
