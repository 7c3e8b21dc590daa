"""The page's tables on forgetting and on stages."""

from bench.records.record import Pair
from reports.page import losses
from reports.page.cells import EMPTY
from reports.rows.rows import aggregate


def built(found: list) -> tuple[list[dict], list[str]]:
    """The lines of the one table, cells by probe and title, and its columns' notes."""
    ((_, board),) = losses.forgetting(aggregate(found)).tables
    titles = [(column.group, column.title) for column in board.columns]
    return [dict(zip(titles, line.cells, strict=True)) for line in board.lines], [column.note for column in board.columns]


def gained(make, name: str, gain: float, **changes):
    return make.record(name, gain=gain, gain_ci_low=gain - 0.01, gain_ci_high=gain + 0.01, **changes)


def test_verdict_price_and_frontier(make):
    probes = {"wikipedia": ("loss (nats per token)", 3.2, 3.3)}
    values = {"full": (0.1, (0.02, 0.01, 0.03)), "lora": (0.05, (-0.01, -0.02, -0.005)), "worse": (0.04, (0.03, -0.01, 0.05))}
    found = [make.lost(gained(make, name, gain, probes=probes), "wikipedia", lost)[0] for name, (gain, lost) in values.items()]
    lines, notes = built(found)
    assert [line["wikipedia", "Verdict"].text for line in lines] == ["loss", "gain", "none"]
    assert [line["wikipedia", "Frontier"].text for line in lines] == ["yes", "yes", "no"]
    assert [line["wikipedia", "Per gain"].text for line in lines] == ["+0.0020", "-0.0020", "+0.0075"]
    assert "nats per token for each point gained" in notes and ("wikipedia", "Rounding") not in lines[0]


def test_untouched_base_can_beat_a_row(make):
    probes = {"wikipedia": ("loss (nats per token)", 3.2, 3.3)}
    for gain, text in ((0.0, "no"), (0.01, "yes")):
        trained = make.lost(gained(make, "full", gain, probes=probes), "wikipedia", (0.02, 0.01, 0.03))[0]
        (line,), _ = built([trained])
        assert line["wikipedia", "Frontier"].text == text


def test_equal_gain_names_where_and_rows_that_never_rose_are_empty(make):
    curves = {"full": [(0.1, 0.02), (0.3, 0.06)], "lora": [(0.2, 0.01)], "lost": [(-0.1, 0.0)]}
    found = [
        make.record(name, curve=make.curve([(gain, {"lambada": lost}) for gain, lost in places]))[0]
        for name, places in curves.items()
    ]
    lines, notes = built(found)
    assert [line["lambada", "At equal gain"].text for line in lines] == ["+4.0", "+1.0", "–"]
    assert "points, at +20.0 points" in notes


def test_rounding_contamination_relative_forgetting_and_other_numbers(make):
    pair = make.contaminated(make.rounded(make.record("lora-8bit"), "wikipedia", (0.009, 0.005, 0.012)), "lambada", 3)
    record = pair[0].model_copy(update={"relative_forgetting": -12.25})
    bits = record.forgetting["wikipedia"].model_copy(update={"others": {"bits per byte": Pair(before=1.1, after=1.2)}})
    layers = {f"layer {n}": Pair(before=1.0, after=1 - n / 10) for n in range(5)}
    many = record.forgetting["arc-easy"].model_copy(update={"others": layers})
    record = record.model_copy(update={"forgetting": {**record.forgetting, "wikipedia": bits, "arc-easy": many}})
    (line, other), _ = built([record, make.record("full")[0]])
    rounding = line["wikipedia", "Rounding"]
    assert (rounding.text, rounding.interval, rounding.strong) == ("+0.009", "[+0.005, +0.012]", True)
    assert line["lambada", "Contaminated"].text == "3 of 64" and line["All probes", "FG"].text == "-12.2"
    assert line["wikipedia", "Besides"].text == "bits per byte 1.100 → 1.200"
    assert line["arc-easy", "Besides"].text == "layer 4 1.000 → 0.600"
    assert other["wikipedia", "Rounding"] == other["lambada", "Contaminated"] == other["All probes", "FG"] == EMPTY


def test_rows_that_train_nothing_or_failed_are_left_out(make):
    found = [make.record("zero-shot", trainable=0)[0], make.failed("x")]
    assert losses.forgetting(aggregate(found)).tables == [] and losses.stages(aggregate(found)).tables == []


def test_stages_have_their_measures_and_scores(make):
    pair = make.record("full", stages=make.stages())
    for task in ("rte", "squad"):
        pair = make.elsewhere(pair, task, 0.7, 64)
    (_, measures), (_, scores) = losses.stages(aggregate([pair[0]])).tables
    assert [cell.text for cell in measures.lines[0].cells] == ["full", "-17.5", "+10.0", "+17.5"]
    assert scores.groups == [("", 1), ("Base", 3), ("After rte", 3), ("After squad", 3), ("After sst2", 3)]
    texts = ".500 .400 .300 .800 .500 .200 .700 .900 .400 .750 .600 .850"
    assert [cell.text for cell in scores.lines[0].cells[1:]] == texts.split()


def test_other_stages_are_tables_of_their_own(make):
    stages = make.stages()
    fewer = stages.model_copy(update={"tasks": ["squad", "sst2"], "base": [0.4, 0.3], "scores": [[0.9, 0.4], [0.6, 0.85]]})
    found = [make.record("full", stages=stages, run_id="a")[0], make.record("frozen", stages=fewer, run_id="b")[0]]
    assert len(losses.stages(aggregate(found)).tables) == 4


def test_stages_of_several_seeds_are_means(make):
    stages = make.stages()
    other = stages.model_copy(update={"backward_transfer": -0.075, "base": [0.7, 0.4, 0.3]})
    found = [make.record("full", seed, stages=each, run_id=str(seed))[0] for seed, each in enumerate((stages, other))]
    (row,) = aggregate(found)
    assert row.stages.backward_transfer == -0.125 and row.stages.base[0] == 0.6
    assert aggregate([found[0], make.record("full", 1)[0]])[0].stages is None
