"""Which column holds classes, what they are called, and which score fits them."""

import json
from dataclasses import replace
from itertools import count

import pytest
from own_files import as_csv, reviews

from bench.drafting.classification import classification_roles, label_column
from bench.drafting.table import opened
from bench.drafting.wishes import Wishes
from bench.errors import UserError

NUMBER = count()


def table(folder, header, rows):
    path = folder / f"{next(NUMBER)}.csv"  # a file is read once a process
    path.write_text(as_csv(header, rows))
    return opened(str(path), Wishes())


def test_a_name_is_better_than_few_values(tmp_path):
    found = table(tmp_path, ["text", "kind", "label"], [[t, "ab"[i % 2], "xyz"[i % 3]] for i, (t, _) in enumerate(reviews())])
    assert label_column(found, Wishes()).name == "label" and label_column(found, Wishes(label="kind")).name == "kind"
    nameless = table(tmp_path, ["text", "kind", "lang"], [[t, "ab"[i % 2], "en"] for i, (t, _) in enumerate(reviews())])
    assert label_column(nameless, Wishes()).name == "kind"


def test_a_named_column_of_several_references_is_no_class(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps({"text": text, "references": [text, text[::-1]]}) for text, _ in reviews()))
    found = opened(str(path), Wishes())
    assert label_column(found, Wishes(label="references")) is None
    with pytest.raises(UserError, match="holds lists, and a classification has one label for each text"):
        label_column(found, Wishes(label="references", type="classification"))


def test_names_of_numbers_are_the_lines_of_a_file_beside_or_inside(tmp_path):
    (tmp_path / "classes.txt").write_text("bad\ngood\n")
    found = table(tmp_path, ["text", "label"], [[t, f"{y == 'good':.1f}"] for t, y in reviews()])
    inside = replace(found, name=str(tmp_path))
    for each in (found, inside):
        assert classification_roles(each, Wishes(), label_column(each, Wishes())).labels == ["bad", "good"]
    assert classification_roles(replace(found, name="."), Wishes(), label_column(found, Wishes())).labels == ["0.0", "1.0"]


def test_a_skewed_file_is_scored_by_f1(tmp_path):
    for most, score in ((9, "f1_macro"), (2, "accuracy")):
        rows = [[t, "rare" if i % (most + 1) == 0 else "usual"] for i, (t, _) in enumerate(reviews())]
        found = table(tmp_path, ["text", "label"], rows)
        roles = classification_roles(found, Wishes(), label_column(found, Wishes()))
        assert roles.metrics[0] == score == next(guess.value for guess in roles.guesses if guess.about == "score")


def test_numbers_stand_in_their_order_and_answers_are_words(tmp_path):
    found = table(tmp_path, ["text", "label"], [[t, str(8 + i % 4)] for i, (t, _) in enumerate(reviews())])
    roles = classification_roles(found, Wishes(), label_column(found, Wishes()))
    assert roles.labels == ["8", "9", "10", "11"] and "if they have names, say --labels" in roles.guesses[3].why
    named = Wishes().with_options(labels="8=Very_Bad,9=bad,10=fine,11=Good")
    roles = classification_roles(found, named, label_column(found, named))
    assert roles.labels == ["Very_Bad", "bad", "fine", "Good"] and roles.answers["Very_Bad"] == "very bad"
