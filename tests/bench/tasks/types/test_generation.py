import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import metrics
from bench.errors import UserError
from bench.specs.task import TaskSpec
from bench.tasks import types
from bench.tasks.examples import Example

FIELDS = {
    "name": "headlines",
    "version": 1,
    "description": "",
    "type": "generation",
    "metrics": ["rougeL", "rouge1", "bleu", "chrf"],
    "train": {"path": "rows.jsonl", "columns": {"text": "body", "references": "titles"}},
    "validation": {"share": 0.2},
    "test": {"share": 0.2},
    "prompt": "{text}\nTitle:",
    "instructions": {"train": ["Write a title.\n{text}"], "test": ["{text}\nTitle?"]},
}


def load(**changes):
    return types.task_type(TaskSpec.model_validate(FIELDS | changes))


KIND = load()


@pytest.mark.parametrize(
    ("references", "gold"),
    [
        ("One  two\nthree", ("One two three",)),
        (["One", "Two "], ("One", "Two")),
        (("One",), ("One",)),
        ([7], ("7",)),
    ],
)
def test_rows(references, gold):
    assert KIND.read({"text": " a\nb ", "references": references}) == ({"text": "a\nb"}, gold)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"text": "a", "references": []}, "field 'references' is empty"),
        ({"text": "a", "references": ["x", " "]}, "field 'references' is empty"),
        ({"text": "a", "references": ""}, "field 'references' is empty"),
        ({"text": " ", "references": "x"}, "field 'text' is empty"),
    ],
)
def test_faults_name_the_field(row, sentence):
    with pytest.raises(ValueError) as caught:
        KIND.read(row)
    assert sentence in str(caught.value)


def test_a_copy_of_the_input_is_a_reference_where_one_text_is_read():
    (copy,) = KIND.references([]).items()
    assert copy[0] == "copy of the input" and copy[1](Example("x", {"text": "Hallo", "topic": "b"}, ("Hello",))) == "Hallo"
    two = {
        "prompt": "{topic}: {text}\nTitle:",
        "train": {"path": "rows.jsonl", "columns": {"text": "a", "topic": "b", "references": "c"}},
    }
    assert load(**two).references([]) == {}


def test_options():
    assert KIND.answer_tokens == 64 and load(options={"answer_tokens": 9}).answer_tokens == 9
    with pytest.raises(UserError, match="task 'headlines', options: field 'answer_tokens': Input should be greater"):
        load(options={"answer_tokens": 0})
    with pytest.raises(UserError, match="metric 'accuracy' does not fit a generation task"):
        load(metrics=["accuracy"])


@settings(deadline=None)
@given(st.lists(st.text(min_size=1).filter(lambda text: text.split()), min_size=1, max_size=3))
def test_the_first_reference_is_the_answer_and_is_parsed_back(references):
    fields, gold = KIND.read({"text": "a", "references": references})
    example = Example("x", fields, gold)
    assert KIND.answer(example) == gold[0]
    assert KIND.parse(example, f"  {KIND.answer(example)}\n") == gold[0]


@pytest.mark.parametrize("said", ["", " ", "\n\t"])
def test_an_empty_text_is_malformed(said):
    assert KIND.parse(Example("x", {}, ("a",)), said) is None


@settings(deadline=None)  # the first one imports the metrics' packages
@given(st.lists(st.text("ab .", min_size=1).filter(str.strip), min_size=1, max_size=3))
def test_what_a_malformed_answer_counts_as_is_never_right(gold):
    for name in FIELDS["metrics"]:
        assert metrics.counted(name).value([KIND.wrong(Example("x", {}, tuple(gold)))], [gold]) == 0


def test_an_encoder_has_no_head_for_it():
    assert KIND.auto_class is None and KIND.asks == "write"
