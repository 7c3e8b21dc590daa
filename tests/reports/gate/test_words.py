"""Changes as text."""

from reports.gate import words
from reports.gate.tolerance import Tolerance


def cells(found, row, title):
    return next(words.cells(c) for c in found.changes if (c.difference.row.label, c.difference.title) == (row, title))


def test_a_line_of_each_kind(sides, held, make):
    old = [make.record("full", seed, 0.85) for seed in range(3)]
    cost = old[0][0].cost
    dear = cost.model_copy(update={"train_flops": 2 * cost.train_flops})
    found = held([make.record("full", seed, 0.7, cost=dear) for seed in range(3, 6)], old)
    _, _, before, now, change, unit, verdict, _ = cells(found, "full", "score")
    assert (before, now, unit, verdict) == (".850", ".700", "points", "worse") and change.startswith("-15.0 [-")
    assert cells(found, "full", "training FLOPs")[2:] == ("12.3 T", "24.7 T", "2.00 [2.00, 2.00]", "times", "worse", "1.05")
    assert cells(found, "full", "saved bytes")[6] == "same within 5 %"
    assert cells(found, "full", "forgets wikipedia")[5] == "nats" and cells(found, "full", "peak memory")[2].endswith(" GB")


def test_what_nobody_minds_stands_in_the_verdict(sides, held):
    found = held(sides.pairs(), sides.pairs(), Tolerance(points=3.0))
    assert cells(found, "full", "score")[6] == "same within 3"


def test_a_headline_counts_and_sentences_explain(sides, held, make):
    new = [*sides.pairs(full=0.7)[:6], (make.failed("zero-shot", reason="no | room"), None), make.record("new", 0)]
    found = held(new, sides.pairs())
    assert words.headline(found).endswith(": 1 worse, 15 the same, 0 better, 0 can't tell, 1 fail")
    sentences = list(words.comparison_lines(found))
    assert sentences[0] == "worse: sentiment: smollm2 on sst2: zero-shot (seed 0): failed: no | room"
    assert any(text.endswith("new: " + found.old.name + " has no such row") for text in sentences)
    assert "8 of 8 costs are the same within 5 %: trained tokens, training FLOPs, saved bytes, peak memory." in sentences
    assert any("corrected for 8 changes of scores and forgetting (Holm), and for 8 of costs" in text for text in sentences)


def test_a_single_change_is_one(sides, held):
    untouched = sides.pairs()[-1:]
    assert any("corrected for 1 change of scores" in text for text in words.comparison_lines(held(untouched, untouched)))


def test_costs_that_did_not_change_have_no_line(sides, held):
    found = held(sides.pairs(), sides.pairs())
    (changes,) = words.by_table(found).values()
    assert {change.difference.question for change in changes} == {"quality", "forgetting"}
    assert [change.difference.row.label for change in changes] == sorted(change.difference.row.label for change in changes)


def test_unpaired_changes_are_marked(sides, held, make):
    bare = [(record, None) for record, _ in sides.pairs()]
    found = held(bare, sides.pairs())
    assert cells(found, "full", "score")[4].endswith("†")
    assert "†: the two sides share no answers per item; compared unpaired, by intervals." in words.comparison_lines(found)
