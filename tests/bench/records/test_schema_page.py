"""docs/records.md holds what the record's classes say."""

from pathlib import Path

from pydantic import BaseModel

from bench.records import schema_page

DOCS = Path(__file__).parents[3] / "docs" / "records.md"


def test_the_page_is_made_from_the_classes():
    text = DOCS.read_text()
    assert schema_page.with_schema(text) == text, "run: python -m bench.records.schema_page docs/records.md"


class Inner(BaseModel):
    """What lies inside."""

    share: float | None
    """In [0, 1] |
    or unknown."""


class Outer(BaseModel):
    inner: dict[str, list[Inner]]
    seed: int


def test_a_part_becomes_a_table_of_fields_types_and_docstrings(monkeypatch):
    monkeypatch.setattr(schema_page, "RECORDS", (Outer,))
    assert schema_page.schema_tables().splitlines() == [
        "### Outer",
        "",
        "| field | value | meaning |",
        "|---|---|---|",
        "| `inner` | object: name → list of [Inner](#inner) |  |",
        "| `seed` | whole number |  |",
        "",
        "### Inner",
        "",
        "What lies inside.",
        "",
        "| field | value | meaning |",
        "|---|---|---|",
        "| `share` | number or null | In [0, 1] \\| or unknown. |",
    ]


def test_what_stands_around_the_tables_stays():
    text = f"before\n{schema_page.BEGIN}old\n{schema_page.END}after\n"
    made = schema_page.with_schema(text)
    assert made.startswith(f"before\n{schema_page.BEGIN}\n### Record") and made.endswith(f"{schema_page.END}after\n")
    assert "old" not in made
