"""The sentences on what the intervals of a table hold."""

from dataclasses import replace

from bench.statistics.estimates import Estimate
from reports.rows import standing
from reports.rows.captions import (
    FORGETTING_RANKS,
    NO_SEED,
    ONE_SEED,
    few_names,
    forgetting_lines,
    forgetting_ranks,
    forgetting_sentences,
    standing_sentences,
    stated,
    statement,
)
from reports.rows.rows import aggregate


def test_statement_names_what_is_held():
    one, several = Estimate(0.5, 0.4, 0.6, "items", 1), Estimate(0.5, 0.4, 0.6, "items and seeds", 3)
    bounds, bare = Estimate(0.5, 0.4, 0.6, "bounds", 3), Estimate(0.5, None, None, "items", 1)
    assert stated([one], []) == [NO_SEED] == [statement([one], [])]
    assert "taken as alike" in statement([several], []) and "no seed" not in statement([several], [])
    assert "Rows that depend on no seed hold items alone." in statement([one, several], [])
    assert "†" in statement([bounds], []) and "runs' own bounds" in statement([bounds], [])
    assert "†" not in statement([several], [])
    assert statement([bare], []) == statement([], []) == "No intervals: there are no scores with bounds."


def test_statement_counts_clusters():
    def of(clusters: float, few: bool = False) -> Estimate:
        return Estimate(0.5, 0.4, 0.6, "items", 1, clusters=clusters, few_clusters=few)

    assert "left out together: 12 to 41 effective clusters." in statement([of(12.9), of(41.2)], [])
    # Many clusters by items may be few by what a score rests on, and are left out together all the same.
    assert "left out together: 5 effective clusters." in statement([of(5.5)], [])
    few = statement([of(5.5, few=True)], [])
    assert "fewer than 8 effective clusters (5)" in few and "nothing is claimed of new clusters" in few
    assert "left out together" not in few
    assert "cluster" not in statement([Estimate(0.5, 0.4, 0.6, "items", 1)], [])


def test_one_seed_is_worded_as_agreed():
    assert ONE_SEED == "One seed: the interval is for this trained model on new items. Another seed may differ by more."


def test_rows_without_seeds_are_no_trained_models(make, out):
    """Untouched models, and what lm-eval asked. Planted fault: another seed of them might have differed."""
    models = [make.record("zero-shot", 0, share, trainable=0, model=name) for name, share in (("a", 0.6), ("b", 0.7))]
    pair = [make.record("zero-shot", 0, 0.6, trainable=0), make.record("lm-eval 0-shot", 0, 0.7, trainable=0)]
    for found in (models, pair):
        rows = aggregate(make.kept(out, found), out)
        assert statement([row.score for row in rows], rows) == NO_SEED
    assert not any("seed" in sentence for sentence in standing_sentences(standing.score_standing(rows)))
    trained = aggregate([make.record("full")[0], pair[0][0]])
    assert statement([row.score for row in trained], trained) == ONE_SEED


def test_a_row_of_one_seed_beside_rows_of_several_of_another_kind_is_told(make, out):
    """Planted fault: with three seeds of solved examples, one training was said to hold other seeds."""
    found = [pair for pair in make.suite(3) if pair[0].setup.strategy in ("zero-shot", "few-shot")]
    rows = aggregate(make.kept(out, [*found, make.record("full")]), out)
    said = stated([row.score for row in rows], rows)
    assert "Rows that depend on no seed hold items alone." in said and said[-1].startswith("So do rows of one seed")
    assert any("about these trained models" in sentence for sentence in standing_sentences(standing.score_standing(rows)))
    several = aggregate(make.kept(out.with_name("several"), make.suite(3)), out.with_name("several"))
    assert not any("one seed" in sentence for sentence in stated([row.score for row in several], several))


def test_few_names():
    assert few_names(["a", "b", "a", "c"]) == "a, b, c"
    assert few_names(["a", "b", "c", "d"]) == "a and 3 others"


def test_places_name_their_family_and_the_top(make, out):
    places = standing.score_standing(aggregate(make.kept(out, make.suite(3)), out))
    found = list(standing_sentences(places))
    assert found[0] == "rank: the places that a row may have, after Holm over all 21 pairs of scores."
    assert found[1].startswith("Top group, than which none is better by more than chance: full, ")
    assert found[2].startswith("Smallest detectable difference: ") and found[2].endswith(", after Holm over all 21 pairs.")
    assert found[3] == "That is told of rows that train; another pair may take a larger one."
    assert "80 % range" in found[2] and len(found) == 4
    # Seeds that do more than answer by chance set a floor.
    seeded = replace(places, detectable=replace(places.detectable, floor=0.04))
    found = list(standing_sentences(seeded))
    assert found[4] == "With these seeds, no number of items detects less than 4.0 points so often."
    assert all(len(sentence) <= 100 for sentence in found)


