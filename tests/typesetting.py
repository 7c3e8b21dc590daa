"""A paper that pdfLaTeX sets."""

import shutil
import subprocess

import pytest

EVIL = "a\\b{c}~d^e#f$g%h&i_j<k>l|m\"n`o'p [q] *r* -- – … † ü 中 \\input{/etc/passwd}"
"""A name with all that LaTeX takes for more than a letter."""


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
