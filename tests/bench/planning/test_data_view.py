"""What a reviewer is shown: examples against the tokenizer's own reading, counts against counts made here."""

import json
from collections import Counter

import pytest

from bench.cli import main
from bench.errors import UserError
from bench.inference.contexts import contexts
from bench.inference.evalset import EvalSet
from bench.planning.data_view import DataView
from bench.specs.library import Library
from bench.tasks.encoding import Encoding
from bench.tasks.prompts import instruction, plain


def test_an_encoder_sees_its_windows_and_is_told_what_is_cut(encoder):
    view = DataView.of("sst2", "sentiment", "tiny-bert", False)
    row, example = next(view.rows("validation")), view.data.validation[0]
    ids = encoder.tokenizer(example.fields["text"])["input_ids"]
    assert (row["tokens"], row["cut"], row["gold"], row["cluster"]) == (len(ids), False, example.gold, example.fields["group"])
    assert row["prompt"] == [encoder.tokenizer.decode(ids)] and row["answer"] == example.gold
    short = DataView(view.task, view.data, type(view.encoding)(encoder, 8), view.wording)
    assert sum(row["cut"] for row in short.rows("validation")) > 1000
    questions = DataView.of("squad", "qa", "tiny-bert", False)
    assert any(len(row["prompt"]) > 1 for row in questions.rows("test")) and not any(r["cut"] for r in questions.rows("test"))


def test_a_question_is_cut_where_one_of_its_choices_is(encoder):
    view = DataView.of("business-exams", "finance", "tiny-bert", False)
    whole, tokenizer = next(view.rows("validation")), encoder.tokenizer
    fields = view.data.validation[0].fields
    pairs = [tokenizer(fields["question"], line[3:])["input_ids"] for line in fields["choices"].split("\n")]
    assert (whole["tokens"], whole["cut"]) == (sum(map(len, pairs)), False)
    longest = max(map(len, pairs))
    for length, cut in ((longest, False), (longest - 1, True)):
        short = DataView(view.task, view.data, Encoding(encoder, length), view.wording)
        assert next(short.rows("validation"))["cut"] is cut


def test_a_decoder_sees_prompt_and_answer(decoder_folder, decoder):
    view = DataView.of("sst2", None, str(decoder_folder), False)
    row, example = next(view.rows("test")), view.data.test[0]
    prompt = plain(view.task.spec, example)
    assert row["prompt"].removeprefix("<s>") == prompt and row["answer"] == f" {example.gold}"
    assert row["tokens"] == len(decoder.tokenizer(prompt)["input_ids"]) + len(view.encoding.ids(row["answer"], special=False))
    instructed = next(DataView.of("sst2", None, str(decoder_folder), True).rows("test"))
    assert instructed["prompt"] != row["prompt"] and example.fields["text"] in instructed["prompt"]


def test_validation_is_shown_in_the_words_of_training_and_the_test_in_unseen_ones(decoder_folder, encoder):
    """As early stopping, curves and the choice of the base's wording ask it."""
    for model in (str(decoder_folder), None):
        view = DataView.of("sst2", None, model, True)
        for split, words in (("train", "train"), ("validation", "train"), ("test", "test")):
            row, example = next(view.rows(split)), view.examples(split)[0]
            assert instruction(view.task.spec, example, words, 0) in row["prompt"]


def test_a_decoder_is_shown_what_a_run_cuts_where_the_longest_answer_has_room(decoder_folder, decoder):
    view = DataView.of("squad", None, str(decoder_folder), False)
    short = DataView(view.task, view.data, Encoding(decoder, 96), view.wording)
    asked = EvalSet(view.task, view.data, short.encoding, view.wording, 0)
    read = contexts(asked)
    rows = list(short.rows("test"))
    assert [row["prompt"] for row in rows] == [decoder.tokenizer.decode(list(context.ids)) for context in read]
    assert [row["cut"] for row in rows] == [context.cut for context in read] and sum(row["cut"] for row in rows) > 100
    assert all(len(context.ids) == 96 - view.task.answer_tokens for context in read if context.cut)


