"""Markdown for a pull request: what is said in it, and that text from outside stays text."""

from reports.gate.markdown import changes_as_markdown


def test_a_regression_is_open_and_the_rest_is_folded(sides, held):
    text = changes_as_markdown(held(sides.pairs(full=0.7), sides.pairs()))
    assert text.startswith("### tunebench: regression\n") and "<details>" not in text
    assert "| full | score | .855 | .705 |" in text and "| worse |" in text
    folded = changes_as_markdown(held(sides.pairs(), sides.pairs()))
    assert folded.startswith("### tunebench: no regression\n") and folded.count("<details>") == folded.count("</details>") == 1


def test_every_line_of_a_table_has_its_columns(sides, held):
    text = changes_as_markdown(held(sides.pairs(), sides.pairs()))
    assert {line.count(" | ") for line in text.splitlines() if line.startswith("| ")} == {7}


def test_names_and_reasons_from_outside_are_no_markup(make, sides, held):
    bad = "<script>alert(1)</script> | *x* [a](b) `c`\n# d"
    new = [(make.failed("full", reason=bad), None), *sides.pairs()[3:]]
    text = changes_as_markdown(held(new, sides.pairs()))
    line = next(line for line in text.splitlines() if "alert" in line)
    assert line.startswith("- worse: ") and "<script" not in line.replace("\\<", "") and "\\| \\*x\\*" in line


def test_what_cannot_be_compared_is_said(sides, held):
    text = changes_as_markdown(held(sides.pairs(budget="64examples"), sides.pairs()))
    assert text.startswith("### tunebench: not comparable\n") and "- not comparable: sentiment" in text


def test_a_folded_heading_is_no_markup_of_html(sides, held):
    """Markdown is not read there, and HTML is."""
    text = changes_as_markdown(held(sides.pairs(model="<img src=x> m|n_"), sides.pairs(model="<img src=x> m|n_")))
    assert "<summary>sentiment: &lt;img src=x&gt; m|n_ on sst2</summary>" in text
