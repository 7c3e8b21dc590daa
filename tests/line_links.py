"""Links of the pages for people to lines: [`Class.method`](path.py#L12) leads to where the name is defined.

Lines move with every change above them: `python tests/line_links.py` sets the numbers anew.
"""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\[([^\]]*)\]\(([^)#\s]+\.py)#L([^)]*)\)")


def defined_at(body: list[ast.stmt], name: str) -> int | None:
    """The line of a name, as `perform` or `Run.id`, among these statements; None where none of them defines it."""
    outer, _, inner = name.partition(".")
    for node in body:
        if inner:
            if isinstance(node, ast.ClassDef) and node.name == outer:
                return defined_at(node.body, inner)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if node.name == outer:
                return node.lineno  # of `def` or `class`, below what decorates it
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(each, ast.Name) and each.id == outer for target in targets for each in ast.walk(target)):
                return node.lineno
    return None


@cache
def _statements(path: Path) -> list[ast.stmt]:
    """Of a module, to which many links may lead."""
    return ast.parse(path.read_text(encoding="utf-8")).body


def with_lines(page: Path, text: str) -> str:
    """The page's text with the numbers of the lines as they are now.

    Raises:
        LookupError: a link to a line that names nothing in backticks, or what its file doesn't define.
    """

    def anew(link: re.Match[str]) -> str:
        words, path, _ = link.groups()
        name = re.fullmatch(r"`(\w+(?:\.\w+)?)`", words)
        line = defined_at(_statements((page.parent / path).resolve()), name[1]) if name else None
        if line is None:
            raise LookupError(f"{page.name}: {link[0]}: {path} defines no {words}")
        return f"[{words}]({path}#L{line})"

    return LINK.sub(anew, text)


if __name__ == "__main__":
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        if (set_anew := with_lines(page, text)) != text:
            page.write_text(set_anew, encoding="utf-8")
            print(page.relative_to(ROOT))
