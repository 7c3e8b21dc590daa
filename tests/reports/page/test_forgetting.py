"""The page's tables on forgetting."""

from dataclasses import replace

import pytest

from bench.records.outcome import Pair
from reports.boards.cells import EMPTY
from reports.page.forgetting import forgetting_section
from reports.rows.captions import RANKS_OF_MODELS
from reports.rows.one_base import BEST_WORDS
from reports.rows.rows import aggregate


def built(found: list) -> tuple[list[dict], list[str]]:
    """The lines of the one table, cells by probe and title, and its columns' notes."""
    ((_, board),) = forgetting_section(aggregate(found)).tables
    titles = [(column.group, column.title) for column in board.columns]
    return [dict(zip(titles, line.cells, strict=True)) for line in board.lines], [column.note for column in board.columns]


def gained(make, name: str, gain: float, **changes):
    return make.record(name, gain=gain, gain_ci_low=gain - 0.01, gain_ci_high=gain + 0.01, **changes)


def test_what_could_have_been_shown_stands_beside_the_verdict(make):
    """Of a single run's interval: half its width times 1 + t.8 / t.975."""
    from scipy.stats import t

    row = aggregate([make.changed(make.record("full")[0])])[0]
    (name, forgotten), *_ = row.forgetting.items()
    half = (forgotten.lost.high - forgotten.lost.low) / 2
    freedom = forgotten.items - 1
    assert forgotten.smallest == pytest.approx(half * (1 + t.ppf(0.8, freedom) / t.ppf(0.975, freedom)))
    unchanged = replace(forgotten, lost=replace(forgotten.lost, low=0.0, high=0.0))
    assert unchanged.smallest is None and name


def test_verdict_price_and_frontier(make):
    probes = {"wikipedia": ("loss (nats per token)", 3.2, 3.3)}
    values = {"full": (0.1, (0.02, 0.01, 0.03)), "lora": (0.05, (-0.01, -0.02, -0.005)), "worse": (0.04, (0.03, -0.01, 0.05))}
    found = [make.lost(gained(make, name, gain, probes=probes), "wikipedia", lost)[0] for name, (gain, lost) in values.items()]
    lines, notes = built(found)
    assert [line["wikipedia", "Verdict"].text for line in lines] == ["loss", "better", "none"]
    assert [line["wikipedia", "Frontier"].text for line in lines] == ["yes", "yes", "no"]
    assert [line["wikipedia", "Per gain"].text for line in lines] == ["+0.0020", "-0.0020", "+0.0075"]
    assert "nats per token for each point gained" in notes and ("wikipedia", "Rounding") not in lines[0]


def test_untouched_base_can_beat_a_row(make):
    probes = {"wikipedia": ("loss (nats per token)", 3.2, 3.3)}
    for gain, text in ((0.0, "no"), (0.01, "yes")):
        trained = make.lost(gained(make, "full", gain, probes=probes), "wikipedia", (0.02, 0.01, 0.03))[0]
        (line,), _ = built([trained])
        assert line["wikipedia", "Frontier"].text == text


def test_rows_that_were_asked_in_different_words_are_held_against_one_base(make):
    """`instruction` gains more over a weaker base, is worse, and forgets more."""
    records = [record for record, _ in make.two_wordings()]
    lines, notes = built(records)
    assert [line["wikipedia", "Frontier"].text for line in lines] == ["yes", "no"]
    assert "nats per token, at +20.0 points" in notes
    assert f"smollm2 on sst2: {BEST_WORDS}" in forgetting_section(aggregate(records)).notes
    assert BEST_WORDS not in " ".join(forgetting_section(aggregate(records[:1])).notes)


