"""LaTeX: nothing from outside is a command, and pdflatex sets it."""

import pytest
from typesetting import EVIL, typeset

from reports.formats.latex import MINUS, floating_table, latex_escaped, latex_file, latex_numbers


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("peft.r_x", r"peft.r\_x"),
        ("95 %", r"95 \%"),
        ("\\input{x}", r"\textbackslash{}input\{x\}"),
        ("lora--8bit", "lora{-}{-}8bit"),
        ("中", r"\texttt{U+4E2D}"),
        ("üşłœ", "üşłœ"),
        ("ąđ", r"\texttt{U+0105}\texttt{U+0111}"),
        ("«", r"\texttt{U+00AB}"),
        ("a\nb", "a b"),
    ],
)
def test_text_is_shown_as_it_stands(text, written):
    assert latex_escaped(text) == written


def test_a_minus_is_one_before_a_number_alone():
    assert (
        latex_numbers("-1.5 [-2.0, +0.1]") == "$-$1.5 [$-$2.0, +0.1]" and latex_numbers("lora-8bit 1-3") == "lora{-}8bit 1{-}3"
    )
    assert MINUS.sub("−", "a-1 -1") == "a-1 −1"


def test_a_table_names_its_command_and_sets_whatever_it_is_told(tmp_path):
    table = floating_table([EVIL, "B."], ["my suite", EVIL], ["name", EVIL], [["[q]", "*"], [latex_escaped(EVIL), "1"]])
    text = latex_file("export latex", [table])
    assert text.startswith("% Made by `tunebench export latex`; ") and "{}[q] & * \\\\" in text and "{tab:my-suite-" in text
    said = typeset(tmp_path, text)
    assert "Undefined" not in said and "LaTeX Error" not in said


def test_pdflatex_sets_every_letter_that_is_left_as_it_is(tmp_path):
    """Planted fault: all up to U+017F were, and 27 of them stop it."""
    letters = [chr(number) for number in range(0x80, 0x250)]
    said = typeset(tmp_path, "\n\n".join(map(latex_escaped, letters)))
    assert "Missing character" not in said + (tmp_path / "paper.log").read_text(encoding="utf-8", errors="replace")
