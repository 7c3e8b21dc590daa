"""One suite's part of the page."""

from html import unescape

from reports.definitions import defined
from reports.page.forgetting import forgetting_section
from reports.page.suite import suite_part
from reports.rows.rows import aggregate, ranked


def test_part_has_its_tables_where_its_text_places_them(make, out):
    part = suite_part(ranked(aggregate(make.kept(out, make.suite(1)), out)), out)
    placed = [int(piece.split('"')[0]) for piece in (part["overall"] + part["text"]).split('data-table="')[1:]]
    assert placed == list(range(len(part["tables"]))) and part["tables"]
    assert all(table["caption"].startswith("Suite sentiment: ") for table in part["tables"])


def test_each_note_has_a_paragraph_and_each_meaning_can_be_opened(make, out):
    rows = aggregate(make.kept(out, make.suite(1)), out)
    text = unescape(suite_part(rows, out)["text"])
    section = forgetting_section(rows)
    assert len(section.notes) > 1 and all(f'<p class="note">{note}</p>' in text for note in section.notes)
    opened = text[text.index("<details") : text.index("</details>")]
    assert "What do the columns mean?" in opened and len(section.terms) == opened.count("<p ")
    assert all(f"<b>{defined(term).title}</b>: {defined(term).means[:40]}" in opened for term in section.terms)


def test_tasks_together_stand_apart(make, out):
    found = [*make.suite(1), *(make.record(name, 0, score, task="rte") for name, score in (("full", 0.8), ("frozen", 0.7)))]
    part = suite_part(ranked(aggregate(make.kept(out, found), out)))
    assert "Across tasks" in part["overall"] and "Across tasks" not in part["text"]


def test_what_is_alarming_names_its_row(make):
    found = [make.record("full", checks={"gradients": False}, collapsed="one answer")[0], make.failed("frozen")]
    alarms = dict(suite_part(aggregate(found))["alarms"])
    assert alarms["full (smollm2 on sst2)"].startswith("the check gradients does not hold")
    assert alarms["full (smollm2 on sst2), seed 0"].startswith("collapsed: one answer.") and "1 run failed" in alarms


def test_answers_are_held_against_each_other_where_there_are_some(make, out):
    rows = aggregate(make.kept(out, make.suite(1)), out)
    with_answers, without = suite_part(rows, out), suite_part(rows)
    assert with_answers["groups"][0]["answers"]["count"] == 200 and all("right" in run for run in with_answers["runs"])
    assert "answers" not in without["groups"][0]
