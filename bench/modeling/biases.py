"""The biases of layers in 8 and 4 bit, which stay as they were loaded.

bitsandbytes casts a layer's bias in place to the type of what the layer reads. Under autocast that is bf16 in one pass and fp32
in another, and what bf16 has rounded away does not come back: a model that has trained would read on with other biases than one
that goes on from its checkpoint, and than the base that it is held against.
"""

from typing import Any

from torch import Tensor, nn


def keep_biases(model: nn.Module) -> None:
    """Give each of them back after each pass."""
    from bitsandbytes.nn.modules import Linear4bit, Linear8bitLt  # slow to import, and few models have such layers

    for layer in model.modules():
        if isinstance(layer, Linear8bitLt | Linear4bit) and layer.bias is not None:
            _keep(layer)


def _keep(layer: nn.Module) -> None:
    before: list[Tensor] = []

    def remember(layer: Any, *_: Any) -> None:
        before.append(layer.bias.data)

    def give_back(layer: Any, *_: Any) -> None:
        layer.bias.data = before.pop()

    layer.register_forward_pre_hook(remember)
    layer.register_forward_hook(give_back, always_call=True)
