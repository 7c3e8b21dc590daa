"""The verdicts in the terminal, as a page of Markdown, and as JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.folders import write_text
from bench.groups import groups_by
from bench.records.record import Record
from reports.claims.claims import Tested, all_claims, tested
from reports.claims.evidence import Weighed
from reports.claims.rows import own_rate, question, task_and_budget, usable
from reports.formats.console import add_cells, add_column, console, plain_table, say
from reports.formats.markdown import escaped, markdown_table
from reports.rows import numbers
from reports.rows.row import Row
from reports.rows.rows import aggregate, ranked

NOTHING = "no runs for it"
BELOW = (
    "A claim holds where every comparison says so by more than chance (Holm over all of a model's); one that says the",
    "opposite is enough against it. smallest: the smallest effect that these seeds and items find four times out of five,",
    "after that correction; in brackets its 80 % range, which says how badly few seeds tell what they vary by.",
)
COMPARED = {
    "model": "model",
    "rows": "claim_rows",
    "measured [95 %]": "claim_measured",
    "verdict": "claim_verdict",
    "smallest": "claim_smallest",
}
"""Of the page's tables of comparisons: header -> term."""
Models = Mapping[str, Sequence[Tested]]


def show_claims(records: Sequence[Record], out: Path, markdown: Path | None, as_json: bool) -> None:
    """Print the verdicts, or write them as Markdown, or print them as JSON."""
    rows = ranked(aggregate(records, out))
    models, lines = tested(rows), [*BELOW, *_one_seed_lines(rows), *_several_rates_lines(rows), *_fallen_lines(rows)]
    if as_json:
        print(json.dumps({model: [_claim_object(each) for each in claims] for model, claims in models.items()}, indent=1))
    elif markdown:
        write_text(markdown, claims_page(models, lines))
    else:
        _print_claims(models, lines)


def _one_seed_lines(rows: Sequence[Row]) -> Iterator[str]:
    for model in dict.fromkeys(row.setup.model for row in usable(rows) if row.trains and row.of_one_seed):
        yield f"{model} has rows of one seed: their verdicts on scores and forgetting are about these trained models, and"
        yield "another seed may turn them."


def _several_rates_lines(rows: Sequence[Row]) -> Iterator[str]:
    for alike in groups_by(usable(rows), lambda row: (row.setup.strategy, row.setup.tuning.trials, question(row))).values():
        rates, first = {own_rate(row) for row in alike} - {None}, alike[0]
        if len(rates) > 1:
            where = f"{first.setup.strategy} stands at {len(rates)} learning rates ({task_and_budget(first)})"
            yield f"{first.setup.model}: {where}: one that suits it badly counts as"
            yield "much as a good one. Keep one, or let --tune choose it."


def _fallen_lines(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        if row.collapsed:
            every = row.collapsed == len(row.records)
            how = "with every seed and is left out" if every else f"with {row.collapsed} of {len(row.records)} seeds"
            yield f"{row.setup.model}: {row.label} ({task_and_budget(row)}) collapsed {how}."


def _claim_object(claim: Tested) -> dict[str, Any]:
    parts = [
        {
            "rows": p.evidence.rows,
            "measured": p.evidence.measured,
            "p": p.p,
            "verdict": p.verdict,
            "smallest": p.smallest,
            "family": p.tests,
        }
        for p in claim.parts
    ]
    return {"claim": claim.name, "statement": claim.claim.statement, "verdict": claim.verdict, "comparisons": parts}


def _print_claims(models: Models, lines: Sequence[str]) -> None:
    to = console()
    for model, claims in models.items():
        say(to, f"{model}: what its runs say to well-known claims, {_family_of(claims)}")
        for claim in claims:
            say(to, "")
            say(to, f"{_verdict_with_counts(claim)}: {claim.claim.statement}")
            if claim.parts:
                to.print(_comparisons_table(claim.parts))
        say(to, "")
    for line in lines:
        say(to, line)


def _family_of(claims: Sequence[Tested]) -> str:
    count = sum(len(claim.parts) for claim in claims)
    return f"after Holm over all {count} comparisons" if count > 1 else "after a look at the one comparison"


def _comparisons_table(parts: Sequence[Weighed]) -> Table:
    table = plain_table()
    add_column(table, "claim_rows", "rows", justify="left")
    add_column(table, "claim_measured", "measured [95 %]")
    add_column(table, "claim_verdict", "verdict", justify="left", min_width=14)
    add_column(table, "claim_smallest", "smallest")
    for part in parts:
        # The number ends where the verdict begins: one more space keeps the two apart.
        cells = (part.evidence.rows, part.evidence.measured, f" {part.verdict}", part.smallest or numbers.MISSING)
        add_cells(table, cells)
    return table


def _verdict_with_counts(claim: Tested) -> str:
    """`holds (3 of 3 for it)`, `does not hold (1 of 3 against it)`."""
    if claim.verdict is None:
        return NOTHING
    for_it, against, count = claim.counted("holds"), claim.counted("does not hold"), len(claim.parts)
    counts = f"{against} of {count} against it" if against else f"{for_it} of {count} for it"
    return f"{claim.verdict} ({counts})"


def claims_page(models: Models, lines: Sequence[str]) -> str:
    """A page of Markdown: a table of all verdicts, these lines, then each claim with its rule and its comparisons."""
    columns = [("claim", "claim"), *((escaped(model), "claim_verdict") for model in models)]
    verdicts = [
        [claim.statement, *(_verdict_with_counts(_claim_named(claims, name)) for claims in models.values())]
        for name, claim in all_claims().items()
    ]
    table = markdown_table(columns, verdicts, [header for header, _ in columns])
    families = [f"{escaped(model)}: {_family_of(claims)}." for model, claims in models.items()]
    said = " ".join([*lines, *families])
    parts = ["# Well-known claims, tested", "Made from the records of runs by `tunebench claims`.", table, said]
    for name, claim in all_claims().items():
        parts += [f"## {claim.statement}", f"Rule: {claim.rule}"]
        parts_of = {model: _claim_named(claims, name).parts for model, claims in models.items()}
        cells = [_comparison_cells(model, part) for model, weighed in parts_of.items() for part in weighed]
        parts.append(markdown_table(list(COMPARED.items()), cells, list(COMPARED)) if cells else "No runs for it.")
    return "\n\n".join(parts) + "\n"


def _comparison_cells(model: str, part: Weighed) -> list[str]:
    return [*map(escaped, (model, part.evidence.rows, part.evidence.measured)), part.verdict, part.smallest or numbers.MISSING]


def _claim_named(claims: Sequence[Tested], name: str) -> Tested:
    return next(each for each in claims if each.name == name)
