"""Tables of LaTeX with booktabs, to be \\input into a paper; nothing from outside is a command."""

import re
from collections.abc import Sequence

from reports.unseen_characters import printable

MINUS = re.compile(r"(?<![\w.])-(?=[.\d])")
"""A minus before a number, and no hyphen within a name or between two numbers."""
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


def latex_escaped(text: str) -> str:
    """Text that LaTeX shows as it stands."""
    return "".join(SIGNS.get(sign) or _latex_letter(sign) for sign in printable(text))


def _latex_letter(sign: str) -> str:
    # A letter that the font lacks would stop LaTeX, or vanish without a word.
    return sign if ord(sign) <= TYPESET and sign not in NOT_TYPESET else rf"\texttt{{U+{ord(sign):04X}}}"


def latex_numbers(text: str) -> str:
    """Numbers and intervals, a minus as one."""
    return "$-$".join(map(latex_escaped, MINUS.split(text)))


def floating_table(
    caption: Sequence[str], label: Sequence[str], headers: Sequence[str], lines: Sequence[Sequence[str]], names: int = 1
) -> str:
    """A table with its caption and a label.

    Args:
        caption: sentences, as plain text; so are the headers, and what the label is made of.
        lines: cells, already LaTeX.
        names: how many columns name a line, and stand to the left.
    """
    columns = "l" * names + "r" * (len(headers) - names)
    labelled = "-".join(re.sub(r"\W+", "-", name).strip("-") for name in label)
    return "\n".join(
        [
            r"\begin{table}[t]",
            r"\centering",
            rf"\caption{{{' '.join(map(latex_escaped, caption))}}}",
            rf"\label{{tab:{labelled}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            _latex_line(list(map(latex_escaped, headers))),
            r"\midrule",
            *map(_latex_line, lines),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


def _latex_line(cells: Sequence[str]) -> str:
    line = " & ".join(cells) + r" \\"
    return f"{{}}{line}" if line.startswith(("[", "*")) else line  # else the line break before it takes it for its own


def latex_file(command: str, tables: Sequence[str]) -> str:
    """Tables that a command has made, as a file."""
    return "\n\n".join([f"% Made by `tunebench {command}`; \\input it below \\usepackage{{booktabs}}.", *tables]) + "\n"
