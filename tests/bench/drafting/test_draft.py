"""What is drafted of files of unlike shapes: a task that reads them, or a sentence that says what is missing."""

import json

import pytest
from own_files import SHAPES, TAGS, as_csv, reviews, sentences

from bench.drafting.draft import drafted, name_of
from bench.drafting.table import opened
from bench.drafting.wishes import Wishes
from bench.errors import UserError
from bench.tasks import splits


def draft(path, **options):
    given = Wishes().with_options(**options)
    return drafted(opened(str(path), given), given)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if not shape.sentence], ids=lambda shape: shape.name)
def test_each_shape_is_read_as_it_is(shape, tmp_path):
    found = draft(shape.write(tmp_path))
    spec = found.spec()
    assert (spec.type, tuple(spec.labels)) == (shape.type, shape.labels)
    assert spec.train_sources[0].columns == shape.columns
    written = {name: value for name, value in found.source.items() if name not in ("path", "columns")}
    assert written == shape.source
    data = splits.load_splits(spec)
    assert data.notes["read"] >= 80 and data.test and data.validation
    assert {str(example.gold) for example in data.test} <= set(shape.labels) or shape.type != "classification"


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape.sentence], ids=lambda shape: shape.name)
def test_what_nobody_can_guess_is_told(shape, tmp_path):
    with pytest.raises(UserError) as caught:
        draft(shape.write(tmp_path), **shape.options)
    assert shape.sentence in str(caught.value) and shape.name in str(caught.value)


def test_every_guess_says_why_and_how_to_change_it(tmp_path):
    path = tmp_path / "Our Reviews (2).csv"
    path.write_text(as_csv(["body", "verdict", "note"], [[text, label, "x"] for text, label in reviews()], delimiter=";"))
    found = draft(path)
    assert found.name == name_of(str(path)) == "our-reviews-2"
    by_name = {guess.about: guess for guess in found.guesses}
    assert name_of("my.reviews.csv.gz") == "my.reviews" and name_of("owner/mails.v2") == "mails.v2"
    assert all(guess.why for guess in found.guesses)
    assert by_name["separator"].option == "--separator" and by_name["label"].value == "verdict"
    assert {"--type", "--text", "--label", "--labels", "--group", "--name"} <= {guess.option for guess in found.guesses}


def test_what_is_said_is_taken(tmp_path):
    path = tmp_path / "both.csv"
    rows = [[text, text[::-1], label, "ab"[i % 2]] for i, (text, label) in enumerate(reviews())]
    path.write_text(as_csv(["text", "back", "label", "kind"], rows))
    assert draft(path).roles.columns == {"text": "text", "label": "label"}
    other = draft(path, text="text,back", label="kind", labels="a=even,b=odd", group="label", name="mine")
    assert other.roles.columns == {"text": "text", "back": "back", "label": "kind"} and other.name == "mine"
    assert other.source["values"] == {"label": {"a": "even", "b": "odd"}} and other.roles.labels == ["even", "odd"]
    assert other.task()["cluster"] == "group" and other.task()["test"] == {"share": 0.3, "by": "group"}
    assert draft(path, type="causal-lm").roles.type == "causal-lm"
    for option, words in (("text", "--text nose: no such column"), ("label", "--label nose: no such column")):
        with pytest.raises(UserError, match=words):
            draft(path, **{option: "nose"})
    with pytest.raises(UserError, match="--labels says nothing of 'b'"):
        draft(path, label="kind", labels="a=x")


def test_a_group_that_some_rows_lack_is_not_guessed_and_refused(tmp_path):
    path = tmp_path / "authors.csv"
    rows = [[text, label, f"author {i // 5}"] for i, (text, label) in enumerate(reviews())]
    path.write_text(as_csv(["text", "label", "author"], [*rows, ["", "", ""]]))  # a blank row is left out, and has no author
    assert draft(path).group == draft(path, group="author").group == "author"
    path = tmp_path / "strangers.csv"
    path.write_text(as_csv(["text", "label", "author"], [*rows[:-3], *([text, label, " "] for text, label, _ in rows[-3:])]))
    found = draft(path)
    assert found.group is None and splits.load_splits(found.spec()).train
    assert "author" not in next(guess.why for guess in found.guesses if guess.about == "group")
    with pytest.raises(UserError, match="--group author: that column is blank in 3 of 160 rows, .* say --group none"):
        draft(path, group="author")
    assert draft(path, group="none").group is None


def test_files_of_other_splits_are_used_where_they_lie_beside(tmp_path):
    for name, seed in (("train", 0), ("test", 1), ("dev", 2)):
        (tmp_path / f"{name}.csv").write_text(as_csv(["text", "label"], [list(row) for row in reviews(60, seed)]))
    found = draft(tmp_path / "train.csv")
    task = found.task()
    assert task["test"]["path"].endswith("test.csv") and task["validation"]["path"].endswith("dev.csv")
    data = splits.load_splits(found.spec())
    assert len(data.test) == 60 and data.notes["read"] == 60
    alone = draft(tmp_path / "train.csv", test="none", validation="none").task()
    assert alone["test"] == {"share": 0.3}


def test_a_test_file_without_answers_that_lies_beside_is_left_out(tmp_path):
    """As competitions hand it out. One that is named must have them."""
    (tmp_path / "train.csv").write_text(as_csv(["text", "label"], [list(row) for row in reviews()]))
    (tmp_path / "test.csv").write_text(as_csv(["text"], [[text] for text, _ in reviews(50)]))
    found = draft(tmp_path / "train.csv")
    assert found.task()["test"] == {"share": 0.3} and splits.load_splits(found.spec()).test
    told = [guess for guess in found.guesses if guess.about == "test"]
    assert "test.csv lies beside it, and has no column 'label'" in told[0].why and told[0].option == "--test"
    with pytest.raises(UserError, match="no column 'label'"):
        splits.load_splits(draft(tmp_path / "train.csv", test=str(tmp_path / "test.csv")).spec())