def test_one_seed_ranks_models_and_bounds_are_unpaired(make):
    rows = aggregate([make.record(name)[0] for name in ("full", "frozen")])
    found = list(standing_sentences(standing.score_standing(rows)))
    assert any("about these trained models, not strategies" in sentence for sentence in found)
    assert found[-1] == "1 of 1 pairs share no answers per item: compared unpaired, by intervals."
    assert found[0].endswith("after a look at the one pair of scores.") and not list(standing_sentences(None))


def test_a_large_top_group_is_told_by_its_size(make):
    rows = aggregate([make.record(f"strategy-{number}")[0] for number in range(9)])
    assert "the 9 rows whose rank begins at 1." in " ".join(standing_sentences(standing.score_standing(rows)))


LOSSES = {"full": 3.6, "frozen": 3.3, "lora-8bit": 3.3}


def losing(make, out, losses=LOSSES):
    """Rows of one seed that lost so much of a probe, with their answers."""
    found = [make.record(name, probes={"wikipedia": ("loss (nats per token)", 3.2, new)}) for name, new in losses.items()]
    return aggregate(make.kept(out, found), out)


def test_places_by_what_was_forgotten_put_the_least_first(make, out):
    rows = losing(make, out)
    places = standing.forgetting_standing(rows, "wikipedia")
    assert forgetting_ranks(rows, places) == "Forgetting ranks: 1-2 frozen, lora-8bit; 3 full."
    top, smallest = forgetting_sentences(places)
    assert top == "Top group, than which none forgets less by more than chance: frozen, lora-8bit."
    assert smallest.startswith("Smallest detectable difference: 0.0") and smallest.endswith("after Holm over all 3 pairs.")


def test_forgetting_has_lines_below_a_table(make, out):
    explained, ranks, smallest = forgetting_lines(losing(make, out))
    assert explained == FORGETTING_RANKS and ranks == "wikipedia: Forgetting ranks: 1-2 frozen, lora-8bit; 3 full."
    assert smallest.startswith("wikipedia: Smallest detectable difference: ")
    assert all(len(line) <= 100 for line in (explained, ranks, smallest))


def test_one_row_that_trains_has_no_place_by_what_it_forgot(make):
    alone = aggregate([make.record("full")[0], make.record("zero-shot", trainable=0)[0]])
    assert forgetting_lines(alone) == []


def test_many_rows_that_share_places_are_counted(make):
    rows = aggregate([make.record(f"strategy-{number}")[0] for number in range(9)])
    assert "wikipedia: Forgetting ranks: 1-9 9 rows." in forgetting_lines(rows)
    places = standing.forgetting_standing(rows, "wikipedia")
    said = list(forgetting_sentences(places))
    assert said[0].endswith(": the 9 rows whose rank begins at 1.")
    assert said[-1] == "36 of 36 pairs share no answers per item: compared unpaired, by intervals."


def test_a_row_whose_seeds_vary_by_far_more_is_told(make, out):
    """Planted fault: nothing was said, and one of seven equal rows whose seeds vary ten times as far was told apart in .17."""

    def sentences(accuracies):
        rows = [make.record("full", seed, share) for seed, share in enumerate(accuracies)]
        quiet = [make.record(f"other {n}", seed, 0.8 + 0.005 * (seed - 1)) for n in range(4) for seed in range(3)]
        found = standing.score_standing(aggregate(make.kept(out, [*rows, *quiet]), out))
        return [sentence for sentence in standing_sentences(found) if "seeds move it" in sentence]

    (told,) = sentences([0.6, 0.8, 1.0])
    assert told.startswith("full: seeds move it ") and "Its rank is less sure than it looks." in told
    assert sentences([0.795, 0.8, 0.81]) == []


def test_a_loud_row_of_few_seeds_beside_rows_of_many_is_told(make, out):
    """They are held against each other by the seed variance of the table. Planted fault: the others' seeds were left out."""
    few = [make.record("full", seed, share) for seed, share in enumerate((0.6, 0.8, 1.0))]
    many = [make.record(f"other {n}", seed, 0.8 + 0.005 * (seed % 3 - 1)) for n in range(3) for seed in range(6)]
    found = standing.score_standing(aggregate(make.kept(out, [*few, *many]), out))
    assert list(found.loud) == ["full"]
    loud = [make.record("full", seed, 0.8 + 0.1 * (seed % 3 - 1)) for seed in range(6)]
    several = standing.score_standing(aggregate(make.kept(out.with_name("many"), [*loud, *many]), out.with_name("many")))
    assert several.loud == {}  # it is held by its own
