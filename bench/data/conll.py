"""CoNLL files: one token a line, its columns apart by tabs or spaces, a blank line after each sentence."""

from collections.abc import Iterator

from bench.errors import FormatError


def sentences(content: str) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Each sentence as {column: entry per token} with the line of its first token; token k stands k lines below it.

    Columns have numbers from both sides, "0" the first and "-1" the last. `-DOCSTART-` lines are left out, and so are
    comments: lines before a sentence that are `#` alone or start with `# `. A file with a tab in its first token line
    is split at tabs alone, where `#` and a tab start a token.

    Raises:
        FormatError: a line has another number of columns than the first one, or an empty column.
    """
    sentence: list[list[str]] = []
    tabbed: bool | None = None
    width = start = 0
    # The last, blank line ends the last sentence.
    for number, line in enumerate([*content.split("\n"), ""], start=1):
        line = line.strip(" \r")  # a tab stays: at the line's end it stands before an empty column, which must be told
        if not line.strip():
            if sentence:
                yield f"line {start}", _columns_from_both_ends(sentence)
            sentence = []
        elif not (line.startswith("-DOCSTART-") or (not sentence and (line == "#" or line.startswith("# ")))):
            tabbed = "\t" in line if tabbed is None else tabbed
            cells = [cell.strip(" ") for cell in line.split("\t")] if tabbed else [cell for cell in line.split(" ") if cell]
            # One width for the whole file: in a wider sentence, column -1 would be another column.
            width = width or len(cells)
            _check_width(number, cells, width)
            start = start if sentence else number
            sentence.append(cells)


def _check_width(number: int, cells: list[str], width: int) -> None:
    if len(cells) != width:
        raise FormatError(f"line {number}", f"{len(cells)} columns, but the lines before have {width}")
    if "" in cells:
        raise FormatError(f"line {number}", f"column {cells.index('')} is empty")


def _columns_from_both_ends(sentence: list[list[str]]) -> dict[str, list[str]]:
    columns = [list(column) for column in zip(*sentence, strict=True)]
    return {str(index): columns[index] for index in (*range(len(columns)), *range(-1, -len(columns) - 1, -1))}
