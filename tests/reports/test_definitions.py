"""Every number has one definition, and every column names its own."""

import csv
import json
import re
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from own_files import as_csv, reviews
from rich.console import Console
from rich.table import Table

from bench.drafting import starting
from bench.drafting.wishes import Wishes
from bench.placing.slot import Slot
from bench.placing.view import WORKER_HEADERS, View
from bench.planning import dry_run, estimate
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.records.record import BestAfter, Spent, TrialSummary, Tuning
from reports import definitions
from reports.exchange import tables as exported
from reports.page import leaderboard
from reports.paper import forgetting
from reports.rows.rows import aggregate

ROOT = Path(__file__).parents[2]


def test_document_is_made_from_the_definitions():
    written = (ROOT / "docs" / "definitions.md").read_text(encoding="utf-8")
    assert written == definitions.markdown(), "run: python -m reports.definitions > docs/definitions.md"


@pytest.mark.parametrize("term", [term for terms in definitions.by_heading().values() for term in terms])
def test_file_that_computes_it_is_there(term):
    assert (ROOT / definitions.defined(term).computed_in).is_file()


def test_names_are_unique_and_meanings_are_sentences():
    named = [term for terms in definitions.by_heading().values() for term in terms]
    assert len(named) == len(set(named))
    for term in named:
        meaning = definitions.defined(term).means
        assert meaning[0] in "`ABCDEFGHIJKLMNOPQRSTUVWXYZ" and meaning.endswith(".") and "  " not in meaning
        assert meaning.count("`") % 2 == 0 and "[" not in meaning


def test_interval_is_defined_as_it_is_computed():
    interval = definitions.defined("interval")
    assert "jackknife" in interval.means and "MOVER" in interval.means and "bootstrap" not in interval.means
    for paper in ("Obuchowski & Rockette 1995", "Hillis 2014", "Zou & Donner 2008"):
        assert paper in interval.source
    assert "Efron" not in definitions.markdown()


def test_note_says_what_terms_mean():
    said = definitions.note("verdict", "per_gain")
    assert said.startswith("Verdict: Loss, or better than before, where") and " Per gain: Forgetting over gain" in said


def test_term_without_a_definition_is_refused():
    with pytest.raises(LookupError, match="'nonsense' has no definition in definitions.yaml"):
        definitions.note("gain", "nonsense")


def whole(make) -> list:
    """Records with all that a table can show."""
    curve = make.curve([(0.1, {"wikipedia": 0.02}), (0.2, {"wikipedia": 0.1})])
    mixture = make.elsewhere(
        make.mixture(validation=[0.7], curve=curve, stages=make.stages(), relative_forgetting=3.0), "t", 0.7, 64
    )
    mixture = make.rounded(make.contaminated(mixture, "wikipedia", 3), "wikipedia", (0.1, 0.0, 0.2))
    mixture = make.wordings(mixture, {"a": 0.8, "b": 0.9})
    record, items = mixture
    rate = record.outcome.score.model_copy(update={"name": "malformed"})
    metrics = {
        **record.outcome.metrics,
        "f1_macro": record.outcome.score.model_copy(update={"name": "f1_macro"}),
        "malformed": rate,
        "unfinished": rate.model_copy(update={"name": "unfinished"}),
        "truncated": rate.model_copy(update={"name": "truncated"}),
        "answerable": rate.model_copy(update={"name": "answerable"}),
    }
    cost = record.cost.model_copy(update={"money": 1.0})
    spent = Spent(examples=1, tokens=1, flops=1, seconds=1.0)
    tried = TrialSummary(ids=["ab"], hyperparameters={"learning_rate": 1e-4}, status="ok", score=0.8, spent=spent)
    best = BestAfter(trials=1, expected=0.8, low=0.8, high=0.8)
    tuning = Tuning(trials=1, sampler="random", tried=[tried], chosen=0, expected_best=[best])
    return [(make.changed(record, metrics=metrics, cost=cost, environment_id="ab", tuning=tuning), items), make.alone()]


def test_every_column_of_the_page_names_its_definition(make, out):
    page = leaderboard.render(aggregate(make.kept(out, whole(make)), out))
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    tables = [table for suite in json.loads(data) for table in (suite["table"], *suite["tables"])]
    shown = {column["term"] for table in tables for column in table["columns"]}
    # Tables that the script makes of the page's data: of all runs, and of slices.
    script = " ".join(path.read_text() for path in (leaderboard.TEMPLATES / "script").glob("*.js"))
    shown |= set(re.findall(r"column\(\"(\w+)\", ", script)) & set(re.findall(r'<dd id="means-(\w+)"', page)) | {
        "slice",
        "suite",
    }
    ids = set(re.findall(r'<dd id="means-(\w+)"', page))
    assert shown <= ids
    planned = {"plan_seeds", "plan_floor", "plan_items", "plan_time"}  # columns of `tunebench power`
    planned |= {"varied_part", "varied_sd", "varied_share"}  # columns of `tunebench results --variance`
    planned |= {"change", "change_verdict", "change_detectable"}  # columns of `tunebench compare`
    planned |= {"course", "change_point"}  # columns of `tunebench history`
    planned |= {"claim", "claim_rows", "claim_measured", "claim_verdict", "claim_smallest"}  # columns of `tunebench claims`
    planned |= {
        "judged_rows",
        "win_rate",
        "judged_counts",
        "win_rate_p",
        "judge_agreement",
        "judge_first",
    }  # of `tunebench judge`
    planned |= {"swept", "top"}  # columns of `tunebench ablate`
    planned |= {"items", "unequal", "doubts", "row", "reason"}  # columns of `tunebench export csv`, and those costs:
    planned |= {"spared_flops", "others_seconds", "weight_bytes"}
    planned |= set(definitions.by_heading()["Plans"])  # columns of `--dry-run`, and of a run by several workers
    planned |= set(definitions.by_heading()["A file of one's own"])  # columns of `tunebench init`
    several = {
        "middle",
        "average_rank",
        "overall_rank",
        "rank",
        "at_equal_cost",
        "frugal",
        "sparing",
        "times_the_least",
    }  # need more rows than stand here
    several |= {"device_seconds"}  # needs a run on several devices
    several |= {"reference_loss"}  # needs text that is written
    # What no column shows is said elsewhere on the page, is a part of other definitions, or has no data here.
    assert ids - shown == {"interval", "besides", "seed_sd", "accuracy_lost", "detectable"} | planned | several


