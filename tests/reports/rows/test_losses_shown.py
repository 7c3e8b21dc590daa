"""The smallest losses that probes would have shown."""

import dataclasses

from reports.rows.losses_shown import losses_shown
from reports.rows.rows import aggregate


def test_the_row_that_shows_least_speaks_for_a_probe_also_where_another_row_has_none(make, out):
    rows = aggregate(make.kept(out, [make.record("full"), make.record("frozen"), make.record("zero-shot")]), out)
    least = {
        name: max(row.forgetting[name].smallest for row in rows if row.forgetting[name].smallest is not None)
        for name in rows[0].forgetting
        if any(row.forgetting[name].smallest is not None for row in rows)
    }
    told = losses_shown(rows)
    assert least and [sentence.split()[0] for sentence in told] == list(least)
    name = next(iter(least))
    first = dataclasses.replace(rows[0], forgetting={other: p for other, p in rows[0].forgetting.items() if other != name})
    assert {sentence.split()[0] for sentence in losses_shown([first, *rows[1:]])} == set(least)
    assert losses_shown([]) == []
