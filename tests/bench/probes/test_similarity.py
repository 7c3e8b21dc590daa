import numpy as np
import pytest
import torch
import transformers
from probing import measured
from scipy import stats

from bench.errors import UserError
from bench.probes import probe_class
from bench.tasks.encoding import Encoding


def cosines(rows, model, tokenizer):
    found = []
    with torch.no_grad():
        for row in rows:
            pair = [
                model(**tokenizer(row[side], return_tensors="pt")).last_hidden_state[0].mean(0) for side in ("first", "second")
            ]
            found.append(torch.cosine_similarity(*pair, dim=0).item())
    return found


def test_binary_gold_is_judged_by_the_rank_of_cosines(library, encoder, made):
    mrpc = made(library.probe("mrpc"), Encoding(encoder, 128), 40)
    model = encoder.load(transformers.AutoModel).eval()
    items = measured(mrpc, model)
    assert items["value"][:5].tolist() == pytest.approx(cosines(mrpc.rows[:5], model, encoder.tokenizer), abs=1e-4)
    yes, no = (items[items["gold"] == gold]["value"] for gold in ("1", "0"))
    wins = sum((a > b) + 0.5 * (a == b) for a in yes for b in no) / (len(yes) * len(no))
    assert mrpc.score({name: items[name].to_numpy() for name in items}) == pytest.approx(wins)


def test_graded_gold_is_judged_by_spearman(encoder, own, made):
    rows = [
        {"first": "a dog runs", "second": second, "gold": gold}
        for second, gold in [("a dog runs", 5), ("a dog is running fast", 4.2), ("a cat sleeps", 1.5), ("taxes rise", 0)]
    ]
    probe = made(own("similarity", rows, options={"gold": "graded"}), Encoding(encoder, 64))
    assert probe.value == "Spearman correlation"
    frame = measured(probe, encoder.load(transformers.AutoModel).eval())
    items = {name: frame[name].to_numpy() for name in frame}
    ranks = [stats.rankdata(column) for column in (items["value"], items["gold"].astype(float))]
    assert probe.score(items) == pytest.approx(np.corrcoef(*ranks)[0, 1])
    assert probe.score({name: column[[0, 0]] for name, column in items.items()}) == 0


@pytest.mark.parametrize(
    ("options", "gold", "sentence"),
    [
        ({}, "yes", "field 'gold' must be 0 or 1, not 'yes'"),
        ({}, "3.5", "field 'gold' must be 0 or 1, not '3.5'"),
        ({"gold": "graded"}, "much", "field 'gold' must be a number, not 'much'"),
    ],
)
def test_wrong_gold_is_named(own, options, gold, sentence):
    spec = own("similarity", [{"first": "a", "second": "b", "gold": gold}], options=options)
    with pytest.raises(UserError, match=sentence):
        probe_class(spec).check(spec)


def test_rte_pairs_are_faultless(library):
    spec = library.probe("rte-pairs")
    probe_class(spec).check(spec)
