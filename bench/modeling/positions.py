"""How long a text may be for a model, by the positions that it has."""

from torch import nn


def positions(model: nn.Module) -> int | None:
    """How many tokens it can read at once, by its config and its shape; None where nothing bounds them."""
    most: int | None = getattr(getattr(model, "config", None), "max_position_embeddings", None)
    if not most:
        return None
    # RoBERTa's kind begins to count behind the padding's own position, which its config does not say.
    begun = (
        module.padding_idx + 1
        for name, module in model.named_modules()
        if "position_embeddings" in name.split(".") and isinstance(getattr(module, "padding_idx", None), int)
    )
    return most - next(begun, 0)
