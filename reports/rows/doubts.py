"""Why a row is not to be trusted, or no better than a constant answer."""

from collections.abc import Iterator

from reports.rows.row import Row


def doubts(row: Row) -> Iterator[str]:
    """A sentence for each seed that collapsed, each self-test that does not hold, and a run that failed."""
    for seed, why in row.fallen.items():
        yield f"{row.label} (seed {seed}) collapsed: {why}"
    for fault in row.faults:
        yield f"{row.label}: the check {fault} does not hold; don't trust this row"
    if row.status != "ok":
        yield f"{row.label} (seed {row.seeds}) {row.status}: {row.reason}"
