import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench import metrics
from bench.errors import UserError
from bench.specs.library import Library
from bench.tasks import splits, types
from bench.tasks.examples import Example

LIBRARY = Library()
SPEC = LIBRARY.task("rte")
RTE = types.task_type(SPEC)


def test_rows():
    row = {"premise": " It rains. ", "hypothesis": 7, "label": "entailment"}
    assert RTE.read(row) == ({"premise": "It rains.", "hypothesis": "7"}, "entailment")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"label": "neutral"}, "label 'neutral' is not one of entailment, not_entailment"),
        ({"label": ""}, "label '' is not one of entailment, not_entailment"),
        ({"premise": " \n"}, "field 'premise' is empty"),
        ({"premise": ["I", "don't"]}, "field 'premise' must be one text, not a list; name an entry of it"),
    ],
)
def test_faults_name_the_field(changes, sentence):
    with pytest.raises(ValueError) as caught:
        RTE.read({"premise": "a", "hypothesis": "b", "label": "entailment"} | changes)
    assert sentence in str(caught.value)


def test_answers_in_words_are_parsed_back():
    item = Example("x", {"premise": "It rains.", "hypothesis": "It is wet."}, "entailment")
    assert RTE.candidates(item) == {"entailment": "yes", "not_entailment": "no"}
    assert RTE.described(item)["entailment"] == "\nStatement: \nFollows: yes"
    for label in SPEC.labels:
        said = RTE.answer(Example("x", {}, label))
        for text in (said, said.upper(), f" {said}.", f'"{said}"', f"**{said}**, because", f"{said}\n"):
            assert RTE.parse(Example("x", {}, ""), text) == label


@pytest.mark.parametrize(
    "said", ["", " ", "maybe", "I say yes", "y es", "...", "entailment", "yesterday", "Nothing follows", "none"]
)
def test_malformed_answers(said):
    assert RTE.parse(Example("x", {}, "entailment"), said) is None


def test_the_longest_answer_that_fits_is_meant():
    spec = SPEC.model_copy(update={"answers": {"entailment": "not", "not_entailment": "not at all"}})
    kind = types.task_type(spec)
    assert kind.parse(Example("x", {}, ""), "Not at all!") == "not_entailment"
    assert kind.parse(Example("x", {}, ""), "not so") == "entailment"


@given(st.text(max_size=10))
def test_whatever_is_said_is_a_label_or_malformed(said):
    assert RTE.parse(Example("x", {}, ""), said) in (*SPEC.labels, None)


@pytest.mark.parametrize("name", ["accuracy", "f1_macro"])
@pytest.mark.parametrize("label", SPEC.labels)
def test_what_a_malformed_answer_counts_as_is_never_right(name, label):
    assert metrics.counted(name).value([RTE.wrong(Example("x", {}, label))], [label]) == 0


def test_perfect_logits_give_the_gold_of_real_rows_back(encoder):
    for some in splits.load_splits(SPEC).test:
        (window,) = RTE.encode(encoder.tokenizer, 64, some, [some.fields["premise"], some.fields["hypothesis"]])
        assert len(window.ids) <= 64 and window.targets == 1
        logits = torch.nn.functional.one_hot(torch.tensor(window.labels), RTE.outputs()) * 3.0
        label, share = RTE.judge(some, [window], [logits])
        assert label == some.gold and share == pytest.approx(torch.tensor([3.0, 0.0]).softmax(0)[0].item())


def test_what_is_too_long_loses_its_end(encoder):
    some = Example("x", {}, "entailment")
    (window,) = RTE.encode(encoder.tokenizer, 16, some, ["word " * 40])
    assert list(window.ids) == encoder.tokenizer("word " * 14)["input_ids"]


def test_words_are_left_out_of_every_field():
    thin = RTE.thinned(Example("x", {"premise": "a b c", "hypothesis": "d e"}, "entailment"), lambda words: [len(words) - 1])
    assert thin == Example("x", {"premise": "c", "hypothesis": "e"}, "entailment")


def test_a_metric_of_another_type_is_refused():
    with pytest.raises(
        UserError, match="task 'rte': metric 'entity_f1' does not fit a classification task; these do: accuracy"
    ):
        types.task_type(SPEC.model_copy(update={"metrics": ["accuracy", "entity_f1"]}))
