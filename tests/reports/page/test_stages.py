"""The page's tables on stages."""

import math

from reports.page.stages import stages_section
from reports.rows.rows import aggregate


def test_rows_without_stages_have_no_tables(make):
    assert stages_section(aggregate([make.record("full")[0], make.failed("x")])).tables == []


def test_stages_have_their_measures_and_scores(make):
    section = stages_section(aggregate([make.staged(make.stages())]))
    (_, measures), (_, scores) = section.tables
    assert "without intervals" in " ".join(section.notes)
    assert [cell.text for cell in measures.lines[0].cells] == ["full", "-17.5", "+10.0", "+17.5"]
    assert scores.groups == [("", 1), ("Base", 3), ("After rte", 3), ("After squad", 3), ("After sst2", 3)]
    texts = ".500 .400 .300 .800 .500 .200 .700 .900 .400 .750 .600 .850"
    assert [cell.text for cell in scores.lines[0].cells[1:]] == texts.split()


def test_no_mean_of_points_and_of_another_unit_is_shown(make):
    """Planted fault: one chrF weighed as much as a hundred points. Of two stages each measure is of one task."""
    pair = make.record("full", stages=make.stages())
    (_, measures), _ = stages_section(aggregate([make.elsewhere(pair, "rte", 0.7, 64)[0]])).tables  # squad's is not known
    assert [cell.text for cell in measures.lines[0].cells] == ["full", "–", "–", "–"]
    assert all(column.note.startswith("unlike units, positive is") for column in measures.columns[1:])
    two = {"tasks": ["squad", "sst2"], "base": [0.4, 0.3], "scores": [[0.9, 0.4], [0.6, 0.85]]}
    (_, measures), _ = stages_section(aggregate([make.record("full", stages=make.stages().model_copy(update=two))[0]])).tables
    assert measures.lines[0].cells[1].text != "–"


def test_other_stages_are_tables_of_their_own(make):
    stages = make.stages()
    fewer = stages.model_copy(update={"tasks": ["squad", "sst2"], "base": [0.4, 0.3], "scores": [[0.9, 0.4], [0.6, 0.85]]})
    found = [make.record("full", stages=stages, run_id="a")[0], make.record("frozen", stages=fewer, run_id="b")[0]]
    assert len(stages_section(aggregate(found)).tables) == 4


def test_stages_of_several_seeds_are_means(make):
    stages = make.stages()
    other = stages.model_copy(update={"backward_transfer": -0.075, "base": [0.7, 0.4, 0.3]})
    found = [make.record("full", seed, stages=each, run_id=str(seed))[0] for seed, each in enumerate((stages, other))]
    (row,) = aggregate(found)
    assert row.stages.backward_transfer.value == -0.125 and row.stages.base[0] == 0.6
    assert aggregate([found[0], make.record("full", 1)[0]])[0].stages is None


def test_several_seeds_give_measures_and_scores_their_intervals(make):
    """By hand: of two seeds, t(1) = 12.71 times half their distance."""
    stages = make.stages()
    other = stages.model_copy(update={"backward_transfer": -0.173, "scores": [[0.81, 0.5, 0.2], *stages.scores[1:]]})
    section = stages_section(aggregate([make.staged(stages), make.staged(other, seed=1)]))
    (_, measures), (_, scores) = section.tables
    notes = " ".join(section.notes)
    assert "Intervals hold other seeds on these test items alone" in notes and "without intervals" not in notes
    assert (measures.lines[0].cells[1].text, measures.lines[0].cells[1].interval) == ("-17.4", "[-18.7, -16.1]")
    half, odds = 12.7062 * 0.005, math.log(0.805 / 0.195)
    ends = [1 / (1 + math.exp(-(odds + sign * half / (0.805 * 0.195)))) for sign in (-1, 1)]
    assert scores.lines[0].cells[4].interval == "[" + ", ".join(f"{end:.3f}"[1:] for end in ends) + "]"
    assert scores.lines[0].cells[1].interval == ""  # the base's, which no seed moves
