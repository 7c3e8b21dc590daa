"""The plots of gain against forgetting."""

from xml.etree import ElementTree

from reports.page import plot
from reports.rows.numbers import Quantity
from reports.rows.rows import aggregate

LOSS = Quantity("loss (nats per token)", share=False)
ACCURACY = Quantity("accuracy", share=True)


def names(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_each_row_has_its_name_in_the_panel_and_in_words(make, out):
    rows = aggregate(make.kept(out, make.suite()), out)
    svg = plot.panel(rows, "wikipedia", LOSS, "p")
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img" and "lora-8bit: gain +31.0 points, forgetting +0.0" in root.get("aria-label")
    assert {row.label for row in rows} <= set(names(svg))
    assert "forgetting, nats per token (down is better)" in names(svg)


def test_names_are_escaped_and_never_read_as_mathematics(make):
    strategies = ["<script>alert(1)</script>", r"$\frac{$", "$x$", 'a "b" & c']
    svg = plot.panel(aggregate([make.record(name)[0] for name in strategies]), "lambada", ACCURACY, "p")
    assert "<script" not in svg
    assert set(strategies) <= set(names(svg))
    assert all(name in ElementTree.fromstring(svg).get("aria-label") for name in strategies)


def test_same_rows_give_the_same_bytes_with_ids_of_their_own(make):
    rows = aggregate([make.record("full")[0]])
    first, again, other = (plot.panel(rows, "lambada", ACCURACY, prefix) for prefix in ("a", "a", "b"))
    assert first == again
    ids = [{e.get("id") for e in ElementTree.fromstring(svg).iter() if e.get("id")} for svg in (first, other)]
    assert ids[0] and not ids[0] & ids[1]


def test_labels_do_not_cover_each_other(make):
    # Seven rows at nearly the same place.
    rows = aggregate([make.record(f"strategy-{n}", accuracy=0.8)[0] for n in range(7)])
    root = ElementTree.fromstring(plot.panel(rows, "lambada", ACCURACY, "p"))
    texts = [t for t in root.iter("{http://www.w3.org/2000/svg}text") if "strategy" in "".join(t.itertext())]
    places = [(float(t.get("x")), float(t.get("y"))) for t in texts]
    assert len(places) == 7
    assert all(abs(a[0] - b[0]) > 30 or abs(a[1] - b[1]) > 7 for number, a in enumerate(places) for b in places[:number])


def watched(make, name: str, places: list[tuple[float, float]], **changes):
    return make.record(name, curve=make.curve([(gain, {"lambada": lost}) for gain, lost in places]), **changes)[0]


def test_curves_end_at_their_last_point_on_validation(make):
    found = [watched(make, "full", [(0.1, 0.02), (0.05, 0.04)]), watched(make, "lora", [(0.03, 0.01)]), make.record("x")[0]]
    root = ElementTree.fromstring(plot.panel(aggregate(found), "lambada", ACCURACY, "p", curves=True))
    label = root.get("aria-label")
    assert "(at the end of each curve, gain on validation; nothing beats in both: full, lora)" in label
    assert label.endswith("full: gain +5.0 points, forgetting +4.0 points; lora: gain +3.0 points, forgetting +1.0 points.")
    assert plot.panel(aggregate([make.record("full")[0]]), "lambada", ACCURACY, "p", curves=True) is None


def test_figure_has_a_panel_per_probe_and_one_legend_with_escaped_names(make):
    evil = "<script>$x$</script>"
    probes = {"wikipedia": 0.1, "lambada": 0.02}
    found = [make.record(name, curve=make.curve([(0.1, probes)]))[0] for name in ("full", evil)]
    svg = plot.curves(aggregate(found))
    texts = names(svg)
    assert svg.startswith("<?xml") and "<script" not in svg
    assert texts.count("full") == texts.count(evil) == 1 and {"wikipedia", "lambada"} <= set(texts)
    assert svg == plot.curves(aggregate(found)) and plot.curves(aggregate([make.record("x")[0]])) is None


def test_figure_of_several_tasks_names_them_and_keeps_colours(make):
    found = [watched(make, "full", [(0.1, 0.1)]), watched(make, "full", [(0.2, 0.1)], task="rte", run_id="b")]
    found.append(watched(make, "a", [(0.2, 0.1)], task="rte", run_id="c"))
    texts = names(plot.curves(aggregate(found)))
    assert {"sentiment, smollm2 on sst2: lambada", "sentiment, smollm2 on rte: lambada"} <= set(texts)
    assert texts.count("full") == 1


def test_no_panel_without_points(make):
    rows = aggregate([make.record("full", gain=None)[0], make.failed("frozen")])
    assert plot.panel(rows, "lambada", ACCURACY, "p") is None
    nan = make.record("full")[0]
    nan = make.changed(nan, gain=float("nan"))
    assert plot.panel(aggregate([nan]), "lambada", ACCURACY, "p") is None


def test_interval_beside_its_value_is_drawn(make):
    # A percentile interval need not hold the value.
    record = make.record("full")[0]
    assert plot.panel(aggregate([make.changed(record, gain_ci_high=-1.0)]), "lambada", ACCURACY, "p")


def test_gain_that_is_no_share_keeps_its_own_unit(make):
    record = make.record("full")[0]
    score = record.outcome.score.model_copy(update={"name": "bleu", "share": False})
    record = make.changed(record, score=score, gain=3.25, gain_ci_low=1.0, gain_ci_high=5.0)
    svg = plot.panel(aggregate([make.failed("frozen"), record]), "lambada", ACCURACY, "p")
    assert "gain, bleu (right is better)" in names(svg)
    assert "full: gain +3.250 bleu, forgetting +4.7 points" in ElementTree.fromstring(svg).get("aria-label")
