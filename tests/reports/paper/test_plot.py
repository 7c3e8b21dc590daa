"""The plots of gain against forgetting."""

from xml.etree import ElementTree

from reports.paper import plot
from reports.rows.rows import aggregate


def names(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_figure_has_a_panel_per_probe_and_one_legend_with_escaped_names(make):
    evil = "<script>$x$</script>"
    probes = {"wikipedia": 0.1, "lambada": 0.02}
    found = [make.record(name, curve=make.curve([(0.1, probes)]))[0] for name in ("full", evil)]
    svg = plot.curves(aggregate(found))
    texts = names(svg)
    assert svg.startswith("<?xml") and "<script" not in svg
    assert texts.count("full") == texts.count(evil) == 1 and {"wikipedia", "lambada"} <= set(texts)
    assert svg == plot.curves(aggregate(found)) and plot.curves(aggregate([make.record("x")[0]])) is None


def test_figure_says_which_base_gains_are_over(make):
    records = [record for record, _ in make.two_wordings()]
    several, one = (names(plot.curves(aggregate(some))) for some in (records, records[:1]))
    assert "gain over best base on validation, points (right is better)" in several
    assert "gain on validation, points (right is better)" in one


def test_figure_of_several_tasks_names_them_and_keeps_colours(make):
    found = [make.watched("full", [(0.1, 0.1)]), make.watched("full", [(0.2, 0.1)], task="rte", run_id="b")]
    found.append(make.watched("a", [(0.2, 0.1)], task="rte", run_id="c"))
    texts = names(plot.curves(aggregate(found)))
    assert {"sentiment, smollm2 on sst2: lambada", "sentiment, smollm2 on rte: lambada"} <= set(texts)
    assert texts.count("full") == 1


def test_names_are_never_read_as_mathematics(make):
    strategies = [r"$\frac{$", "$x$", 'a "b" & c']
    svg = plot.curves(aggregate([make.watched(name, [(0.1, 0.02)]) for name in strategies]))
    assert set(strategies) <= set(names(svg))


def test_nothing_is_drawn_without_a_way_or_a_number(make):
    assert plot.curves(aggregate([make.watched("full", [(0.1, 0.02)], gain=None), make.failed("frozen")])) is None
    assert plot.curves(aggregate([make.watched("full", [(0.1, 0.02)], forgetting={})])) is None


def test_gain_that_is_no_share_keeps_its_own_unit(make):
    record = make.watched("full", [(0.1, 0.02)])
    score = record.outcome.score.model_copy(update={"name": "bleu", "share": False})
    svg = plot.curves(aggregate([make.failed("frozen"), make.changed(record, score=score)]))
    assert "gain on validation, bleu (right is better)" in names(svg) and "forgetting, points (down is better)" in names(svg)


def test_names_of_any_letters_and_length_make_one_quiet_drawing(make, recwarn):
    """What XML cannot hold is replaced, long names are cut, and what matplotlib thinks of fonts and room is not told."""
    strategies = ["\x1b[31mred", "a\u202eb", "否定的", "x" * 3000]
    svg = plot.curves(aggregate([make.watched(name, [(0.1, 0.02)]) for name in strategies]))
    found = names(svg)
    assert {"\ufffd[31mred", "a\ufffdb", "否定的", "x" * 79 + "…"} <= set(found)
    assert not recwarn.list
