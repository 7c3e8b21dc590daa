"""How far a model's representations have moved: linear CKA between the base's and the tuned model's hidden states on the same
texts, per layer (Kornblith et al. 2019). 1 is no change but rotation and scale.

`measure` keeps each text's mean hidden state of each layer, and the score compares two such sets. With few texts and many
dimensions CKA is too high, the more so the fewer the texts: compare only values of the same number of items.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
from torch import nn

from bench.embeddings import layer_means
from bench.probes.base import Columns, Probe

LAYER = "layer "


class Drift(Probe):
    family = None
    value = "linear CKA with the base"
    higher_is_better = True
    share = True
    needs = frozenset({"text"})

    def measure(self, model: nn.Module) -> pd.DataFrame:
        """A column of vectors per layer, `layer 0` being the embeddings; an item has no `value` of its own."""
        means = layer_means(model, self.encoding, [[row["text"]] for row in self.rows], self.tokens, every=True).numpy()
        frame = self.frame([float("nan")] * len(self.rows))
        return frame.assign(**{f"{LAYER}{layer}": list(means[:, layer]) for layer in range(means.shape[1])})

    def score(self, items: Columns) -> float:
        """A model's similarity to itself."""
        return 1.0

    def scores(self, before: Columns, after: Columns) -> tuple[float, float]:
        """1, and the mean of the layers' CKA."""
        return 1.0, float(np.mean(list(per_layer(before, after).values())))

    def others(self, before: Columns, after: Columns) -> dict[str, tuple[float, float]]:
        return {layer: (1.0, cka) for layer, cka in per_layer(before, after).items()}


def per_layer(before: Columns, after: Columns) -> dict[str, float]:
    """Linear CKA of each layer."""
    layers = [name for name in before if name.startswith(LAYER)]
    old, new = (np.stack([np.stack(list(items[name])) for name in layers]) for items in (before, after))
    return dict(zip(layers, linear_cka(old, new).tolist(), strict=True))


def linear_cka(old: npt.NDArray[np.float32], new: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Per layer, from features (layers, items, hidden): |X'Y|^2 / (|X'X| |Y'Y|) of centred X and Y, by their Gram matrices.

    Exactly 1 where both are the same. Features that don't vary over the items count as unchanged.
    """
    x, y = (_gram(features) for features in (old, new))
    both, first, second = ((a * b).sum((1, 2)) for a, b in ((x, y), (x, x), (y, y)))
    norm = np.sqrt(first * second)
    return np.where(norm > 0, np.minimum(both / np.where(norm > 0, norm, 1.0), 1.0), 1.0)


def _gram(features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    centred = features - features.mean(1, keepdims=True)
    return (centred @ centred.transpose(0, 2, 1)).astype(np.float64)
