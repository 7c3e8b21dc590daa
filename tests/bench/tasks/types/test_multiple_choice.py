"""Choices of an item's own: rows, words and back, and scores against lm-evaluation-harness and transformers."""

from dataclasses import replace

import pytest
import torch

from bench.errors import UserError
from bench.inference.embeddings import WholeModel, askable_backbone
from bench.inference.evalset import EvalSet
from bench.inference.local import LocalBackend
from bench.inference.predictions import predict
from bench.modeling.forward import loss_sum
from bench.selftests.plain_answers import plain_answer
from bench.selftests.plain_reader import PlainReader
from bench.specs.library import Library
from bench.specs.wording import Wording
from bench.strategies.adapter import Adapter, AdapterHyperparameters
from bench.tasks import separation, splits, types
from bench.tasks.encoding import Encoding
from bench.tasks.examples import Example
from bench.tasks.few_shot import pick_shots
from bench.tokens.encoded import collate
from bench.tokens.token_counts import TokenCounts, padded_counts

SPEC = Library().task("medmcqa")
EXAM = types.task_type(SPEC)
ROW = {"id": "1", "question": "Which?", "subject": "x", "choices": ["Rickets", " the  flu ", "Flu"], "gold": "1"}
ITEM = Example("x", {"question": "Which one?", "choices": "A. Rickets\nB. the flu\nC. the flu vaccine"}, "B")
MORE = Example("y", {"question": "Who?", "choices": "A. nobody\nB. all of them together\nC. he\nD. she\nE. it"}, "D")


def with_options(**options):
    return types.task_type(SPEC.model_copy(update={"options": options}))


def test_rows():
    fields, gold = EXAM.read(ROW)
    assert fields["choices"] == "A. Rickets\nB. the flu\nC. Flu" and fields["question"] == "Which?" and gold == "B"
    assert EXAM.candidates(Example("", fields, gold)) == {"A": "Rickets", "B": "the flu", "C": "Flu"}
    assert [EXAM.read(ROW | {"gold": said})[1] for said in ("0", "c", "C", 2)] == ["A", "C", "C", "C"]


def test_choices_of_several_columns():
    train = SPEC.train.model_copy(update={"columns": {"question": "q", "a": "opa", "b": "opb", "gold": "cop"}, "unique": None})
    columns = {"train": train, "out_of_domain": {}, "options": {"choices": ["{a}", "not {b}"]}}
    kind = types.task_type(SPEC.model_copy(update=columns))
    fields, gold = kind.read({"question": "Which?", "a": "one", "b": "two", "gold": "B"})
    assert fields == {"question": "Which?", "choices": "A. one\nB. not two"} and gold == "B"
    with pytest.raises(UserError, match="no column 'c'"):
        types.task_type(SPEC.model_copy(update=columns | {"options": {"choices": ["{a}", "{c}"]}}))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"gold": "3"}, "field 'gold' must be a choice's number from 0 to 2 or its letter from A to C, not '3'"),
        ({"gold": "D"}, "not 'D'"),
        ({"gold": ""}, "not ''"),
        ({"gold": "-1"}, "not '-1'"),
        ({"choices": ["one"]}, "field 'choices' must be a list of 2 to 26"),
        ({"choices": ["one", " "]}, "none of them empty"),
        ({"choices": "one"}, "field 'choices' must be a list"),
        ({"question": ""}, "field 'question' is empty"),
    ],
)
def test_faults_of_rows_name_the_field(changes, sentence):
    with pytest.raises(ValueError) as caught:
        EXAM.read(ROW | changes)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"labels": ["a"]}, "has its own choices"),
        ({"options": {"choices": ["{id}"]}}, "at least two are needed"),
        ({"options": {"choices": ["{id.x}", "b"]}}, "a template holds {id.x}"),
    ],
)
def test_faults_of_the_task(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        types.task_type(SPEC.model_copy(update=changes))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("the flu", "B"),
        ("The flu.", "B"),
        ("the flu vaccine", "C"),
        ("B", "B"),
        ("**C**", "C"),
        ("(c) since", "C"),
        ("B. the flu", "B"),
        ("a", "A"),
        ("D", None),
        ("A flu", None),
        ("Ricketsia", None),
        ("", None),
    ],
)
def test_answers_in_words_are_parsed_back(said, meant):
    assert EXAM.parse(ITEM, said) == meant
    assert EXAM.answer(ITEM) == "the flu"


