import pytest

from bench.specs.task import TaskSpec

COLUMNS = {"text": "t", "label": "l"}
FIELDS = {
    "name": "mine",
    "version": 1,
    "description": "",
    "type": "classification",
    "metrics": ["accuracy"],
    "train": {"path": "a.csv", "columns": COLUMNS},
    "validation": {"share": 0.1},
    "test": {"path": "t.csv", "columns": COLUMNS},
    "out_of_domain": {"far": {"path": "f.csv", "columns": COLUMNS}},
}


def test_everything_that_rows_are_read_from_is_named():
    spec = TaskSpec.model_validate(FIELDS)
    assert [source.path for source in spec.sources()] == ["a.csv", "t.csv", "f.csv"]
    more = TaskSpec.model_validate(FIELDS | {"train": [FIELDS["train"], {"path": "b.csv", "columns": COLUMNS}]})
    assert [source.path for source in more.train_sources] == ["a.csv", "b.csv"]


def test_without_instructions_the_prompt_is_the_only_wording():
    spec = TaskSpec.model_validate(FIELDS | {"prompt": "{text} It is"})
    assert spec.paraphrases("train") == spec.paraphrases("test") == ["{text} It is"]
    said = {"instructions": {"train": ["{title}: {text}?", "{text}?"], "test": ["{hint}"]}}
    spec = TaskSpec.model_validate(FIELDS | said)
    assert spec.paraphrases("train") == ["{title}: {text}?", "{text}?"] and spec.paraphrases("test") == ["{hint}"]
    assert spec.fields_named() == {"text", "title", "hint"}


@pytest.mark.parametrize("name", ["train", "validation", "test", "balanced"])
def test_a_set_from_another_domain_takes_no_splits_place(name):
    with pytest.raises(
        ValueError, match=f"a set from another domain cannot be called '{name}', which is another of the task's"
    ):
        TaskSpec.model_validate(FIELDS | {"out_of_domain": {name: {"path": "f.csv", "columns": COLUMNS}}})


def test_sources_of_train_have_one_shape():
    with pytest.raises(ValueError, match="the sources of train must give the same columns"):
        TaskSpec.model_validate(FIELDS | {"train": [FIELDS["train"], {"path": "b.csv", "columns": {"text": "t"}}]})
