"""What tables in a terminal are printed with."""

import pytest

from reports.formats.console import LOG_WIDTH, add_column, console, plain_table, say
from reports.unseen_characters import printable


def test_control_characters_are_blanks_and_lines_are_not_broken(capsys):
    say(console(), "a \x1b[31m[red]b[/red] " + "x" * 2 * LOG_WIDTH)
    assert capsys.readouterr().out == "a  [31m[red]b[/red] " + "x" * 2 * LOG_WIDTH + "\n"
    assert printable("a\tb\n") == "a b "


def test_header_has_a_line_for_each_word_and_names_are_no_markup():
    table = plain_table()
    add_column(table, "forgetting", "forgets", "[red]a\x1b", min_width=6)
    (column,) = table.columns
    assert column.header.plain == "forgets\n[red]a " and (column.justify, column.min_width) == ("right", 6)


def test_column_that_nothing_defines_is_refused():
    with pytest.raises(LookupError, match="'nonsense' has no definition"):
        add_column(plain_table(), "nonsense", "x")
