"""suites/probes/NAME.yaml."""

from typing import Any, Self

from pydantic import Field, model_validator

from bench.specs.base import Name, Spec
from bench.specs.source import Source, SourceOrSources
from bench.specs.template import fields_in


class ProbeSpec(Spec):
    """suites/probes/NAME.yaml: something the base model could do before."""

    name: Name
    version: int = Field(ge=1)
    description: str
    kind: str
    """Name of a module in bench/probes/."""
    source: SourceOrSources
    fields: dict[str, str | list[str]] = {}
    """Field -> template with columns in braces, or a list of templates: what the kind reads beside the columns."""
    cluster: str | None = Field(default=None, min_length=1)
    """Field that says what an item belongs to together with others: an article, a book, a subject of questions."""
    options: dict[str, Any] = {}
    """What the kind leaves to choose; the kind checks it."""
    # 64 items find a loss of 10 points of accuracy in a third of cases, 14 hardly ever: docs/method/forgetting.md.
    items: int = Field(default=64, ge=2)
    """Size limit; a suite can lower it, and `--probe-items` overrides both."""

    @property
    def sources(self) -> list[Source]:
        return self.source if isinstance(self.source, list) else [self.source]

    @property
    def given(self) -> set[str]:
        """Names of all fields of a row."""
        return {*self.sources[0].fields_given, *self.fields}

    @property
    def named(self) -> set[str]:
        """Names of the columns that templates fill in."""
        texts = [text for template in self.fields.values() for text in ([template] if isinstance(template, str) else template)]
        return {name for text in texts for name in fields_in(text, changes=True)}

    @model_validator(mode="after")
    def _source_is_of_one_shape(self) -> Self:
        if len({frozenset(source.fields_given) for source in self.sources}) > 1:
            raise ValueError("the parts of source must give the same columns")
        if self.cluster == "stretch" and len(self.sources) > 1:
            raise ValueError("cluster: stretches of several sources have the same numbers; give one source, or another field")
        return self

    @model_validator(mode="after")
    def _cluster_is_given(self) -> Self:
        if self.cluster and self.cluster not in self.given:
            raise ValueError(f"cluster: no row has the field '{self.cluster}'; rows have {', '.join(sorted(self.given))}")
        return self

    @model_validator(mode="after")
    def _templates_name_columns(self) -> Self:
        # Those of the first stand for all: sources of unlike columns have been refused above.
        columns = self.sources[0].columns
        if missing := self.named - set(columns):
            raise ValueError(f"a template names {{{min(missing)}}}, but the columns give {', '.join(columns)}")
        return self