def test_equal_gain_names_where_and_rows_that_never_rose_are_empty(make):
    curves = {"full": [(0.1, 0.02), (0.3, 0.06)], "lora": [(0.2, 0.01)], "lost": [(-0.1, 0.0)]}
    found = [
        make.record(name, curve=make.curve([(gain, {"lambada": lost}) for gain, lost in places]))[0]
        for name, places in curves.items()
    ]
    lines, notes = built(found)
    assert [line["lambada", "At equal gain"].text for line in lines] == ["+4.0", "+1.0", "–"]
    assert "points, at +20.0 points" in notes


def test_relative_forgetting_of_several_seeds_has_an_interval(make):
    """By hand, in per cent: t(1) = 12.71 times half the distance of two seeds."""
    pairs = [make.record("full", seed, run_id=str(seed)) for seed in (0, 1)]
    rows = aggregate([make.changed(pair[0], relative_forgetting=lost) for pair, lost in zip(pairs, (3.0, 4.0), strict=True)])
    ((_, board),) = forgetting_section(rows).tables
    cell = next(cell for column, cell in zip(board.columns, board.lines[0].cells, strict=True) if column.title == "FG")
    assert (cell.text, cell.interval, cell.strong) == ("+3.5", "[-2.9, +9.9]", False)


def test_rounding_contamination_relative_forgetting_and_other_numbers(make):
    pair = make.contaminated(make.rounded(make.record("lora-8bit"), "wikipedia", (0.009, 0.005, 0.012)), "lambada", 3)
    record = make.changed(pair[0], relative_forgetting=-12.25)
    bits = record.outcome.forgetting["wikipedia"].model_copy(update={"others": {"bits per byte": Pair(before=1.1, after=1.2)}})
    layers = {f"layer {n}": Pair(before=1.0, after=1 - n / 10) for n in range(5)}
    many = record.outcome.forgetting["arc-easy"].model_copy(update={"others": layers})
    record = make.changed(record, forgetting={**record.outcome.forgetting, "wikipedia": bits, "arc-easy": many})
    (line, other), _ = built([record, make.record("full")[0]])
    rounding = line["wikipedia", "Rounding"]
    assert (rounding.text, rounding.interval, rounding.strong) == ("+0.009", "[+0.005, +0.012]", True)
    assert line["lambada", "Contaminated"].text == "3 of 64" and line["All probes", "FG"].text == "-12.2"
    assert line["wikipedia", "Besides"].text == "bits per byte 1.100 → 1.200"
    assert line["arc-easy", "Besides"].text == "layer 4 1.000 → 0.600"
    assert other["wikipedia", "Rounding"] == other["lambada", "Contaminated"] == other["All probes", "FG"] == EMPTY


def test_rows_that_train_nothing_or_failed_are_left_out(make):
    found = [make.record("zero-shot", trainable=0)[0], make.failed("x")]
    assert forgetting_section(aggregate(found)).tables == []


@pytest.mark.parametrize(("seeds", "told"), [(1, True), (2, False)])
def test_ranks_of_one_seed_are_said_to_be_of_these_models(make, out, seeds, told):
    rows = aggregate(make.kept(out, [make.record(name, seed) for name in ("full", "frozen") for seed in range(seeds)]), out)
    assert (RANKS_OF_MODELS in forgetting_section(rows).notes) == told


def test_ranks_and_what_they_could_have_shown(make, out):
    probes = {"wikipedia": ("loss (nats per token)", 3.2, 3.6)}
    found = [make.record("full", probes=probes), make.record("frozen")]
    section = forgetting_section(aggregate(make.kept(out, found), out))
    ((_, board),) = section.tables
    (place,) = [n for n, column in enumerate(board.columns) if (column.group, column.title) == ("wikipedia", "Rank")]
    assert {line.row.label: line.cells[place].text for line in board.lines} == {"full": "2", "frozen": "1"}
    assert "wikipedia (smollm2 on sst2): Smallest detectable difference: " in " ".join(section.notes)
    first = "wikipedia (smollm2 on sst2): Top group, than which none forgets less by more than chance: frozen."
    assert first in section.notes
