import json

import pytest

from bench.data import sources
from bench.errors import UserError
from bench.specs.source import Source
from bench.specs.task import TaskSpec
from bench.tasks import splits
from bench.tasks.examples import Example
from bench.tasks.separation import normalised


def test_sst2_test_set_is_whole_and_not_in_training(sst2):
    loaded = splits.load_splits(sst2)
    assert len(loaded.test) == 872
    assert [sum(e.gold == label for e in loaded.test) for label in ("positive", "negative")] == [444, 428]
    test = {normalised({"text": example.fields["text"]}) for example in loaded.test}
    assert not test & {normalised({"text": example.fields["text"]}) for example in (*loaded.train, *loaded.validation)}
    # Without the removal most of SST-2's validation set would be trained on: the check has something to find.
    raw = {normalised({"text": row["text"]}) for row in sources.rows(sst2.train)}
    assert len(test & raw) > 600


def test_training_data_is_the_same_without_what_is_held_out(sst2):
    whole, seen = splits.load_splits(sst2), splits.load_training(sst2)
    assert (seen.train, seen.validation) == (whole.train, whole.validation)
    assert vars(seen).keys() == {"spec", "train", "validation"} and seen.split("train") == whole.split("train")
    with pytest.raises(KeyError):
        seen.split("test")
    assert whole.split("test") == whole.test


def test_what_is_mixed_in_holds_nothing_of_the_tests_of_the_tasks_beside_it(library, sst2):
    """Both tasks are of film reviews of one collection: most of the one's test sentences stand in the other's training."""
    mixed, test = library.task("vader-movies"), splits.load_splits(sst2).test
    whole, left = splits.load_training(mixed).train, splits.trained_examples(mixed, [sst2, mixed])
    held = [normalised({"text": example.fields["text"]}) for example in test if len(example.fields["text"].split()) > 4]
    before, after = ("|".join(normalised({"text": example.fields["text"]}) for example in part) for part in (whole, left))
    assert sum(text in before for text in held) > 500 and not any(text in after for text in held)
    assert 0.75 * len(whole) < len(left) < len(whole)
    # Nor what is chosen on: the first task's validation.
    validation = [each for each in splits.load_splits(sst2).validation if len(each.fields["text"].split()) > 4]
    chosen_on = [normalised({"text": example.fields["text"]}) for example in validation]
    assert sum(text in before for text in chosen_on) > 500 and not any(text in after for text in chosen_on)
    assert splits.trained_examples(sst2, [sst2, mixed]) == splits.load_training(sst2).train  # all strategies' own


def test_a_test_that_is_only_asked_counts_too_and_the_own_tasks_overlap_is_told(library, sst2, tmp_path):
    """Mixed in, a task holds nothing of a further task's test; the run's own stays as it is, and its overlap is counted."""
    asked, rte = library.task("vader-movies"), library.task("rte")
    tests = [e.fields["text"] for e in splits.load_splits(asked).test[:300]] + [
        e.fields["text"] for e in splits.load_splits(sst2).train[:300]
    ]
    mixed = own_task(tmp_path, [{"body": text, "verdict": ("good", "bad")[n % 2]} for n, text in enumerate(tests)])
    alone, beside = (splits.trained_examples(mixed, tested) for tested in ([rte, mixed], [rte, mixed, asked]))
    assert alone == splits.load_training(mixed).train and 0 < len(beside) < len(alone)
    assert splits.in_other_tests([sst2]) == splits.in_other_tests([sst2, rte]) == 0
    train = {normalised({"text": example.fields["text"]}) for example in splits.load_training(sst2).train}
    equal = sum(normalised({"text": example.fields["text"]}) in train for example in splits.load_splits(asked).test)
    assert 0 < equal <= splits.in_other_tests([sst2, rte, asked])


def test_general_texts_hold_nothing_of_a_test(sst2, tmp_path):
    sentence = next(e.fields["text"] for e in splits.load_splits(sst2).test if len(e.fields["text"].split()) > 12)
    texts = ["A text of quite another kind.", f"They wrote: {sentence}, and went home.", sentence.upper()]
    (tmp_path / "texts.jsonl").write_text("\n".join(json.dumps({"t": text}) for text in texts))
    source = Source(path=str(tmp_path / "texts.jsonl"), columns={"text": "t"})
    assert splits.general_texts(source, [sst2]) == texts[:1]
    (tmp_path / "tests.jsonl").write_text("\n".join(json.dumps({"t": text}) for text in texts[1:]))
    with pytest.raises(UserError, match="rehearsal: all texts of its source stand in the test of sst2; give other texts"):
        splits.general_texts(Source(path=str(tmp_path / "tests.jsonl"), columns={"text": "t"}), [sst2])


