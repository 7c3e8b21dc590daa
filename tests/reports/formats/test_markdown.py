"""Text from outside is text in Markdown, and tables have their columns."""

import pytest

from reports.formats.markdown import escaped, markdown_table


@pytest.mark.parametrize(
    ("text", "written"),
    [("a|b\n<i>", "a\\|b \\<i\\>"), ("peft.r_of=4", "peft.r_of=4"), ("_x_ `y` [z](u)", "\\_x\\_ \\`y\\` \\[z\\](u)")],
)
def test_nothing_is_markup(text, written):
    assert escaped(text) == written


def test_columns_are_held_to_the_right_but_for_those_that_are_named():
    assert markdown_table([("a", "gain"), ("b", "score")], [["1", "2"]], ["a"]) == "| a | b |\n| --- | ---: |\n| 1 | 2 |"


def test_a_column_without_a_definition_is_refused():
    with pytest.raises(LookupError, match="'b' has no definition"):
        markdown_table([("a", "gain"), ("b", "b")], [], [])
