import numpy as np
import pytest
import torch
import transformers
from probing import measured

from bench.probes.base import columns
from bench.probes.drift import grams, linear_cka
from bench.tasks.encoding import Encoding


def by_features(x, y):
    """CKA from the feature-space formula of Kornblith et al., eq. 5 with a linear kernel."""
    x, y = (a.astype(np.float64) - a.mean(0, dtype=np.float64) for a in (x, y))
    return np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))


def cka(old, new, items=None):
    """Of features (layers, items, hidden), on some of the items."""
    columns = [
        {f"layer {n}": np.array([*layer, None], dtype=object)[:-1] for n, layer in enumerate(side)} for side in (old, new)
    ]
    return linear_cka(*map(grams, columns), np.arange(old.shape[1]) if items is None else items)


@pytest.mark.parametrize("items", [np.arange(20), np.array([0, 3, 3, 7, 19, 12, 0])])
def test_cka_is_the_feature_space_formula(items):
    generator = np.random.default_rng(0)
    old, new = generator.normal(size=(2, 3, 20, 8)).astype(np.float32)
    expected = [by_features(x[items], y[items]) for x, y in zip(old, new, strict=True)]
    assert cka(old, new, items).tolist() == pytest.approx(expected, rel=1e-9)


def test_rotation_scale_and_shift_are_no_drift():
    generator = np.random.default_rng(0)
    old = generator.normal(size=(1, 20, 8)).astype(np.float32)
    turned = old @ np.linalg.qr(generator.normal(size=(8, 8)))[0].astype(np.float32) * 3 + 5
    assert cka(old, turned)[0] == pytest.approx(1, abs=1e-5)
    assert cka(old, old)[0] == 1


@pytest.mark.parametrize("family", ["decoder", "encoder"])
def test_features_are_each_layers_means(library, decoder, encoder, made, family):
    model = {"decoder": decoder, "encoder": encoder}[family]
    net = model.load(transformers.AutoModel).eval()
    drift = made(library.probe("drift"), Encoding(model, 64), 6)
    headed = transformers.AutoModelForCausalLM if family == "decoder" else transformers.AutoModelForSequenceClassification
    items = measured(drift, model.load(headed).eval())
    for row, (_, item) in zip(drift.rows, items.iterrows(), strict=True):
        with torch.no_grad():
            read = model.tokenizer(row["text"], return_tensors="pt", truncation=True, max_length=64)
            states = net(**read, output_hidden_states=True).hidden_states
        for layer, state in enumerate(states):
            np.testing.assert_allclose(item[f"layer {layer}"], state[0].mean(0).numpy(), atol=1e-4)


def test_an_untouched_model_has_not_moved_and_a_damaged_one_has(library, decoder, decoding, made, tmp_path, device):
    drift = made(library.probe("drift"), decoding, 10)
    model = decoder.load().eval()
    measured(drift, model, device).to_parquet(tmp_path / "base.parquet")  # as base scores are kept
    before = columns(__import__("pandas").read_parquet(tmp_path / "base.parquet"))
    assert drift.scores(before, columns(measured(drift, model, device))) == (1.0, 1.0)
    moved = []
    for scale in (0.01, 0.03, 0.1):
        damaged = decoder.load().eval()
        torch.manual_seed(0)  # the same direction, further
        with torch.no_grad():
            for weight in damaged.model.layers[1].parameters():
                weight.add_(torch.randn_like(weight) * scale)
        after = columns(measured(drift, damaged))
        moved.append(drift.scores(before, after)[1])
        others = drift.others(before, after)
        assert others["layer 1"] == (1.0, 1.0)  # below the damage
        assert others["layer 2"][1] < 1
    assert 1 > moved[0] > moved[1] > moved[2] > 0