def test_answers_without_a_model():
    train = [replace(ITEM, gold=gold) for gold in "ABB"] + [MORE]
    assert EXAM.constant(train)(ITEM) == "B" and EXAM.references(train)["longest choice"](ITEM) == "C"
    assert EXAM.constant([MORE])(ITEM) == "A"  # three choices have no D


@pytest.mark.parametrize("words", ["(x+3)(x-2)", '"yes"', "'tis", "*bold*"])
def test_a_choice_that_begins_with_a_sign_is_understood(words):
    item = replace(ITEM, fields=ITEM.fields | {"choices": f"A. mumps\nB. {words}"})
    assert EXAM.parse(item, words) == "B" and EXAM.parse(item, f'"{words}"') == "B" and EXAM.parse(item, "(A)") == "A"


@pytest.mark.parametrize(
    ("choices", "said", "meant"),
    [
        (["a", "c", "bc", "ad"], "C. bc", "C"),
        (["a", "c", "bc", "ad"], "(B) c", "B"),
        (["the", "a", "an", "of"], "A. the", "A"),
        (["the", "a", "an", "of"], "a", "B"),
        (["a", "c", "bc", "ad"], "D", "D"),
    ],
)
def test_choices_whose_words_are_letters_of_others(choices, said, meant):
    lines = "\n".join(f"{letter}. {words}" for letter, words in zip("ABCD", choices, strict=True))
    assert EXAM.parse(replace(ITEM, fields=ITEM.fields | {"choices": lines}), said) == meant


def test_a_question_with_other_choices_is_another_item():
    other = replace(ITEM, fields=ITEM.fields | {"choices": "A. mumps\nB. scurvy"})
    bare = types.task_type(SPEC.model_copy(update={"instructions": None}))  # whose words name the question alone
    assert separation.unique(bare, [ITEM, other, ITEM]) == [ITEM, other]


def test_words_are_left_out_of_the_question_alone():
    thinned = EXAM.thinned(ITEM, lambda words: range(1, len(words)))
    assert thinned.fields == {"question": "one?", "choices": ITEM.fields["choices"]}


def test_solved_examples_are_the_first_that_the_seed_draws():
    data = splits.load_splits(SPEC)
    assert len({shot.id for shot in pick_shots(EXAM, data, 5, 0)}) == 5
    assert pick_shots(EXAM, data, 5, 0) != pick_shots(EXAM, data, 5, 1)


@pytest.mark.parametrize(("normalised", "measure"), [(None, "acc"), ("characters", "acc_norm"), ("bytes", "acc_bytes")])
def test_a_decoders_answers_are_right_where_the_harness_says_so(decoder, normalised, measure):
    pytest.importorskip("lm_eval")
    import datasets
    from lm_eval.api.task import ConfigurableTask
    from lm_eval.models.huggingface import HFLM

    evalset = EvalSet(with_options(normalised=normalised), splits.load_splits(SPEC), Encoding(decoder, 512), Wording(), 0, 8)
    docs = [
        {"query": e.fields["question"], "choices": list(EXAM.candidates(e).values()), "gold": "ABCD".index(e.gold)}
        for e in evalset.examples
    ]
    rows = datasets.Dataset.from_list(docs)
    words = {"doc_to_text": "Question: {{query}}\nAnswer:", "doc_to_target": "gold", "doc_to_choice": "choices"}
    metrics = [{"metric": name} for name in ("acc", "acc_norm", "acc_bytes")]
    given = {"task": "exam", "output_type": "multiple_choice", "test_split": "test", "metric_list": metrics}
    made = ConfigurableTask(config={**given, **words, "custom_dataset": lambda **_: {"test": rows}})
    made.build_all_requests(rank=0, world_size=1)
    module = decoder.load().eval()
    told = HFLM(pretrained=module, tokenizer=decoder.tokenizer, batch_size=1).loglikelihood(made.instances)
    by_doc = [told[start : start + 4] for start in range(0, len(told), 4)]
    right = [made.process_results(doc, answers)[measure] for doc, answers in zip(docs, by_doc, strict=True)]
    found = predict(LocalBackend(module, decoder), evalset)
    assert [float(row) for row in found["prediction"] == found["gold"]] == right


