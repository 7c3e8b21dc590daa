"""SQuAD's JSON, version 1.1 and 2 (Rajpurkar et al. 2016, 2018), flattened to one record per question."""

from collections.abc import Iterator
from typing import Any, TypeVar

from bench.errors import FormatError

_FieldType = TypeVar("_FieldType")
TYPE_WORDS = {dict: "an object", list: "a list", str: "a text", int: "a whole number", bool: "true or false"}


def questions(content: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each question as {id, title, context, question, answers, answer_starts, is_impossible} with its path in the JSON.

    `answers` holds each text once, in the file's order, `answer_starts` its first place in the context, in characters.

    Raises:
        FormatError: a part is missing or of another type; its path is named.
    """
    for a, article in enumerate(_json_field(content, "data", list, "the file")):
        where = f"data[{a}]"
        for p, paragraph in enumerate(_json_field(article, "paragraphs", list, where)):
            where = f"data[{a}].paragraphs[{p}]"
            context = _json_field(paragraph, "context", str, where)
            for q, entry in enumerate(_json_field(paragraph, "qas", list, where)):
                where = f"data[{a}].paragraphs[{p}].qas[{q}]"
                yield where, {"title": article.get("title", ""), "context": context, **_squad_question(entry, where)}


def _squad_question(entry: Any, where: str) -> dict[str, Any]:
    starts: dict[str, str] = {}
    question = _json_field(entry, "question", str, where)
    # Version 1.1 has no such field.
    impossible = "is_impossible" in entry and _json_field(entry, "is_impossible", bool, where)
    for n, answer in enumerate(_json_field(entry, "answers", list, where)):
        answer_at = f"{where}.answers[{n}]"
        # The development sets hold several annotators' answers, many of them the same text at the same or another place.
        starts.setdefault(_json_field(answer, "text", str, answer_at), str(_json_field(answer, "answer_start", int, answer_at)))
    return {
        "id": _json_field(entry, "id", str, where),
        "question": question,
        "answers": list(starts),
        "answer_starts": list(starts.values()),
        "is_impossible": str(impossible).lower(),
    }


def _json_field(value: Any, key: str, kind: type[_FieldType], where: str) -> _FieldType:
    if not isinstance(value, dict):
        raise FormatError(where, f"expected an object, found {type(value).__name__}")
    if key not in value:
        raise FormatError(where, f"no field '{key}'; there are: {', '.join(value) or 'none'}")
    if not isinstance(value[key], kind):
        raise FormatError(where, f"field '{key}' should be {TYPE_WORDS[kind]}, but is {value[key]!r:.60}")
    return value[key]
