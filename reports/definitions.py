"""What the numbers mean: the definitions of definitions.yaml, which the page, the documentation and every column read.

`python -m reports.definitions > docs/definitions.md` writes the documentation's page of them.
"""

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

DEFINITIONS = Path(__file__).with_suffix(".yaml")


class Definition(BaseModel):
    """One number: its name in columns, and what it means. `means` is plain text in which code stands between backticks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    means: str
    formula: str = ""
    unit: str = ""
    source: str = ""
    """The paper that the number is from."""
    computed_in: str
    """The file that computes it, from the repository's root."""

    @property
    def facts(self) -> dict[str, str]:
        """What is known beside the meaning, by what it is."""
        named = {"Formula": self.formula, "Unit": self.unit, "Source": self.source}
        return {name: text for name, text in named.items() if text}


@cache
def by_heading() -> dict[str, dict[str, Definition]]:
    """Heading -> name -> definition, in the file's order."""
    raw = yaml.safe_load(DEFINITIONS.read_text(encoding="utf-8"))
    return {group: {term: Definition(**fields) for term, fields in terms.items()} for group, terms in raw.items()}


@cache
def _terms() -> dict[str, Definition]:
    return {term: definition for terms in by_heading().values() for term, definition in terms.items()}


def defined(term: str) -> Definition:
    """The definition of that name.

    Raises:
        LookupError: there is none: a column shows something that nobody has defined.
    """
    if term not in _terms():
        raise LookupError(f"'{term}' has no definition in {DEFINITIONS.name}")
    return _terms()[term]


def note(*terms: str) -> str:
    """What these terms mean, as sentences below a table."""
    return " ".join(f"{defined(term).title}: {defined(term).means}" for term in terms)


def markdown() -> str:
    """docs/definitions.md."""
    parts = [
        "# What the numbers mean",
        "Made from [reports/definitions.yaml](../reports/definitions.yaml); the leaderboard shows the same words.",
    ]
    for group, terms in by_heading().items():
        parts.append(f"## {group}")
        parts += [_section(definition) for definition in terms.values()]
    return "\n\n".join(parts) + "\n"


def _section(definition: Definition) -> str:
    facts = [f"- {name}: {_literal(text) if name == 'Formula' else text}" for name, text in definition.facts.items()]
    facts.append(f"- Computed in [{definition.computed_in}](../{definition.computed_in})")
    return "\n\n".join([f"### {definition.title}", definition.means, "\n".join(facts)])


def _literal(formula: str) -> str:
    return f"`{formula}`"


if __name__ == "__main__":
    print(markdown(), end="")
