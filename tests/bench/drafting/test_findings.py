"""Counts of a task's splits, and sentences on what will hurt; each fault is planted."""

import random
from itertools import count

import pytest
from own_files import as_csv, reviews
from scipy.stats import norm

from bench.drafting.draft import drafted
from bench.drafting.findings import faults, fitting_length, shown_prompt, split_counts
from bench.drafting.table import opened
from bench.drafting.wishes import Wishes
from bench.planning.data_view import SPLITS, DataView
from bench.specs.wording import Wording
from bench.tasks import splits, types
from bench.tasks.encoding import Encoding

NUMBER = count()


@pytest.fixture
def said(tmp_path, encoder):
    """What is told of a file with these rows."""

    def told(header, rows, length=64, budget="64examples", **options):
        path = tmp_path / f"{next(NUMBER)}.csv"
        path.write_text(as_csv(header, rows))
        given = Wishes().with_options(**options)
        draft = drafted(opened(str(path), given), given)
        spec = draft.spec()
        view = DataView(types.task_type(spec), splits.load_splits(spec), Encoding(encoder, length), Wording())
        counts = [split_counts(view, split) for split in SPLITS]
        return counts, "\n".join(faults(draft, view, counts, budget))

    return told


ROWS = [list(row) for row in reviews(400)]


def test_counts_are_of_what_is_read(said):
    counts, sentences = said(["text", "label"], ROWS)
    by_name = {each.name: each for each in counts}
    assert sum(each.examples for each in counts) <= 400 and set(by_name["test"].labels) == {"bad", "good"}
    assert sum(by_name["test"].labels.values()) == by_name["test"].examples
    train = by_name["train"]
    assert train.words["least"] >= 13 and train.tokens["median"] > train.words["median"] and train.cut == 0
    for fault in ("cut", "two labels", "numbers", "word of their own", "share their label", "each seen", "fewer than"):
        assert fault not in sentences


def test_few_test_items_are_told_with_what_they_show(said):
    counts, sentences = said(["text", "label"], ROWS)
    items = counts[2].examples
    assert f"{items:,} test items show a difference of " in sentences and "2 points take about 3,0" in sentences
    shown = float(sentences.split("show a difference of ")[1].split(" ")[0]) / 100
    # The normal approximation of McNemar's test at a discordance of .15: the exact test needs a little more.
    near = (norm.isf(0.025) + norm.isf(0.2)) * (0.15 / items) ** 0.5
    assert near <= shown <= 1.3 * near


@pytest.mark.parametrize(
    ("rows", "options", "sentence"),
    [
        (ROWS, {"length": 16}, "are longer than max_length and are cut"),
        (ROWS, {"budget": "8000examples"}, "within 8000examples"),
        ([*ROWS, *([t, "bad"] for t, y in ROWS if y == "good")], {}, "texts stand in the file with two labels"),
        ([[t, "01"[y == "good"]] for t, y in ROWS], {}, "the labels are numbers, which tell a decoder nothing"),
        ([[t, f"{y == 'good':.1f}"] for t, y in ROWS], {}, "the labels are numbers, which tell a decoder nothing"),
        ([[f"{y}: {t}", y] for t, y in ROWS], {}, "hold the word of their own label"),
        ([*ROWS, *([t[::-1], "rare"] for t, _ in ROWS[:12])], {}, "fewer than 10 test examples of rare"),
        ([*ROWS, *ROWS[:50]], {}, "50 of 450 rows repeat another one and are left out"),
        ([*ROWS, *([f"{t} Indeed so.", y] for t, y in ROWS[:90])], {}, "stand in the test set, whole or nearly"),
    ],
    ids=["cut", "few", "contradictions", "numbers", "numbers with a point", "given away", "rare", "repeats", "overlap"],
)
def test_a_planted_fault_is_found(said, rows, options, sentence):
    assert sentence in said(["text", "label"], rows, **options)[1]


def test_ids_that_tell_the_label_are_told_and_kept_apart_on_demand(said):
    chance = random.Random(0)
    habit = [chance.random() < 0.5 for _ in range(40)]
    sells = {label: [i for i in range(40) if habit[i] == (label == "good")] for label in ("good", "bad")}
    rows = [[text, label, f"shop {chance.choice(sells[label])}"] for text, label in ROWS]
    _, sentences = said(["text", "label", "seller"], rows)
    assert "rows of one 'seller' share their label in 100% of pairs" in sentences and "--group seller" in sentences
    assert "share their label" not in said(["text", "label", "seller"], rows, group="seller")[1]
    mixed = [[text, label, f"shop {chance.randrange(40)}"] for text, label in ROWS]
    assert "seller" not in said(["text", "label", "seller"], mixed)[1]


def test_a_label_in_other_words_is_no_group(said):
    """The layout of SetFit/20_newsgroups: to keep such a column's rows together would hold out whole classes."""
    rows = [[text, str(place % 12), f"topic {place % 12}"] for place, (text, _) in enumerate(ROWS)]
    assert "share their label" not in said(["text", "label", "label_text"], rows)[1]


def test_texts_with_two_labels_are_told_by_the_rule_by_which_repeats_go(said):
    signs = [[f"{sign} {text}", label] for text, _ in ROWS for sign, label in (("🙂", "good"), ("🙁", "bad"))]
    assert "two labels" not in said(["text", "label"], signs)[1]
    blank = [*ROWS, *([text, ""] for text, _ in ROWS[:50])]
    assert "two labels" not in said(["text", "label"], blank)[1]
    merged = [row for text, y in ROWS for row in ([[text, "0"], [text, "1"]] if y == "bad" else [[text, "2"]])]
    assert "two labels" not in said(["text", "label"], merged, labels="0=bad,1=bad,2=good")[1]


def test_a_length_holds_nearly_all_texts():
    assert fitting_length([10] * 99 + [500], 512) == 64 and fitting_length([200] * 100, 512) == 256
    assert fitting_length([900] * 100, 512) == 512 and fitting_length([100] * 100, 96) == 96 and fitting_length([5], 512) == 64


def test_a_long_text_is_cut_for_the_eye():
    assert shown_prompt({"prompt": "a\nb  c"}, 20) == "a b c" and shown_prompt({"prompt": ["x " * 30]}, 12) == "x x x x x..."
