"""F1 on seen and unseen mentions against sets of spans written apart."""

import json

import numpy as np
import pandas as pd
import pytest
from seqeval.metrics.sequence_labeling import get_entities

from bench import metrics
from bench.metrics.mentions import PARTS, restricted

TAGS = ["O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


@pytest.mark.parametrize("seed", range(20))
def test_each_part_is_f1_over_its_own_spans(seed):
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 12, size=8)
    gold = [[str(tag) for tag in random.choice(TAGS, size)] for size in sizes]
    guess = [[tag if random.random() < 0.7 else "O" for tag in tags] for tags in gold]
    runs = [[(a, b) for a in range(size) for b in range(a + 1, size + 1) if random.random() < 0.5] for size in sizes]
    frame = pd.DataFrame({"gold": gold, "prediction": guess, "seen": [json.dumps(part) for part in runs]})
    for name, wanted in PARTS.items():
        sides = []
        for tags in (guess, gold):
            found = {(i, *span) for i, item in enumerate(tags) for span in get_entities(item)}
            sides.append({(i, kind, a, b) for i, kind, a, b in found if ((a, b + 1) in runs[i]) == wanted})
        mine, right = sides
        expected = 2 * len(mine & right) / (len(mine) + len(right)) if mine or right else 0
        part = restricted(frame, name, ["gold", "prediction"])
        assert metrics.counted(name).value(part["prediction"].tolist(), part["gold"].tolist()) == pytest.approx(expected)


def test_other_metrics_and_frames_without_the_column_stay():
    frame = pd.DataFrame({"gold": [["B-PER"]], "prediction": [["O"]], "seen": ["[[0, 1]]"]})
    assert restricted(frame, "entity_f1", ["gold"]) is frame
    bare = frame.drop(columns="seen")
    assert restricted(bare, "entity_f1_seen", ["gold"]) is bare
    assert restricted(frame, "entity_f1_unseen", ["gold"])["gold"].tolist() == [["O"]] and frame["gold"].tolist() == [["B-PER"]]