def test_counts_are_those_of_the_data():
    view = DataView.of("sst2", None, None, False)
    counts = view.summary(["validation"])
    found, examples = counts["splits"]["validation"], view.data.validation
    assert counts["notes"] == view.data.notes and list(counts["splits"]) == ["validation"]
    assert found["examples"] == len(examples) and found["labels"] == Counter(example.gold for example in examples)
    assert found["clusters"]["named"] == 56 and found["repeats"] == 0 and "tokens" not in found
    nothing = {"same": 0, "within": 0, "near": 0}
    assert found["shared_with"] == {"train": nothing, "test": nothing}


def test_the_command_prints_lines_and_counts_of_an_own_file(tmp_path, capsys):
    (tmp_path / "rows.jsonl").write_text(
        "".join(json.dumps({"w": f"Ann {i} met Bo", "t": "B-PER O O B-PER"}) + "\n" for i in range(40))
    )
    (tmp_path / "mine.yaml").write_text(
        "{name: mine, version: 1, description: d, type: ner, metrics: [entity_f1], labels: [PER], answers: {PER: person}, "
        "train: {path: rows.jsonl, columns: {words: w, tags: t}, stretches: 5}, cluster: stretch, validation: {share: 0.2}, "
        "test: {share: 0.3, by: stretch}, prompt: '{text}', instructions: {train: ['{text}'], test: ['{text}']}}"
    )
    with pytest.raises(SystemExit) as left:
        main(["data", str(tmp_path / "mine.yaml"), "--split", "test"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert left.value.code == 0 and len(rows) % 5 == 0 and rows[0]["answer"] == "Ann (person); Bo (person)"
    assert set(Counter(row["cluster"] for row in rows).values()) == {5} and rows[0]["tokens"] is None
    with pytest.raises(SystemExit):
        main(["data", str(tmp_path / "mine.yaml"), "--summary"])
    counts = json.loads(capsys.readouterr().out)["splits"]
    assert counts["test"]["labels"] == {"PER": 2 * len(rows), "entities": len(rows)}
    assert counts["test"]["clusters"] == {"named": len(rows) // 5, "largest": 5}


def test_instructions_are_shown_where_there_are_any(tmp_path):
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"t": f"word {i}", "l": "ab"[i % 2]}) + "\n" for i in range(40)))
    path = tmp_path / "bare.yaml"
    path.write_text(
        "{name: bare, version: 1, description: d, type: classification, metrics: [accuracy], labels: [a, b], "
        "answers: {a: a, b: b}, train: {path: rows.jsonl, columns: {text: t, label: l}}, validation: {share: 0.3}, "
        "test: {share: 0.3}}"
    )
    assert next(DataView.of(str(path), None, None, False).rows("test"))["prompt"].startswith("word ")
    with pytest.raises(UserError, match="task 'bare' has no instructions; leave --instructed out"):
        DataView.of(str(path), None, None, True)


def test_what_is_not_there_is_told():
    view = DataView.of("vader-movies", None, None, False)
    assert view.names == ["train", "validation", "test", "amazon", "tweets", "nyt"]
    with pytest.raises(UserError, match="unknown split 'tets'"):
        view.examples("tets")
    assert Library().task("vader-movies") == view.task.spec


def test_what_a_model_behind_an_api_reads_is_told_by_no_tokens(tmp_path, monkeypatch):
    """Named by itself, or as the first of a suite's models."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("name: mine\ndescription: d\nendpoint: {base_url: 'https://host/v1', model: m}\n")
    fields = "name: own, version: 1, description: d, models: [mine.yaml], tasks: [sst2], strategies: [zero-shot]"
    (tmp_path / "own.yaml").write_text(f"{{{fields}}}")
    for suite, model in ((None, "mine.yaml"), ("own.yaml", None)):
        with pytest.raises(
            UserError, match="'mine.yaml' is asked over an API, which takes words; to see them, leave out --mod"
        ):
            DataView.of("sst2", suite, model, False)
