"""Text that is answered by text, and bare text."""

import pytest
from own_files import as_csv, reviews

from bench.drafting.generation import corpus_roles, generation_roles, target_column
from bench.drafting.table import opened
from bench.drafting.wishes import Wishes
from bench.errors import UserError


def test_a_target_is_found_by_its_name(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(as_csv(["document", "summary"], [[f"{text} {text}", text] for text, _ in reviews()]))
    table = opened(str(path), Wishes())
    found = generation_roles(table, Wishes(), target_column(table, Wishes()))
    assert found.prompt == "Document: {text}\nSummary:" and found.columns == {"text": "document", "references": "summary"}
    assert target_column(table, Wishes(label="document")).name == "document"
    assert (
        corpus_roles(table, Wishes()).columns == {"text": "document"}
        and corpus_roles(table, Wishes(text=["summary"])).prompt == "{text}"
    )
    assert corpus_roles(table, Wishes(type="causal-lm")).guesses[0].why == "as you said"
    for given in (Wishes(text=["document", "summary"]), Wishes(label="summary")):
        with pytest.raises(UserError, match=r"bare text \(causal-lm\) is one column without answers, and --.*; leave it out"):
            corpus_roles(table, given)
    with pytest.raises(UserError, match="a text to write needs a column of it; name it with --label"):
        generation_roles(table, Wishes(), None)
