"""Tables of LaTeX with booktabs, to be \\input into a paper; nothing from outside is a command."""

import re
from collections.abc import Sequence

from reports.paper.ablation import TIE, Ablation, Entry, Grid
from reports.rows.numbers import MINUS
from reports.unseen_characters import printable

SIGNS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "#$%&_"},
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "`": r"\textasciigrave{}",
    "-": "{-}",  # two of them would become a dash
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "×": r"$\times$",
    "†": r"$^{\dagger}$",
}
TYPESET = 0x17F
"""Letters up to here are there in every installation, but for those below; others are told by their number."""
NOT_TYPESET = frozenset("«»ÐÞðþĄąĐđĘęĦħĮįĸĿŀŉŊŋŦŧŲųſ")
"""What pdfLaTeX lacks in the encoding that a paper has unless it asks for another (OT1); a test sets all others."""
INTRODUCTION = "% Made by `tunebench ablate`; \\input it below \\usepackage{booktabs}."


def latex_escaped(text: str) -> str:
    """Text that LaTeX shows as it stands."""
    return "".join(SIGNS.get(sign) or _latex_letter(sign) for sign in printable(text))


def _latex_letter(sign: str) -> str:
    # A letter that the font lacks would stop LaTeX, or vanish without a word.
    return sign if ord(sign) <= TYPESET and sign not in NOT_TYPESET else rf"\texttt{{U+{ord(sign):04X}}}"


def _latex_numbers(text: str) -> str:
    """Numbers and intervals, a minus as one."""
    return "$-$".join(map(latex_escaped, MINUS.split(text)))


def latex_table(ablation: Ablation, table: Grid) -> str:
    """A floating table with its caption and a label."""
    columns = "l" * len(table.corner) + "r" * len(table.headers)
    lines = [_latex_line([*map(latex_escaped, names), *map(_latex_cell, entries)]) for names, entries in table.lines]
    return "\n".join(
        [
            r"\begin{table}[t]",
            r"\centering",
            rf"\caption{{{' '.join(map(latex_escaped, ablation.caption))}}}",
            rf"\label{{{_latex_label(ablation)}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            _latex_line(list(map(latex_escaped, [*table.corner, *table.headers]))),
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


def _latex_line(cells: Sequence[str]) -> str:
    line = " & ".join(cells) + r" \\"
    return f"{{}}{line}" if line.startswith(("[", "*")) else line  # else the line break before it takes it for its own


def latex_file(tables: Sequence[str]) -> str:
    return "\n\n".join([INTRODUCTION, *tables]) + "\n"


def _latex_label(ablation: Ablation) -> str:
    suite, model, task = ablation.group
    return "tab:" + "-".join(
        re.sub(r"\W+", "-", name).strip("-") for name in (suite, ablation.strategy, model, task, *ablation.axes)
    )


def _latex_cell(entry: Entry) -> str:
    number = _latex_numbers(entry.text)
    if entry.best:
        number = rf"\textbf{{{number}}}"
    if entry.tied:
        number += rf"$^{{{TIE}}}$"
    return rf"{number} {{\scriptsize {_latex_numbers(entry.interval)}}}" if entry.interval else number
