"""How long a text may be for a model, by the positions that it has."""

from torch import nn


def positions(model: nn.Module) -> int | None:
    """How many tokens it can read at once, by its config and its shape; None where nothing bounds them.

    Of long-range rotary positions (Phi-3's `longrope`) it is the length up to which all texts are read alike: where the longest
    text of a pass is longer, transformers turns the others by other angles too, and an answer hangs on the texts beside it.
    """
    config = getattr(model, "config", None)
    most: int | None = getattr(config, "max_position_embeddings", None)
    if not most:
        return None
    turned = getattr(config, "rope_parameters", None) or {}
    if turned.get("rope_type") == "longrope":
        original = turned.get("original_max_position_embeddings") or getattr(config, "original_max_position_embeddings", None)
        most = min(most, original or most)
    # RoBERTa's kind begins to count behind the padding's own position, which its config does not say.
    begun = (
        module.padding_idx + 1
        for name, module in model.named_modules()
        if "position_embeddings" in name.split(".") and isinstance(getattr(module, "padding_idx", None), int)
    )
    return most - next(begun, 0)
