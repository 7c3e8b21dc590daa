"""What tests of the page's tables share."""


def cells(table) -> list[dict]:
    """Each line's cells by the titles of their columns."""
    titles = [column.title for column in table.columns]
    return [dict(zip(titles, line.cells, strict=True)) for line in table.lines]
