"""A sweep's files and what is printed where none is asked for."""

import csv
import io

import pytest

from bench.errors import UserError
from reports.paper.ablated import AblationFiles, ablation_csv, ablation_markdown
from reports.paper.ablation import Sweep, ablations, grid


@pytest.fixture
def sweep(make, out):
    points = {
        (rank,): make.kept(out, [make.record("lora-8bit", 0, right, hyperparameters={"peft": {"r": int(rank)}})])
        for rank, right in (("2", 0.55), ("8", 0.9), ("16", 0.89))
    }
    return Sweep(("peft.r",), points)


def test_markdown_marks_the_best_and_its_ties(sweep, out):
    found = ablations(sweep, out, ["score"])
    text = ablation_markdown(found, [grid(each) for each in found])
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert lines[0] == r"| peft.r | accuracy \[95 %\] |" and lines[1] == "| --- | ---: |"
    assert "*" not in lines[2] and sum("**" in line for line in lines) == 1 and sum(r"\* [" in line for line in lines) == 1
    assert "Bold: best." in text and text.endswith(".\n")


def test_csv_has_full_numbers_and_says_who_is_in_the_top_group(sweep, out):
    found = ablations(Sweep(sweep.axes, {**sweep.points, ("32",): []}), out, ["score", "train_seconds"])
    lines = list(csv.DictReader(io.StringIO(ablation_csv(found))))
    assert [line["peft.r"] for line in lines] == ["2", "8", "16", "32"]
    assert [line["score_top"] for line in lines] == ["False", "True", "True", ""]
    for line, row in zip(lines, found[0].scored, strict=False):
        assert float(line["score"]) == row.score.value and float(line["score_high"]) == row.score.high
        assert float(line["train_seconds"]) == row.cost.train_seconds and "train_seconds_low" not in line


def test_files_are_written_and_nothing_is_printed(sweep, out, tmp_path, capsys):
    names = {"latex": "t.tex", "markdown": "t.md", "csv": "t.csv", "figure": "t.svg"}
    paths = {name: tmp_path / "paper" / file for name, file in names.items()}
    AblationFiles(["score"], True, **paths).write([sweep], out)
    assert capsys.readouterr().out == "" and {path.name for path in (tmp_path / "paper").iterdir()} == set(names.values())
    assert "peft.r & 2 & 8 & 16" in paths["latex"].read_text(encoding="utf-8")
    assert "| peft.r | 2 | 8 | 16 |" in paths["markdown"].read_text(encoding="utf-8")


def test_without_files_it_is_printed(sweep, out, capsys):
    AblationFiles(["score"]).write([sweep], out)
    printed = capsys.readouterr().out
    assert "peft.r of lora-8bit" in printed and printed.count("**.") == 1 and "Seeds: 0." in printed


def test_what_is_unknown_is_refused_beforehand(tmp_path):
    for files in (AblationFiles(["speed"]), AblationFiles(figure=tmp_path / "x.gif")):
        with pytest.raises(UserError):
            files.check()


def test_a_sweep_without_a_score_takes_nothing_from_the_others_and_is_named(sweep, make, out, tmp_path, capsys):
    """Planted fault: the tables of all other sweeps were thrown away."""
    failed = Sweep(("batch",), {("4",): [make.failed("full", reason="out of memory")]})
    begun_by_none = Sweep(("budget",), {("64",): []}, ["64 (seed 0)", "64 (seed 1)", "64 (seed 2)"])
    AblationFiles(["score"], csv=tmp_path / "t.csv").write([failed, sweep, begun_by_none], out)
    table, said = (tmp_path / "t.csv").read_text(encoding="utf-8"), capsys.readouterr()
    assert [line["peft.r"] for line in csv.DictReader(io.StringIO(table))] == ["2", "8", "16"] and said.out == ""
    assert said.err.splitlines() == [
        "no run of the sweep over batch has a score on sst2 with smollm2 (full failed: out of memory)",
        "no run of the sweep over budget has a score (not run yet: 64 (seed 0); 64 (seed 1), and 1 more)",
    ]


def test_a_task_of_a_sweep_that_has_no_score_is_named(sweep, make, out, capsys):
    more = {**sweep.points, ("32",): [make.failed("lora-8bit", task="rte", reason="no GPU")]}
    AblationFiles(["score"]).write([Sweep(sweep.axes, more)], out)
    told = capsys.readouterr().err
    assert told == "no run of the sweep over peft.r has a score on rte with smollm2 (lora-8bit failed: no GPU)\n"


def test_where_no_sweep_has_a_score_it_is_an_error(out):
    with pytest.raises(UserError, match="over budget.*without --no-run"):
        AblationFiles(["score"]).write([Sweep(("budget",), {("64",): []}, ["64 (seed 0)"])] * 2, out)
