"""Rows as CSV, Markdown and LaTeX."""

import csv
from dataclasses import replace
from io import StringIO

from typesetting import EVIL, typeset

from bench.statistics.estimates import Estimate
from reports.exchange.tables import rows_as_csv, rows_as_latex, rows_as_markdown, score_text
from reports.rows.fairness import unfair
from reports.rows.rows import aggregate


def test_csv_has_full_numbers_and_a_line_for_each_row(make, out):
    rows = aggregate([*make.kept(out, make.suite(2)), make.failed("rehearsal", reason='a "b", c\nd')], out)
    lines = list(csv.DictReader(StringIO(rows_as_csv(rows))))
    assert lines[0]["row"] == "full" and len(lines) == 8
    full = next(row for row in rows if row.label == "full")
    assert (
        float(lines[0]["score"]) == full.score.value
        and float(lines[0]["forgets.wikipedia_low"]) == full.forgetting["wikipedia"].lost.low
    )
    assert (lines[0]["seeds"], lines[0]["rank_best"], lines[0]["train_tokens"]) == ("0, 1", "1", "19648")
    assert (lines[-1]["status"], lines[-1]["reason"], lines[-1]["score"]) == ("failed", 'a "b", c\nd', "")
    assert "peak_memory_bytes" in lines[0] and "[]" not in lines[0].values()  # planted fault: memory per process, of no row


def test_markdown_has_a_table_for_each_task_and_says_what_failed(make, out):
    rows = aggregate([*make.kept(out, make.suite(2)), make.failed("rehearsal", reason="no | <b>room</b>")], out)
    text = rows_as_markdown(rows)
    tables = [line.count(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert text.startswith("## sentiment: smollm2 on sst2\n") and set(tables) == {9} and len(tables) == 9
    assert "- rehearsal (seed 0) failed: no \\| \\<b\\>room\\</b\\>" in text and "| full | 1" in text
    assert "- Smallest detectable difference: " in text
    assert "- wikipedia: Forgetting ranks: " in text and "- wikipedia: Smallest detectable difference: " in text
    assert "- over best: what the row adds to what there is without it" in text


def test_latex_has_the_numbers_of_markdown_and_is_set(make, out, tmp_path):
    rows = aggregate([*make.kept(out, make.suite(2)), make.failed("rehearsal", reason=EVIL)], out)
    text, markdown = rows_as_latex(rows), rows_as_markdown(rows)
    lines = [line for line in text.splitlines() if line.endswith(r" \\") and "\\%" not in line]
    shown = [line for line in markdown.splitlines() if line.startswith("| ") and "[95 %]" not in line and "---" not in line]
    assert len(lines) == len(shown) == 7
    plain = [
        line.replace("{-}", "-").replace("$-$", "-").replace("--", "–").removesuffix(r" \\").split(" & ") for line in lines
    ]
    assert plain == [line.strip("| ").replace("\\", "").split(" | ") for line in shown]
    assert "rehearsal (seed 0) failed: a\\textbackslash" in text and "Smallest detectable difference: " in text
    assert "Undefined" not in typeset(tmp_path, text)
    assert "tabular" not in rows_as_latex(aggregate([make.failed()]))


def test_what_forbids_to_trust_a_row_goes_with_it(make, out):
    """Whoever reads an export does not see the terminal's warnings."""
    rows = aggregate([make.changed(make.record("full")[0], checks={"padding": False}), make.record("frozen")[0]])
    assert "- full: the check padding does not hold; don't trust this row" in rows_as_markdown(rows)
    told = {line["row"]: line["doubts"] for line in csv.DictReader(StringIO(rows_as_csv(rows)))}
    assert told == {"full": "full: the check padding does not hold; don't trust this row", "frozen": ""}


def test_a_loss_has_its_verdict_in_every_export(make):
    """Planted fault: of three probes an interval without correction left out zero, and a paper's table showed it as it was."""
    probes = dict.fromkeys(("wikipedia", "lambada", "arc-easy"), ("loss (nats per token)", 3.2, 3.2))
    (row,) = aggregate([make.record("full", probes=probes)[0]])
    ends = {
        "wikipedia": (0.013, 0.010, 0.016, 1e-9),
        "lambada": (0.043, 0.001, 0.086, 0.09),
        "arc-easy": (-0.2, -0.3, -0.1, 1e-4),
    }
    for name, (value, low, high, p) in ends.items():
        row.forgetting[name] = replace(row.forgetting[name], lost=Estimate(value, low, high, "items", runs=1, p=p))
    for text in (rows_as_markdown([row]), rows_as_latex([row]).replace("$-$", "-")):
        assert "+0.013 [+0.010, +0.016]*" in text and "-0.200 [-0.300, -0.100]*" in text
        assert "+0.043 [+0.001, +0.086] " in text and text.count("*: this forgetting is more than chance") == 1
    (line,) = csv.DictReader(StringIO(rows_as_csv([row])))
    verdicts = {name: line[f"forgets.{name}_verdict"] for name in probes}
    assert verdicts == {"wikipedia": "loss", "lambada": "none", "arc-easy": "better"}


def test_the_name_of_a_metric_is_no_markup(make):
    """An imported one may be called anything. Planted fault: a bar in it began a column."""
    record, _ = make.record("full")
    score = record.outcome.score.model_copy(update={"name": "acc|x"})
    assert "| strategy | rank | acc\\|x [95 %] | gain" in rows_as_markdown(aggregate([make.changed(record, score=score)]))


def test_a_score_as_text(make):
    assert score_text(aggregate([make.record("full", accuracy=0.85)[0]])[0]).startswith(".850 [.")
    assert score_text(aggregate([make.failed()])[0]) == "–"


def test_only_failed_rows(make):
    assert rows_as_markdown(aggregate([make.failed()])).count("|") == 0


def test_what_is_unfair_in_a_table_is_said(make):
    one, other = make.record("full")[0], make.record("frozen", 0, 0.8, data_hash="ee" * 32, budget="64examples")[0]
    rows = aggregate([one, other, make.record("full", task="rte")[0]])
    said = list(unfair(rows[:2]))
    text = rows_as_markdown(rows)
    assert len(said) == 2 and all(text.count(f"\n- {sentence}\n") == 1 for sentence in said)
    lines = {(line["task"], line["row"]): line["unequal"] for line in csv.DictReader(StringIO(rows_as_csv(rows)))}
    assert lines == {("sst2", "full"): "; ".join(said), ("sst2", "frozen"): "; ".join(said), ("rte", "full"): ""}
