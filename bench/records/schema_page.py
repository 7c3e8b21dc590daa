"""The record's schema as tables for people, made from its classes: docs/records.md holds them, and a test compares.

`python -m bench.records.schema_page docs/records.md` puts them there anew.
"""

import ast
import inspect
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from bench.folders import write_text
from bench.records.judged import JudgedPair
from bench.records.record import Record
from bench.records.trial import TrialRecord
from bench.specs.base import models_in

BEGIN, END = "<!-- from the classes: begin -->\n", "<!-- from the classes: end -->\n"
RECORDS: tuple[type[BaseModel], ...] = (Record, TrialRecord, JudgedPair)
IN_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", types.NoneType: "null", Any: "any value"}


def schema_tables() -> str:
    """A table for each kind of record and for each of their parts, in the order in which they are met."""
    return "\n".join(_part_table(part) for part in _records_and_parts(*RECORDS))


def with_schema(page: str) -> str:
    """The page with the tables between its two marks made anew."""
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    return f"{before}{BEGIN}\n{schema_tables()}\n{END}{after}"


def _records_and_parts(*whole: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The records themselves, and then the parts inside them, each once, all of a level before the next."""
    met = [*whole]
    for known in met:  # it grows on the way
        inner = (kind for field in known.model_fields.values() for kind in models_in(field.annotation))
        met += [kind for kind in dict.fromkeys(inner) if kind not in met]
    yield from met


def _part_table(part: type[BaseModel]) -> str:
    meanings = _docstrings(part)
    rows = [
        f"| `{name}` | {_type_in_words(field.annotation)} | {_markdown_cell(meanings.get(name, ''))} |"
        for name, field in part.model_fields.items()
    ]
    heading = f"### {part.__name__}\n\n{inspect.cleandoc(part.__doc__ or '')}".rstrip()  # getdoc would give pydantic's own
    return "\n".join([heading, "", "| field | value | meaning |", "|---|---|---|", *rows, ""])


def _type_in_words(annotation: Any) -> str:
    """A type in words: `whole number or null`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(map(_type_in_words, arguments))
    if origin is list:
        return f"list of {_type_in_words(arguments[0])}"
    if origin is dict:
        return f"object: name → {_type_in_words(arguments[1])}"
    return IN_WORDS[annotation]


def _docstrings(part: type[BaseModel]) -> dict[str, str]:
    """Field -> the string that stands below it in the class."""
    (tree,) = ast.parse(inspect.getsource(part)).body
    assert isinstance(tree, ast.ClassDef)
    docstrings = {}
    # Python keeps no docstring of a field: it is only to be found in the source.
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            docstrings[ast.unparse(field.target)] = str(below.value.value)
    return docstrings


def _markdown_cell(text: str) -> str:
    """On one line, with nothing in it that would end a table's cell."""
    return re.sub(r"\s+", " ", text).strip().replace("|", r"\|")


if __name__ == "__main__":
    path = Path(sys.argv[1])
    write_text(path, with_schema(path.read_text(encoding="utf-8")))
