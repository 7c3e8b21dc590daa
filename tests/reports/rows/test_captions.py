"""The sentences on what the intervals of a table hold."""

from bench.statistics.estimates import Estimate
from reports.rows.captions import ONE_SEED, few_names, stated, statement


def test_statement_names_what_is_held():
    one, several = Estimate(0.5, 0.4, 0.6, "items", 1), Estimate(0.5, 0.4, 0.6, "items and seeds", 3)
    bounds, bare = Estimate(0.5, 0.4, 0.6, "bounds", 3), Estimate(0.5, None, None, "items", 1)
    assert stated([one]) == [ONE_SEED] == [statement([one])]
    assert "taken as alike" in statement([several]) and "no seed" not in statement([several])
    assert "Rows that depend on no seed hold items alone." in statement([one, several])
    assert "†" in statement([bounds]) and "runs' own bounds" in statement([bounds]) and "†" not in statement([several])
    assert statement([bare]) == statement([]) == "No intervals: there are no scores with bounds."


def test_statement_counts_clusters():
    def of(clusters: float) -> Estimate:
        return Estimate(0.5, 0.4, 0.6, "items", 1, clusters=clusters)

    assert "left out together: 12 to 41 effective clusters." in statement([of(12.9), of(41.2)])
    few = statement([of(5.5)])
    assert "fewer than 8 effective clusters (5)" in few and "nothing is claimed of new clusters" in few
    assert "left out together" not in few
    assert "cluster" not in statement([Estimate(0.5, 0.4, 0.6, "items", 1)])


def test_one_seed_is_worded_as_agreed():
    assert ONE_SEED == "One seed: the interval is for this trained model on new items. Another seed may differ by more."


def test_few_names():
    assert few_names(["a", "b", "a", "c"]) == "a, b, c"
    assert few_names(["a", "b", "c", "d"]) == "a and 3 others"