@pytest.mark.parametrize("examples", [[ITEM, ITEM], [ITEM, MORE], [MORE, ITEM, MORE]])
def test_an_encoders_loss_is_that_of_transformers_for_each_example(encoder, examples):
    torch.manual_seed(0)
    net = encoder.load(EXAM.auto_class, num_labels=EXAM.outputs()).eval()
    losses = []
    for example in examples:
        words = list(EXAM.candidates(example).values())
        read = encoder.tokenizer([example.fields["question"]] * len(words), words, return_tensors="pt", padding=True)
        labels = torch.tensor(["ABCDE".index(example.gold)])
        losses.append(net(**{name: ids[None] for name, ids in read.items()}, labels=labels).loss.item())
    windows = [Encoding(encoder, 64).windows(EXAM, example, Wording(), "train", 0)[0] for example in examples]
    assert loss_sum(net, collate(windows, 0, torch.device("cpu"))).item() == pytest.approx(sum(losses), rel=1e-5)


def test_choices_are_rows_of_their_own_in_what_is_counted(encoder):
    short, long = (Encoding(encoder, 64).windows(EXAM, example, Wording(), "train", 0)[0] for example in (ITEM, MORE))
    length = max(long.lengths)
    assert (short.size, long.size) == (3 * max(short.lengths), 5 * length) and len(long.ids) == sum(long.lengths)
    assert padded_counts([short, long]) == TokenCounts(10 * length, 10 * length**2, 10, 10)


@pytest.mark.parametrize("wording", [Wording(), Wording(shots=2), Wording(style="instruction")])
@pytest.mark.parametrize("limit", [128, 48])
def test_a_decoder_ranks_as_it_does_read_plainly(decoder, wording, limit):
    alike(
        EvalSet(with_options(normalised="characters"), splits.load_splits(SPEC), Encoding(decoder, limit), wording, 0, 3),
        decoder,
    )


@pytest.mark.parametrize("head", [0, None])
def test_an_encoder_answers_as_it_does_read_plainly(encoder, head):
    alike(EvalSet(EXAM, splits.load_splits(SPEC), Encoding(encoder, 32), Wording(), 0, 6, head=head), encoder)


def alike(evalset, model):
    auto = {} if model.family == "decoder" else {"auto_class": EXAM.auto_class, "num_labels": 1}
    net = model.load(**auto).eval()
    found = predict(LocalBackend(net, model), evalset)
    for index, row in found.iterrows():
        plain = plain_answer(evalset, index, PlainReader(net, model))
        assert row["confidence"] == pytest.approx(plain.confidence, abs=1e-5)
        assert row["prediction"] == plain.value or plain.margin < 1e-4


def test_texts_go_through_a_head_of_choices_as_through_the_backbone(encoder):
    net = encoder.load(EXAM.auto_class, num_labels=1).eval()
    read = Encoding(encoder, 64).whole(["The quick fox"])
    batch = collate([read], 0, torch.device("cpu"))
    inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask, "token_type_ids": batch.types}
    wanted = askable_backbone(net)(**inputs).last_hidden_state
    assert torch.allclose(WholeModel(net)(**inputs).last_hidden_state, wanted, atol=1e-6)
    text = {"input_ids": list(read.ids), "token_type_ids": list(read.types)}
    assert torch.allclose(PlainReader(net, encoder).states(text)[-1], wanted[0], atol=1e-6)


def test_virtual_tokens_before_choices_are_refused(encoder):
    hyperparameters = AdapterHyperparameters(
        learning_rate=1e-3, bits=32, peft={"peft_type": "PROMPT_TUNING", "num_virtual_tokens": 2}
    )
    adapter = Adapter("prompt", hyperparameters)
    with pytest.raises(UserError, match="a multiple-choice head is none"):
        adapter.adapt(encoder.load(EXAM.auto_class, num_labels=1), "encoder")


def test_a_question_with_shuffled_choices_is_the_same_one():
    """And one with other choices is another. Planted fault: letters and order made it a new question."""
    shuffled = {**ITEM.fields, "choices": "A. (the) Flu vaccine\nB. rickets\nC. The flu"}
    others = {**ITEM.fields, "choices": "A. Rickets\nB. the gout\nC. the mumps"}
    train = [Example("t", shuffled, "C"), Example("u", others, "B")]
    left, _, notes = separation.separated(EXAM, train, [], {"test": [ITEM]})
    assert left == train[1:] and notes["in_test_removed"] == 1


def test_a_choice_is_as_long_as_its_letters_or_their_bytes():
    lengths = [with_options(**said).length("Öl 油") for said in ({}, {"normalised": "characters"}, {"normalised": "bytes"})]
    assert lengths == [1, 4, 2 + 1 + 1 + 3]