def test_a_task_that_is_a_test_whole_is_told(tmp_path, sst2):
    films = splits.load_splits(sst2).test[:200]
    rows = [{"body": e.fields["text"], "verdict": "good" if e.gold == "positive" else "bad"} for e in films]
    with pytest.raises(UserError, match="task 'own': all its training examples stand in the test of sst2; leave it out"):
        splits.trained_examples(own_task(tmp_path, rows), [sst2])


def test_validation_shares_no_film_with_training(sst2):
    loaded = splits.load_splits(sst2)
    films = [{example.fields["group"] for example in split} for split in (loaded.train, loaded.validation)]
    assert films[1] and not films[0] & films[1]
    assert 0.05 < len(loaded.validation) / len(loaded.train) < 0.2


def test_normalised_sees_through_tokenisation():
    first, second = (Example("", {"text": text}, "") for text in ("It's a GREAT film...", "it 's a great film . . ."))
    assert normalised({"text": first.fields["text"]}) == normalised({"text": second.fields["text"]})
    assert len({normalised({"text": text}) for text in ("!!!", "?", "!!!")}) == 2


def test_an_id_beside_the_text_does_not_hide_an_overlap(tmp_path):
    (tmp_path / "test.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS[:10]))
    train = {"path": str(tmp_path / "rows.jsonl"), "columns": {"text": "body", "label": "verdict", "film": "film"}}
    test = {"path": str(tmp_path / "test.jsonl"), "columns": {"text": "body", "label": "verdict"}}
    rows = [{**row, "film": f"f{i}"} for i, row in enumerate(ROWS)]
    loaded = splits.load_splits(own_task(tmp_path, rows, train=train, test=test))
    assert loaded.notes["in_test_removed"] + loaded.notes["validation_in_test_removed"] == 10


def own_task(folder, rows, **changes):
    path = folder / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    fields = {
        "name": "own",
        "version": 1,
        "description": "",
        "type": "classification",
        "metrics": ["accuracy"],
        "labels": ["good", "bad"],
        "train": {"path": str(path), "columns": {"text": "body", "label": "verdict"}},
        "validation": {"share": 0.2},
        "test": {"share": 0.2},
        "prompt": "{text} Verdict:",
        "answers": {"good": "yes", "bad": "no"},
        "instructions": {"train": ["{text}?"], "test": ["{text}!"]},
    }
    return TaskSpec.model_validate(fields | changes)


ROWS = [{"body": f"text number {i}", "verdict": "good" if i % 2 else "bad"} for i in range(60)]


def test_splits_cover_everything_and_do_not_move_when_rows_come(tmp_path):
    one = splits.load_splits(own_task(tmp_path, ROWS))
    assert len(one.train) + len(one.validation) + len(one.test) == 60
    (tmp_path / "more").mkdir()
    more = [{"body": f"another {i}", "verdict": "good"} for i in range(40)]
    two = splits.load_splits(own_task(tmp_path / "more", ROWS + more))
    assert {e.fields["text"] for e in one.test} <= {e.fields["text"] for e in two.test}


@pytest.mark.parametrize(
    ("rows", "changes", "sentence"),
    [
        ([*ROWS, {"body": "x", "verdict": "ugly"}], {}, r"line 61: label 'ugly' is not one of good, bad"),
        ([*ROWS, {"body": "  ", "verdict": "bad"}], {}, r"line 61: field 'text' is empty"),
        ([*ROWS, {"text": "x", "verdict": "bad"}], {}, r"line 61: field 'text' is empty"),
        ([], {}, r"no rows are left: the file holds none"),
        (ROWS[:1], {}, r"split is empty"),
        (
            ROWS[1::2],
            {},
            r"each of the \d\d examples of the train split is labelled 'good', so that one answer is right for all",
        ),
        (ROWS, {"validation": {"share": 0.2, "by": "film"}}, r"the validation split is by 'film', but the columns give text"),
    ],
)
def test_bad_data_gets_a_sentence(tmp_path, rows, changes, sentence):
    with pytest.raises(UserError, match=sentence):
        splits.load_splits(own_task(tmp_path, rows, **changes))


@pytest.mark.parametrize(
    ("kind", "same", "other", "sentence"),
    [
        ("classification", {"label": "bad"}, {"label": "good"}, "each of the 12 examples of the test split is labelled 'bad'"),
        (
            "ner",
            {"tags": ["O", "O", "O"]},
            {"tags": ["O", "O", "B-good"]},
            "each of the 12 examples of the test split is without an entity",
        ),
        ("qa", {"answers": []}, {"answers": ["number"]}, "each of the 12 examples of the test split is without an answer"),
    ],
)
def test_a_test_set_that_one_answer_solves_is_refused(tmp_path, kind, same, other, sentence):
    def written(name, golds):
        texts = [f"{name} number {i}" for i in range(len(golds))]
        more = {"ner": lambda t: {"words": t.split()}, "qa": lambda t: {"context": t, "question": "Which?"}}
        rows = [more.get(kind, lambda t: {"text": t})(text) | gold for text, gold in zip(texts, golds, strict=True)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
        return {"path": str(tmp_path / f"{name}.jsonl"), "columns": {field: field for field in rows[0]}}

    fields = {
        "classification": {},
        "ner": {"metrics": ["entity_f1"], "prompt": "{text}"},
        "qa": {"metrics": ["squad_f1"], "prompt": "{context} {question}", "options": {"no_answer": "none"}},
    }[kind]
    fields = {"type": kind, "instructions": None, "train": written("train", [same, other] * 20), **fields}
    good = own_task(tmp_path, ROWS, **fields, test=written("fine", [same] * 11 + [other]))
    assert len(splits.load_splits(good).test) == 12
    with pytest.raises(UserError, match=sentence):
        splits.load_splits(own_task(tmp_path, ROWS, **fields, test=written("poor", [same] * 12)))


def test_several_sources_follow_one_another_and_splits_are_cut_from_the_first(tmp_path):
    said = ["good", "bad"]
    (tmp_path / "a.csv").write_text("t,l\n" + "".join(f"first {i},{said[i % 2]}\n" for i in range(40)))
    (tmp_path / "b.jsonl").write_text("".join(json.dumps({"x": f"second {i}", "y": "bad"}) + "\n" for i in range(40)))
    first = {"path": str(tmp_path / "a.csv"), "columns": {"text": "t", "label": "l"}}
    second = {"path": str(tmp_path / "b.jsonl"), "columns": {"text": "x", "label": "y"}}
    test = first | {"drop": {"text": [f"first {i}" for i in range(20, 40)]}}
    loaded = splits.load_splits(own_task(tmp_path, ROWS, train=[first, second], test=test))
    assert loaded.notes["read"] == 80 and loaded.notes["in_test_removed"] + loaded.notes["validation_in_test_removed"] == 20
    assert loaded.validation and all(e.fields["text"].startswith("first") for e in loaded.validation)
    # Both sources count on: an id names one row.
    kept = {example.id: (example.fields["text"], example.gold) for example in (*loaded.train, *loaded.validation)}
    assert kept == {f"train-{i + 1}": (f"first {i}", said[i % 2]) for i in range(20, 40)} | {
        f"train-{i + 41}": (f"second {i}", "bad") for i in range(40)
    }
    order = [example.fields["text"].split()[0] for example in loaded.train]
    assert order == ["first"] * (20 - len(loaded.validation)) + ["second"] * 40


def test_what_options_leave_out_is_counted_of_each_set_with_rows_of_its_own(tmp_path):
    def written(name, outside):
        rows = [
            {"context": f"{name} number {i}", "question": "Which?", "answers": "none" if i < outside else str(i)}
            for i in range(9)
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
        return {"path": str(tmp_path / f"{name}.jsonl"), "columns": {field: field for field in rows[0]}}

    fields = {"type": "qa", "metrics": ["squad_f1"], "prompt": "{context} {question}", "options": {"outside": "drop"}}
    fields |= {"instructions": None, "labels": [], "answers": {}, "train": written("train", 1), "test": written("test", 2)}
    fields |= {"validation": written("chosen", 0), "out_of_domain": {"away": written("away", 3)}}
    loaded = splits.load_splits(own_task(tmp_path, ROWS, **fields))
    assert {name: n for name, n in loaded.notes.items() if "left_out" in name} == {
        "left_out": 1,
        "test_left_out": 2,
        "away_left_out": 3,
    }
    assert [len(loaded.split(name)) for name in ("test", "validation", "away")] == [7, 9, 6]


def test_a_fault_in_a_second_source_names_its_file(tmp_path):
    (tmp_path / "b.csv").write_text("t,l\nx,good\n\ny,ugly\n")
    good = {"path": str(tmp_path / "rows.jsonl"), "columns": {"text": "body", "label": "verdict"}}
    spec = own_task(tmp_path, ROWS, train=[good, {"path": str(tmp_path / "b.csv"), "columns": {"text": "t", "label": "l"}}])
    with pytest.raises(UserError, match=r"task 'own', train: .*b.csv, line 4: label 'ugly' is not one of good, bad"):
        splits.load_splits(spec)


def test_sources_of_another_shape_are_refused(tmp_path):
    good = {"path": "a.csv", "columns": {"text": "body", "label": "verdict"}}
    with pytest.raises(ValueError, match="the sources of train must give the same columns"):
        own_task(tmp_path, ROWS, train=[good, {"path": "b.csv", "columns": {"text": "t", "label": "l", "film": "f"}}])
    with pytest.raises(UserError, match="a source has no column 'label'"):
        splits.load_splits(own_task(tmp_path, ROWS, train=[{"path": "b.csv", "columns": {"text": "t"}}]))


def test_tasks_that_split_alike_have_the_same_texts_held_out(tmp_path):
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS))
    train = {"path": str(tmp_path / "rows.jsonl"), "columns": {"text": "body", "label": "verdict"}}
    fields = {"version": 1, "description": "", "type": "classification", "metrics": ["accuracy"], "labels": ["good", "bad"]}
    fields |= {"train": train, "validation": {"share": 0.2}, "answers": {"good": "good", "bad": "bad"}}

    def tested(name, **how):
        spec = TaskSpec.model_validate({**fields, "name": name, "test": {"share": 0.3, "by": "text", **how}})
        return {example.fields["text"] for example in splits.load_splits(spec).test}

    assert tested("german", like="words") == tested("french", like="words") == tested("words")
    assert tested("german") != tested("french")


def test_stretches_of_other_files_are_others(tmp_path):
    """Planted fault: what lay in another file's third stretch left training with this file's."""
    rows = [{"body": f"text {n} of {n * 7919} {'xyz'[n % 3] * 9}", "verdict": ("good", "bad")[n % 2]} for n in range(240)]
    parts = []
    for name, part in (("one", rows[:120]), ("two", rows[120:])):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, part)))
        columns = {"text": "body", "label": "verdict"}
        parts.append({"path": str(tmp_path / f"{name}.jsonl"), "columns": columns, "stretches": 3})
    held = {name: {"share": share, "by": "stretch"} for name, share in (("test", 0.2), ("validation", 0.1))}
    loaded = splits.load_splits(own_task(tmp_path, rows, train=parts, **held))
    assert loaded.notes["held_groups_removed"] == 0 and {e.fields["stretch"] for e in loaded.test}


def test_a_held_out_group_is_in_no_further_source_either(tmp_path):
    """Two shards of one data set, each with all films."""
    texts = [f"text {n} of {'abc'[n % 3] * 9} {n * 7919}" for n in range(240)]
    rows = [{"body": text, "verdict": ("good", "bad")[n % 2], "film": f"f{n % 12}"} for n, text in enumerate(texts)]
    columns = {"text": "body", "label": "verdict", "film": "film"}
    shards = []
    for name, part in (("one", rows[:120]), ("two", rows[120:])):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, part)))
        shards.append({"path": str(tmp_path / f"{name}.jsonl"), "columns": columns})
    held = {name: {"share": share, "by": "film"} for name, share in (("test", 0.2), ("validation", 0.1))}
    loaded = splits.load_splits(own_task(tmp_path, rows, train=shards, **held))
    train, validation, test = ({e.fields["film"] for e in part} for part in (loaded.train, loaded.validation, loaded.test))
    assert train and validation and test and not train & validation and not train & test and not validation & test
    assert loaded.notes["held_groups_removed"] > 0
