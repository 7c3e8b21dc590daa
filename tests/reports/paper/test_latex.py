"""Tables of an ablation in LaTeX."""

import re

from typesetting import EVIL, typeset

from reports.formats.latex import latex_file
from reports.paper.ablation import SWEPT, Ablation, Entry, Grid
from reports.paper.latex import latex_table


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
    evil = Grid([EVIL], [EVIL], [SWEPT], [([EVIL], [Entry("-1", "[-2, –]†", best=True)]), (["[x]"], [Entry("1", tied=True)])])
    said = typeset(
        tmp_path, latex_file("ablate", [latex_table(ablation(), table()), latex_table(ablation([EVIL], [EVIL]), evil)])
    )
    assert "Undefined" not in said and "LaTeX Error" not in said
