"""A file of entities: a column of tags beside a column of words."""

import re
from collections.abc import Collection, Mapping

from bench.data.sniffing import TAG
from bench.drafting.roles import Roles, columns_text, in_words, is_named
from bench.drafting.table import FileColumn, FileTable
from bench.drafting.wishes import Guess, Wishes
from bench.errors import UserError

MOST_TYPES = 40
TAG_NAMES = re.compile(r"(.+_)?(tags?|labels?|ner)(_ids?)?")
AS_BIO = {"B": "B", "S": "B", "U": "B", "I": "I", "M": "I", "E": "I", "L": "I"}
"""How other schemes' prefixes read in BIO: a single word begins an entity, an entity's end is inside it."""


def tag_column(table: FileTable, given: Wishes) -> FileColumn | None:
    """The column of tags, of several the last; None where there is none."""
    if given.label:
        named = table.column(given.label, "label")
        return named if given.type == "ner" or _is_tags(named) or named in _numbered_tag_columns(table) else None
    fitting = [column for column in table.columns.values() if _is_tags(column)] or _numbered_tag_columns(table)
    # A CoNLL column has two names, one from each side; the last is "-1".
    return next((column for column in fitting if column.name == "-1"), fitting[-1] if fitting else None)


def ner_roles(table: FileTable, given: Wishes, column: FileColumn | None) -> Roles:
    """The task's fields and types of entities.

    Raises:
        UserError: there are no tags, or they are none.
    """
    if column is None:
        raise UserError(
            f"{table.name}: an entity task needs a column of tags such as O, B-PER, I-PER, one for each word; name it with "
            f"--label. {columns_text(table)}"
        )
    said = {tag for value in column.values for tag in _cell_words(value)}
    values, why = _as_bio(table, given, column, said)
    types = sorted({tag[2:] for tag in (values or {tag: tag for tag in said}).values() if tag != "O"})
    if not types:
        raise UserError(f"{table.name}: column '{column.name}' tags nothing: every tag is O; name another column with --label")
    words, words_why = _words_column(table, given, column)
    return Roles(
        type="ner",
        columns={"words": words, "tags": column.name},
        prompt="Text: {text}\nEntities:",
        metrics=["entity_f1", "entity_precision", "entity_recall", "entity_f1_strict"],
        labels=types,
        answers=in_words(types),
        values=values,
        guesses=[
            Guess("type", "ner", f"column '{column.name}' holds a tag for each word", "--type"),
            Guess("words", words, words_why, "--text"),
            Guess("tags", column.name, why, "--label"),
            Guess("types", ", ".join(types), "the tags' names"),
        ],
    )


def _cell_words(value: object) -> list[str]:
    return [str(part) for part in value] if isinstance(value, list) else str(value).split()


def _is_tags(column: FileColumn) -> bool:
    filled = [tags for value in column.values[:2000] if (tags := _cell_words(value))]
    named = {tag for tags in filled for tag in tags}
    # A single word in a cell would be a class that happens to be called O.
    several = any(len(tags) > 1 for tags in filled)
    bare = column.lists and "O" in named and len(named) <= MOST_TYPES  # types without B- and I-
    return several and named != {"O"} and (bare or all(TAG.fullmatch(tag) for tag in named))


def _numbered_tag_columns(table: FileTable) -> list[FileColumn]:
    """Columns of tags by name that hold a number for each word of another column; that of entities comes last."""
    columns = [column for column in table.columns.values() if column.lists]
    lengths = {column.name: [len(value) for value in column.values] for column in columns}
    kinds = {column.name: {part for value in column.values for part in _cell_words(value)} for column in columns}
    words = [lengths[name] for name, named in kinds.items() if not all(map(str.isdecimal, named))]
    fitting = [
        column
        for column in columns
        if is_named(column, TAG_NAMES)
        and lengths[column.name] in words
        and len(kinds[column.name]) <= MOST_TYPES
        and all(map(str.isdecimal, kinds[column.name]))
    ]
    return sorted(fitting, key=lambda column: "ner" in column.name.lower())


def _as_bio(table: FileTable, given: Wishes, column: FileColumn, said: set[str]) -> tuple[Mapping[str, str], str]:
    """What each tag is in BIO; nothing where they are BIO already."""
    if given.labels and (missing := said - set(given.labels)):
        raise UserError(f"{table.name}: --labels says nothing of the tag '{min(missing)}' of column '{column.name}'")
    meant = {tag: given.labels[tag] if given.labels else tag for tag in sorted(said)}
    if all(tag.isdecimal() for tag in meant.values()):
        raise UserError(
            f"{table.name}: the tags of column '{column.name}' are numbers ({', '.join(sorted(meant.values(), key=int)[:9])}); "
            f"say what they mean with --labels 0=O,1=B-PER,2=I-PER"
        )
    bio, scheme = _scheme(meant.values())
    why = f"as you said: {scheme}" if given.labels else scheme
    return {} if all(bio[meant[tag]] == tag for tag in meant) else {tag: bio[meant[tag]] for tag in meant}, why


def _scheme(tags: Collection[str]) -> tuple[Mapping[str, str], str]:
    """What tags of any scheme are in BIO, and which scheme it is."""
    if not all(TAG.fullmatch(tag) for tag in tags):
        # Types without a prefix: neighbouring words of one type are one entity.
        bare = {tag: tag if tag == "O" else f"I-{tag}" for tag in tags}
        return bare, "tags without B- and I-: neighbours are one entity"
    bio = {tag: tag if tag == "O" else f"{AS_BIO[tag[0]]}-{tag[2:]}" for tag in tags}
    return bio, "BIO tags" if all(tag == meant for tag, meant in bio.items()) else "BIOES tags, read as BIO"


def _words_column(table: FileTable, given: Wishes, column: FileColumn) -> tuple[str, str]:
    """The column with a word for each tag, and the most different ones."""
    if given.text:
        return table.column(given.text[0], "text").name, "as you said"
    lengths = [len(_cell_words(value)) for value in column.values]
    fitting = [
        other
        for other in table.columns.values()
        if other.name != column.name and not _is_tags(other) and [len(_cell_words(value)) for value in other.values] == lengths
    ]
    if not fitting:
        raise UserError(
            f"{table.name}: no column has a word for each tag of '{column.name}'; name the one with the words by --text. "
            f"{columns_text(table)}"
        )
    best = max(
        fitting, key=lambda other: len({word for value in other.values for word in _cell_words(value) if not word.isdecimal()})
    )
    return best.name, "it has a word for each tag"
