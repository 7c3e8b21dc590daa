"""Tables of LaTeX: nothing from outside is a command, and pdflatex sets them."""

import re
import shutil
import subprocess

import pytest

from reports.paper.ablation import SWEPT, Ablation, Entry, Grid
from reports.paper.latex import latex_escaped, latex_file, latex_table

EVIL = "a\\b{c}~d^e#f$g%h&i_j<k>l|m\"n`o'p [q] *r* -- – … † ü 中 \\input{/etc/passwd}"


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


def ablation(caption=("A caption.",), axes=("peft.r",)):
    return Ablation("lora-8bit", ("my suite", "a/b", "sst2"), axes, {}, [], caption)


def table():
    lines = [
        (["[q,v]"], [Entry("-1.5", "[-2.0, +0.1]†", best=True), Entry("–")]),
        (["*"], [Entry("+.5", tied=True), Entry("104 k")]),
    ]
    return Grid(["peft.r"], ["gain (%)", "saved_bytes"], ["gain", "saved_bytes"], lines)


def test_best_is_bold_ties_are_marked_and_minuses_are_minuses():
    text = latex_table(ablation(), table())
    assert r"\begin{tabular}{lrr}" in text and r"peft.r & gain (\%) & saved\_bytes \\" in text
    assert r"{}[q,v] & \textbf{$-$1.5} {\scriptsize [$-$2.0, +0.1]$^{\dagger}$} & -- \\" in text
    assert r"{}* & +.5$^{*}$ & 104 k \\" in text
    assert r"\label{tab:my-suite-lora-8bit-a-b-sst2-peft-r}" in text
    assert re.findall(r"\\(\w+rule)", text) == ["toprule", "midrule", "bottomrule"]


def typeset(folder, text):
    """What pdflatex said of a paper with this in it, which it set."""
    if not shutil.which("pdflatex"):
        pytest.skip("pdflatex is missing: apt-get install texlive-latex-base texlive-latex-recommended")
    if not subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True, check=False).stdout:
        pytest.skip("booktabs.sty is missing: apt-get install texlive-latex-recommended")
    (folder / "tables.tex").write_text(text, encoding="utf-8")
    paper = r"\documentclass{article}\usepackage{booktabs}\begin{document}\input{tables.tex}Tables.\end{document}"
    (folder / "paper.tex").write_text(paper, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (folder / "paper.pdf").read_bytes().startswith(b"%PDF")
    return done.stdout


def test_pdflatex_sets_the_tables(tmp_path):
    evil = Grid([EVIL], [EVIL], [SWEPT], [([EVIL], [Entry("-1", "[-2, –]†", best=True)]), (["[x]"], [Entry("1", tied=True)])])
    said = typeset(tmp_path, latex_file([latex_table(ablation(), table()), latex_table(ablation([EVIL], [EVIL]), evil)]))
    assert "Undefined" not in said and "LaTeX Error" not in said


def test_pdflatex_sets_every_letter_that_is_left_as_it_is(tmp_path):
    """Planted fault: all up to U+017F were, and 27 of them stop it."""
    letters = [chr(number) for number in range(0x80, 0x250)]
    said = typeset(tmp_path, "\n\n".join(map(latex_escaped, letters)))
    assert "Missing character" not in said + (tmp_path / "paper.log").read_text(encoding="utf-8", errors="replace")