def test_a_blank_beside_a_columns_name_need_not_be_said(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(as_csv(["id", " text", " label"], [[n, text, label] for n, (text, label) in enumerate(reviews(300))]))
    found = draft(path, text="text", label="label")
    assert found.roles.columns == {"text": " text", "label": " label"} and splits.load_splits(found.spec()).test


def test_a_file_of_a_split_comes_before_a_column(tmp_path):
    divided = tmp_path / "divided.csv"
    words = ["train", "train", "train", "dev", "test"]
    divided.write_text(as_csv(["text", "label", "part"], [[*row, words[i % 5]] for i, row in enumerate(reviews())]))
    (tmp_path / "own.csv").write_text(as_csv(["text", "label"], [list(row) for row in reviews(60, 1)]))
    found = draft(divided, test=str(tmp_path / "own.csv"))
    task, data = found.task(), splits.load_splits(found.spec())
    assert task["test"] == {"path": str(tmp_path / "own.csv"), "columns": {"text": "text", "label": "label"}}
    assert task["validation"]["drop"] == {"split": ["test", "train"]}
    assert len(data.test) == 60 and data.notes["read"] == 96
    assert next(guess.why for guess in found.guesses if guess.about == "test") == "as you said"


def test_blanks_around_labels_and_names_of_splits_mean_nothing(tmp_path):
    path = tmp_path / "blanks.csv"
    parts = ["train", "train", " train", "test ", ""]
    rows = [[text, label + " " * (i % 3), parts[i % 5]] for i, (text, label) in enumerate(reviews())]
    path.write_text(as_csv(["text", " label", "split"], rows))
    found = draft(path)
    assert found.roles.labels == ["bad", "good"] and found.source["values"]["label"]["good  "] == "good"
    assert found.source["drop"] == {"split": ["", "test "]}
    data = splits.load_splits(found.spec())
    assert {example.gold for example in data.train} == {"bad", "good"} and len(data.test) == 32
    assert not {example.fields["text"] for example in data.train} & {text for text, _, part in rows if part in ("", "test ")}


def test_objects_without_a_key_are_left_out(tmp_path):
    path = tmp_path / "keys.jsonl"
    rows = [{"text": text, "label": label} for text, label in reviews()]
    path.write_text("\n".join(map(json.dumps, [{"text": "no label"}, *rows, {"label": "good"}])))
    found = draft(path)
    assert found.source["drop"] == {"text": [""], "label": [""]}
    assert splits.load_splits(found.spec()).notes["read"] == 160


def test_tags_as_text_are_read_in_any_scheme(tmp_path):
    labels = ",".join(f"{number}={tag}" for tag, number in TAGS.items())
    for number, (written, options) in enumerate(
        (
            ({tag: tag for tag in TAGS} | {"I-PER": "E-PER", "B-LOC": "S-LOC"}, {}),
            ({tag: str(number) for tag, number in TAGS.items()}, {"type": "ner", "label": "tags", "labels": labels}),
        )
    ):
        path = tmp_path / f"{number}.csv"
        rows = [[" ".join(word for word, _ in each), " ".join(written[tag] for _, tag in each)] for each in sentences()]
        path.write_text(as_csv(["words", "tags"], rows))
        data = splits.load_splits(draft(path, **options).spec())
        assert {example.gold for example in data.train} == {("O", "O", "B-PER", "I-PER", "O", "B-LOC", "O")}


def test_rows_without_a_number_are_left_out(tmp_path):
    path = tmp_path / "nan.csv"
    path.write_text(as_csv(["text", "label"], [[text, ["1.0", "0.0", "nan"][i % 3]] for i, (text, _) in enumerate(reviews())]))
    found = draft(path)
    assert found.roles.labels == ["0.0", "1.0"] and found.source["drop"] == {"label": ["nan"]}
    assert splits.load_splits(found.spec()).notes["read"] == 107


def test_pairs_and_text_to_write_and_a_corpus_are_told_apart(tmp_path):
    texts = [text for text, _ in reviews()]
    pairs = tmp_path / "pairs.csv"
    pairs.write_text(as_csv(["premise", "hypothesis", "label"], [[t, t[::-1], "yn"[i % 2]] for i, t in enumerate(texts)]))
    assert draft(pairs).roles.columns == {"premise": "premise", "hypothesis": "hypothesis", "label": "label"}
    news = tmp_path / "news.csv"
    news.write_text(as_csv(["article", "summary"], [[f"{t} {t}", t] for t in texts]))
    assert draft(news).roles.columns == {"text": "article", "references": "summary"} and draft(news).roles.type == "generation"
    corpus = tmp_path / "corpus.csv"
    corpus.write_text(as_csv(["text", "lang"], [[t, "en"] for t in texts]))
    assert draft(corpus).roles.type == "causal-lm"


def test_a_legend_beside_the_file_names_the_numbers(tmp_path):
    path = tmp_path / "news.csv"
    path.write_text(as_csv(["label", "text"], [["12"[label == "good"], text] for text, label in reviews()]))
    assert draft(path).roles.labels == ["1", "2"]
    (tmp_path / "classes.txt").write_text("bad\ngood\n")
    found = draft(path)
    assert found.roles.labels == ["bad", "good"] and found.roles.values == {"1": "bad", "2": "good"}
    assert str(tmp_path / "classes.txt") in next(guess.why for guess in found.guesses if guess.about == "labels")
