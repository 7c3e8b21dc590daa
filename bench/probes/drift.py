"""How far a model's representations have moved: linear CKA between the base's and the tuned model's hidden states on the same
texts, per layer (Kornblith et al. 2019). 1 is no change but rotation and scale.

`measure` keeps each text's mean hidden state of each layer, and the score compares two such sets. With few texts and many
dimensions CKA is too high, the more so the fewer the texts: compare only values of the same number of items.
"""

import numpy as np
import pandas as pd

from bench.inference.backend import Backend
from bench.probes.base import Columns, Probe
from bench.statistics.arrays import Floats, Indices

LAYER = "layer "


class Drift(Probe):
    family = None
    uses = "embeddings"
    value = "linear CKA with the base"
    higher_is_better = True
    share = True
    directed = False
    needs = frozenset({"text"})

    def measure(self, backend: Backend) -> pd.DataFrame:
        """A column of vectors per layer, `layer 0` being the embeddings; an item has no `value` of its own."""
        means = backend.embeddings([self.encoding.whole([row["text"]]) for row in self.rows], every_layer=True).numpy()
        frame = self.frame([float("nan")] * len(self.rows))
        return frame.assign(**{f"{LAYER}{layer}": list(means[:, layer]) for layer in range(means.shape[1])})

    def score(self, items: Columns) -> float:
        """A model's similarity to itself."""
        return 1.0

    def scores(self, before: Columns, after: Columns) -> tuple[float, float]:
        """1, and the mean of the layers' CKA."""
        return 1.0, float(np.mean(_cka_of_layers(before, after)))

    def others(self, before: Columns, after: Columns) -> dict[str, tuple[float, float]]:
        """Each layer's CKA."""
        return {name: (1.0, float(cka)) for name, cka in zip(_layers(before), _cka_of_layers(before, after), strict=True)}


def _cka_of_layers(before: Columns, after: Columns) -> Floats:
    return linear_cka(grams(before), grams(after), np.arange(len(before["value"])))


def _layers(items: Columns) -> list[str]:
    return [name for name in items if name.startswith(LAYER)]


def grams(items: Columns) -> Floats:
    """Inner products of the items' centred features, (layers, items, items): all that CKA needs, whatever items are chosen."""
    features = np.stack([np.stack(list(items[name])) for name in _layers(items)]).astype(np.float64)
    centred = features - features.mean(1, keepdims=True)
    return np.stack([layer @ layer.T for layer in centred])


def linear_cka(old: Floats, new: Floats, items: Indices) -> Floats:
    """Per layer |X'Y|^2 / (|X'X| |Y'Y|) of the chosen items' centred features X and Y, by their Gram matrices.

    Exactly 1 where both are the same. Features that don't vary over the items count as unchanged.
    """
    x, y = (_centred_gram(gram[:, items[:, None], items]) for gram in (old, new))
    both, first, second = ((a * b).sum((1, 2)) for a, b in ((x, y), (x, x), (y, y)))
    norm = np.sqrt(first * second)
    # Rounding may take a layer that did not change past 1.
    return np.where(norm > 0, np.minimum(both / np.where(norm > 0, norm, 1.0), 1.0), 1.0)


def _centred_gram(gram: Floats) -> Floats:
    """The Gram matrix of features moved to mean 0."""
    rows = gram.mean(1, keepdims=True)
    # The matrix is symmetric, so that its columns' means are its rows'.
    moved: Floats = gram - rows - rows.transpose(0, 2, 1) + rows.mean(2, keepdims=True)
    return moved
