"""`tunebench forgetting`: tables as text and as Markdown, and the curves as a file."""

import re
from xml.etree import ElementTree

import pytest

from bench import cli
from bench.errors import UserError
from reports.paper import forgetting
from reports.rows.one_base import BEST_WORDS
from reports.rows.rows import aggregate

WIKIPEDIA = {"wikipedia": ("loss (nats per token)", 3.2, 3.3)}


def row(make, name: str, gain: float, lost: tuple, places: list, **changes):
    curve = make.curve([(gained, {"wikipedia": forgot}) for gained, forgot in places])
    bounds = {"gain": gain, "gain_ci_low": gain - 0.02, "gain_ci_high": gain + 0.02}
    return make.lost(make.record(name, curve=curve, probes=WIKIPEDIA, **bounds, **changes), "wikipedia", lost)


def two(make) -> list:
    full = row(make, "full", 0.05, (0.02, 0.01, 0.03), [(0.02, 0.01), (0.06, 0.03)], relative_forgetting=3.5)
    lora = row(make, "lora-8bit", 0.01, (0.001, -0.01, 0.012), [(0.04, 0.002)])
    return [full, make.rounded(lora, "wikipedia", (0.009, 0.005, 0.012))]


def test_a_table_per_probe_holds_what_was_worked_out_by_hand(make):
    (group,) = forgetting.groups(aggregate([record for record, _ in two(make)]))
    table, relative = group.tables
    assert group.title == "sentiment: smollm2 on sst2" and table.title == "wikipedia: loss (nats per token), 64 items"
    assert [header.text for header in table.headers] == [
        "strategy",
        "gain [95 %]",
        "forgetting [95 %]",
        "verdict",
        "per gain",
        "at equal gain",
        "rounding",
    ]
    # full at .04: half way from (.02, .01) to (.06, .03); .02 nats for 5 points
    assert table.lines == [
        ["full", "+5.0 [+3.0, +7.0]", "+0.020 [+0.010, +0.030]", "loss", "+0.0040", "+0.020", "–"],
        ["lora-8bit", "+1.0 [-1.0, +3.0]", "+0.001 [-0.010, +0.012]", "none", "–", "+0.002", "+0.009"],
    ]
    assert relative.lines == [["full", "+3.5"]]
    notes = " ".join(group.notes)
    assert (
        "One seed: the interval is for this trained model" in notes and "Equal gain: +4.0 points on validation items" in notes
    )
    assert "FG: Relative forgetting: the mean" in notes and "With one seed it has none" in notes
    assert "wikipedia: loss for full; not significant for lora-8bit." in group.findings


def test_notes_say_how_rows_stand_by_what_they_forgot(make, out):
    probes = {name: {"wikipedia": ("loss (nats per token)", 3.2, new)} for name, new in (("full", 3.6), ("frozen", 3.3))}
    found = [make.record(name, probes=of) for name, of in probes.items()]
    (group,) = forgetting.groups(aggregate(make.kept(out, found), out))
    (said,) = [note for note in group.notes if note.startswith("wikipedia: ")]
    assert said.startswith(
        "wikipedia: Forgetting ranks: 1 frozen; 2 full. Top group, than which none forgets less by more than chance: frozen. "
        "Smallest detectable difference: 0."
    )
    assert "One seed: ranks are about these trained models, not strategies; another seed may rank otherwise." in group.notes
    (alone,) = forgetting.groups(aggregate([make.record("full")[0]]))
    assert "ranks" not in " ".join(alone.notes)


def test_rows_that_were_asked_in_different_words_are_held_against_one_base(make):
    records = [record for record, _ in make.two_wordings()]
    (group,) = forgetting.groups(aggregate(records))
    gains = [line[1].partition(" ")[0] for line in group.tables[0].lines]
    assert gains == ["+30.0", "+15.0"] and BEST_WORDS in group.notes
    assert BEST_WORDS not in forgetting.groups(aggregate(records[:1]))[0].notes
    unknown = [make.changed(record, best_base=None) for record in records]
    assert [line[1] for line in forgetting.groups(aggregate(unknown))[0].tables[0].lines] == ["–", "–"]


def test_what_no_row_shows_is_said_once(make):
    none = [row(make, name, 0.05, (0.001, -0.01, 0.01), [])[0] for name in ("full", "frozen")]
    assert "wikipedia: not significant for any row." in forgetting.groups(aggregate(none))[0].findings


