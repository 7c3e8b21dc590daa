"""A suite's YAML: tasks or stages or a list of suites."""

import pytest

from bench.errors import UserError
from bench.specs.library import suites_for

LIST = """name: several
version: 1
description: one after another
suites: [%s]
"""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (LIST % "sentiment" + "seeds: 3\n", "a list of suites says nothing else; 'seeds' belongs into one of them"),
        (LIST % "sentimnt", "unknown suite 'sentimnt'; did you mean sentiment"),
        (LIST % "mine", "mine is a list of suites itself; name its parts"),
        (LIST % "", "'models' is missing or empty"),
        (LIST % "" + "models: [minilm]\ntasks: [sst2]\n", "'strategies' is missing or empty"),
    ],
)
def test_a_list_of_suites_is_checked(tmp_path, text, sentence):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        suites_for(str(tmp_path / "mine.yaml"))
    assert str(tmp_path / "mine.yaml") in str(caught.value) or "unknown" in sentence
    assert sentence in str(caught.value)
