"""A sweep's figure: one panel a number, its values, intervals and lines; the kinds of file."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from bench.errors import UserError
from reports.paper import sweep_figure as drawing
from reports.paper.ablation import Sweep, ablations
from reports.paper.sweep_figure import check_figure, sweep_figure


@pytest.fixture
def found(make, out):
    def at(rank, rate):
        given = {"peft": {"r": int(rank)}, "learning_rate": float(rate)}
        return make.kept(out, [make.record("lora-8bit", 0, 0.6 + int(rank) / 100, hyperparameters=given)])

    points = {(rank, rate): at(rank, rate) for rank in ("16", "2", "4") for rate in ("1e-4", "1e-3")}
    return ablations(Sweep(("peft.r", "learning_rate"), points), out, ["score", "gain"])


@pytest.mark.parametrize(("ending", "start"), [(".pdf", b"%PDF"), (".PNG", b"\x89PNG"), (".svg", b"<?xml")])
def test_the_ending_says_what_it_becomes_and_the_same_numbers_give_the_same_bytes(found, ending, start):
    assert sweep_figure(found, ending).startswith(start)
    assert sweep_figure(found, ending) == sweep_figure(found, ending)


def test_names_are_text_of_the_figure(found):
    svg = ElementTree.fromstring(sweep_figure(found, ".svg"))
    texts = {"".join(text.itertext()) for text in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert {"peft.r", "learning_rate=1e-4", "learning_rate=1e-3", "accuracy [95 %]", "2", "4", "16"} <= texts


def test_points_are_the_rows_means_in_order_and_bars_their_intervals(found):
    (ablation,), axes = found, Figure().add_subplot()
    drawing._draw_panel(axes, ablation, ablation.measures[1])
    assert axes.get_xscale() == "log" and len(axes.containers) == 2
    line, _, (bars,) = axes.containers[0]
    assert list(line.get_xdata()) == [2, 4, 16]
    rows = [ablation.rows[rank, "1e-4"] for rank in ("2", "4", "16")]
    assert list(line.get_ydata()) == pytest.approx([100 * row.gain.value for row in rows])
    ends = [sorted(segment[:, 1]) for segment in bars.get_segments()]
    assert ends == [pytest.approx([100 * row.gain.low, 100 * row.gain.high]) for row in rows]


def test_words_stand_in_their_order():
    assert drawing._places_on_axis(["all-linear", "[q]"]) == {"all-linear": 0, "[q]": 1}
    assert drawing._places_on_axis(["8", "2"]) == {"8": 8, "2": 2} and not drawing._spans_wide(["1", "2"])


def test_another_ending_is_refused():
    check_figure(Path("a.pdf"))
    with pytest.raises(UserError, match=r"\.pdf, \.png, \.svg"):
        check_figure(Path("a.jpg"))
