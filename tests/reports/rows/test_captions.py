"""The sentence on what the intervals of a table hold."""

from bench.statistics.estimates import Estimate
from reports.rows.captions import statement


def test_statement_names_what_is_held():
    one, several = Estimate(0.5, 0.4, 0.6, "items", 1), Estimate(0.5, 0.4, 0.6, "items and seeds", 3)
    bounds, bare = Estimate(0.5, 0.4, 0.6, "bounds", 3), Estimate(0.5, None, None, "items", 1)
    assert "items alone" in statement([one]) and "seeds is not in them" in statement([one])
    assert "items and seeds" in statement([several]) and "single run" not in statement([several])
    assert "single run hold items alone" in statement([one, several])
    assert "†" in statement([bounds]) and "mean of the seeds' own bounds" in statement([bounds])
    assert statement([bare]) == statement([]) == "No intervals: there are no scores with bounds."