def test_markdown_is_whole_and_names_variants(make, out):
    rates = [
        row(make, "full", 0.05, (0.02, 0.01, 0.03), [(0.05, 0.01)], hyperparameters={"learning_rate": rate})
        for rate in (1e-5, 1e-4)
    ]
    text = forgetting.as_markdown(aggregate([record for record, _ in rates]), "curves.svg")
    short = text.index("**In short.** wikipedia: loss for full")
    assert text.index("## sentiment") < short < text.index("### wikipedia")
    assert "| full (hyperparameters.learning_rate=1e-05" in text or "| full (learning_rate=1e-05) |" in text
    assert "(<curves.svg>)" in text and "| --- | ---: |" in text and text.endswith("\n") and "\n\n\n" not in text
    tables = [line.count("|") for line in text.splitlines() if line.startswith("|")]
    assert len(set(tables[:4])) == 1


def test_names_cannot_write_markup(make):
    evil = "a|b<script>[x](y) *z* _w_\nq`"
    text = forgetting.as_markdown(aggregate([row(make, evil, 0.05, (0.02, 0.01, 0.03), [])[0], make.failed(reason="<b>| no")]))
    assert (
        not re.search(r"(?<!\\)<", text)
        and r"| a\|b\<script\>\[x\](y) \*z\* \_w\_ q\` |" in text
        and r"failed: \<b\>\| no" in text
    )


def test_what_is_absent_leaves_no_column_and_failures_are_told(make):
    same = {"wikipedia": ("loss (nats per token)", 3.2, 3.2)}
    bare = make.record("full", probes=same, gain=0.01, gain_ci_low=-0.01, gain_ci_high=0.02)[0]
    (group,) = forgetting.groups(aggregate([bare, make.failed("x", reason="no GPU"), make.record("zero-shot", trainable=0)[0]]))
    assert [header.text for header in group.tables[0].headers] == ["strategy", "gain [95 %]", "forgetting [95 %]", "verdict"]
    assert len(group.tables) == 1 and len(group.tables[0].lines) == 1 and group.notes[-1] == "x (seed 0) failed: no GPU"
    (empty,) = forgetting.groups(aggregate([make.failed("x")]))
    assert empty.tables == [] and empty.notes[0] == "No row was trained and probed."


def left(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main(["forgetting", *arguments])
    return left.value.code


def test_command_prints_or_writes(make, out, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    make.kept(out, two(make))
    assert left(["--out", str(out), "--suite", "sentiment"]) == 0
    printed = capsys.readouterr().out
    assert "+0.020 [+0.010, +0.030]    loss  +0.0040" in printed and all(
        len(line) <= 100 for line in printed.splitlines() if "[+" in line
    )
    page, figure = tmp_path / "docs" / "f.md", tmp_path / "docs" / "pictures" / "f.svg"
    assert left(["--out", str(out), "--markdown", str(page), "--figure", str(figure)]) == 0
    assert capsys.readouterr().out == "" and "(<pictures/f.svg>)" in page.read_text(encoding="utf-8")
    assert ElementTree.parse(figure).getroot().tag.endswith("svg")


def test_command_says_what_is_missing(make, out, tmp_path, capsys):
    assert left(["--out", str(out)]) == 2 and "run a suite first" in capsys.readouterr().err
    make.kept(out, [make.record("full")])
    assert left(["--out", str(out), "--suite", "other"]) == 2 and "of suite other" in capsys.readouterr().err
    assert left(["--out", str(out), "--figure", str(tmp_path / "f.svg")]) == 2
    assert "--probe-every" in capsys.readouterr().err and not (tmp_path / "f.svg").exists()
    with pytest.raises(UserError):
        forgetting.write_tables([make.record("full")[0]], out, None, tmp_path / "f.svg")


@pytest.mark.parametrize("name", ["curves.pdf", "curves"])
def test_a_figure_of_another_ending_is_refused_before_anything_is_written(make, out, tmp_path, name):
    """Planted fault: SVG was written into a PDF's name."""
    with pytest.raises(UserError, match=r"the curves are drawn as SVG; name a file that ends in \.svg"):
        forgetting.write_tables([make.record("full")[0]], out, tmp_path / "f.md", tmp_path / name)
    assert not list(tmp_path.glob("*.*"))
