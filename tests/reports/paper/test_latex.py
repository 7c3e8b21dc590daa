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


def test_pdflatex_sets_the_tables(tmp_path):
    if not shutil.which("pdflatex"):
        pytest.skip("pdflatex is missing: apt-get install texlive-latex-base texlive-latex-recommended")
    if not subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True, check=False).stdout:
        pytest.skip("booktabs.sty is missing: apt-get install texlive-latex-recommended")
    evil = Grid([EVIL], [EVIL], [SWEPT], [([EVIL], [Entry("-1", "[-2, –]†", best=True)]), (["[x]"], [Entry("1", tied=True)])])
    text = latex_file([latex_table(ablation(), table()), latex_table(ablation([EVIL], [EVIL]), evil)])
    (tmp_path / "tables.tex").write_text(text, encoding="utf-8")
    paper = r"\documentclass{article}\usepackage{booktabs}\begin{document}\input{tables.tex}Tables.\end{document}"
    (tmp_path / "paper.tex").write_text(paper, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF")
    assert "Undefined" not in done.stdout and "LaTeX Error" not in done.stdout