def test_every_column_in_a_terminal_is_made_by_the_one_function_that_asks_for_a_definition():
    calls = {path.name: path.read_text(encoding="utf-8").count(".add_column(") for path in (ROOT / "reports").rglob("*.py")}
    assert {name: count for name, count in calls.items() if count} == {"console.py": 1}


def test_every_column_of_the_forgetting_tables_names_its_definition(make):
    for group in forgetting.groups(aggregate([record for record, _ in whole(make)])):
        for table in group.tables:
            assert all(definitions.defined(header.term) for header in table.headers)
    assert len({header.term for header in forgetting.HEADERS}) == len(forgetting.HEADERS)


def sources(*rooms):
    return [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]


def test_every_file_of_csv_and_every_table_of_markdown_is_made_by_the_one_function_that_asks_for_a_definition():
    """Rows alone, without headers, are no table."""
    made = {"DictWriter(": ["csv_text.py"], "csv.writer(": [], ".to_csv(": [], '"---:"': ["markdown.py"]}
    for how, where in made.items():
        found = [path.name for path in sources("bench", "reports") if how in path.read_text(encoding="utf-8")]
        assert found == where, how


def test_every_column_of_the_exports_names_its_definition(make, out):
    """An undefined one raises: the fault that the next test plants."""
    rows = aggregate(make.kept(out, whole(make)), out)
    columns = list(csv.DictReader(StringIO(exported.rows_as_csv(rows))).fieldnames)
    assert {"row", "gain_low", "forgets.wikipedia", "rank_best", "saved_bytes", "doubts"} <= set(columns)
    assert "| strategy | rank | " in exported.rows_as_markdown(rows)


@pytest.mark.parametrize("export", [exported.rows_as_csv, exported.rows_as_markdown])
def test_a_new_column_of_an_export_is_refused_while_it_has_no_definition(make, monkeypatch, export):
    rows = aggregate([make.alone()[0]])
    monkeypatch.setattr(exported, "_csv_costs", lambda row: {"novel": 1})
    asked = exported.markdown_table
    monkeypatch.setattr(exported, "markdown_table", lambda columns, *rest: asked([*columns, ("novel", "novel")], *rest))
    with pytest.raises(LookupError, match="'novel' has no definition"):
        export(rows)


@pytest.fixture
def headers(monkeypatch):
    """Of all tables for a terminal that are made."""
    seen, add = [], Table.add_column

    def add_column(table, header="", *rest, **look):
        seen.append(str(header))
        add(table, header, *rest, **look)

    monkeypatch.setattr(Table, "add_column", add_column)
    return seen


def check_headers(seen, *named):
    """That these headers were shown and no others, each with a term that is defined."""
    assert seen == [header for terms in named for header in terms]
    for terms in named:
        for term in terms.values():
            definitions.defined(term)


def test_every_column_of_a_dry_run_names_its_definition(headers, tmp_path, monkeypatch):
    monkeypatch.setattr(estimate, "speed", lambda: 1e12)
    runs = plan(PlanOptions("sentiment", "tiny-bert", strategies=["full"], budget="16", test_items=20), "auto")
    dry_run.print_plan(runs, tmp_path, runs)
    check_headers(headers, dry_run.PLAN_HEADERS, dry_run.MEMORY_HEADERS)


def test_every_column_of_what_init_shows_names_its_definition(headers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(starting.outlook, "outlook", lambda *_: starting.outlook.Outlook(4, 90.0, 500_000_000))
    (tmp_path / "reviews.csv").write_text(as_csv(["text", "label"], [[text, label] for text, label in reviews()]))
    starting.start_suite("reviews.csv", Wishes(model="tiny-bert"), yes=True, force=False)
    check_headers(headers, starting.GUESS_HEADERS, starting.COUNT_HEADERS)


def test_every_column_of_the_workers_names_its_definition(headers, tmp_path):
    view = View(tmp_path)
    view._console = Console(file=StringIO(), force_terminal=True)
    view.plan({"full": 1.0})
    view.settle_on([Slot(0, (0,))])
    view.begins(0, SimpleNamespace(id="full", label="minilm / sst2 / full / seed 0"))
    view.close()
    check_headers(list(dict.fromkeys(headers)), WORKER_HEADERS)  # it is drawn several times


def test_no_other_table_of_the_engine_has_headers():
    """One that has them belongs to the tests above."""
    made = re.compile(r"\.add_column\(|\b(?:Table|Grid)\((?!.*show_header=False)")
    found = {path.name for path in sources("bench") if made.search(path.read_text(encoding="utf-8"))}
    assert found == {"dry_run.py", "starting.py", "view.py"}
