"""Rows, columns and rows over tasks are made again from a folder's answers: each planted fault is found by its place."""

import json
from dataclasses import replace
from functools import partial

import pandas as pd
import pytest
from audited import METRICS, edited, found, scored, tampered

from bench.records import store
from bench.statistics import power
from reports.audit import findings as findings_module
from reports.audit import table, table_frontiers
from reports.audit.intervals import left_out, record_intervals
from reports.audit.recomputed import recomputed
from reports.rows import across, means


def test_a_row_beside_one_that_lost_answers_is_not_held_to_fewer_seeds(ranked):
    """Planted fault: where one table of answers was lost, the intervals of the rows beside it were said to be wrong."""
    out = ranked
    assert found(out).clean
    (store.folder(out) / "frozen7.parquet").unlink()
    findings = found(out)
    # That row's own, and that of each row of several seeds beside it.
    assert findings.differences == [] and findings.unchecked["score.ci_low"] == 2


def test_a_row_of_several_seeds_is_the_mean_of_its_runs(out, monkeypatch):
    assert found(out).clean
    real = findings_module.aggregate
    monkeypatch.setattr(findings_module, "aggregate", lambda *arguments: [_worse(row) for row in real(*arguments)])
    wrong = [difference for difference in found(out).differences if "seeds 0, 50" in difference.label]
    assert [".".join(difference.place) for difference in wrong] == ["score.value"]


def _worse(row):
    return replace(row, score=replace(row.score, value=row.score.value - 0.001))


def test_a_rows_interval_that_its_answers_do_not_give_is_found(out, monkeypatch):
    real = findings_module.aggregate

    def narrower(*arguments):
        return [replace(row, gain=replace(row.gain, high=row.gain.high - 0.001)) for row in real(*arguments)]

    monkeypatch.setattr(findings_module, "aggregate", narrower)
    wrong = found(out).differences
    assert len(wrong) == 4 and {difference.place for difference in wrong} == {("gain", "ci_high")}


def test_places_are_made_again(ranked, monkeypatch):
    """Of the score and of each probe: planted, a row that stands first is found."""
    findings = found(ranked)
    assert findings.clean and not findings.unchecked["places.best"]
    real = table.score_standing

    def first(rows):
        standing = real(rows)
        return standing and replace(standing, places={**standing.places, "frozen7": (1, 1)})

    monkeypatch.setattr(table, "score_standing", first)
    wrong = found(ranked).differences
    assert [(each.label, each.place) for each in wrong] == [("s / m / sst2 / score", ("places", "frozen", "worst"))]


def test_places_of_what_one_probe_lost_are_made_again(ranked, monkeypatch):
    real = table.forgetting_standing

    def last(rows, probe):
        standing = real(rows, probe)
        return standing and replace(standing, places=dict.fromkeys(standing.places, (2, 2)))

    monkeypatch.setattr(table, "forgetting_standing", last)
    wrong = {each.label for each in found(ranked).differences}
    assert wrong == {f"s / m / sst2 / forgetting.{probe}" for probe in ("wikipedia", "lambada", "mrpc")}


def test_a_star_is_made_again(out, monkeypatch):
    """Planted: a loss is told as surprising by itself, and not among the row's probes."""
    real = findings_module.aggregate
    monkeypatch.setattr(findings_module, "aggregate", lambda *arguments: [_surer(row) for row in real(*arguments)])
    wrong = {each.place for each in found(out).differences}
    assert wrong == {("forgetting", "lambada", "p")}


def _surer(row):
    lost = row.forgetting["lambada"]
    return replace(row, forgetting={**row.forgetting, "lambada": replace(lost, lost=replace(lost.lost, p=lost.lost.p / 3))})


def test_records_without_lost_accuracy_have_no_part_in_how_far_seeds_move_it(ranked):
    """Their answers would give it, and the tables do not know it."""
    for run in ("frozen7", "frozen8"):
        edited(ranked, lambda outcome: outcome["forgetting"]["lambada"].pop("accuracy_lost"), run)
    assert found(ranked).differences == []


def test_a_loss_by_nothing_but_rounding_has_no_p_that_is_judged(ranked):
    for run in ("sst20", "sst250", "frozen7", "frozen8"):
        tampered(ranked, _rounded, run)
    findings = found(ranked)
    assert not [each for each in findings.differences if each.place[-1] == "p"] and findings.unchecked["forgetting.p"]


def _rounded(items):
    """Its texts move by a ten-millionth of a nat."""
    asked = (items["kind"] == "probe") & (items["name"] == "wikipedia")
    shift = pd.Series(range(len(items)), index=items.index) % 3 * 1e-7
    return items.assign(value=items["value"].where(~asked, items["before_value"] + shift))


def test_without_one_rows_answers_no_places_are_made_again(ranked):
    (store.folder(ranked) / "frozen7.parquet").unlink()
    findings = found(ranked)
    # Two rows' best and worst, of the score and of three probes.
    assert findings.differences == [] and findings.unchecked["places.best"] == findings.unchecked["places.worst"] == 8


def test_rows_that_were_asked_other_items_get_no_places(ranked):
    for run in ("frozen7", "frozen8"):
        tampered(ranked, lambda items: items.assign(item=items["item"] + items["kind"].map({"task": "b"}).fillna("")), run)
    findings = found(ranked)
    assert findings.differences == [] and findings.unchecked["places.best"] == 2 and findings.unchecked["pairs.p"] == 1


def test_what_is_told_of_two_rows_is_made_again(ranked, monkeypatch):
    real = table.score_standing
    assert not found(ranked).unchecked["pairs.p"]

    def surer(rows):
        standing = real(rows)
        pairs = [replace(pair, p=pair.p / 2, low=pair.low + 0.01) for pair in standing.pairs] if standing else []
        return standing and replace(standing, pairs=pairs)

    monkeypatch.setattr(table, "score_standing", surer)
    wrong = {(each.label, each.place[0], each.place[2]) for each in found(ranked).differences}
    assert wrong == {("s / m / sst2 / score", "pairs", end) for end in ("p", "ci_low")}


@pytest.fixture
def gaining(ranked):
    """The folder where one row's gain is surely above zero, so that it has a price."""
    for run in ("sst20", "sst250"):
        record = next(each for each in store.read_all(ranked) if each.run_id == run)
        items = store.read_items(ranked, record)
        learned = (items["kind"] == "task") & (items.index % 5 > 0)
        items = items.assign(prediction=items["prediction"].where(~learned, items["gold"]))
        store.write_record(ranked, record, items)
        told = _of_answers(record, items)
        edited(ranked, partial(_replaced, told), run)
    return ranked


def _of_answers(record, items):
    """The numbers that the audit makes of these answers, by their places."""
    return recomputed(record, items) | record_intervals(left_out(record, items))


def _replaced(told, outcome):
    for place, number in told.items():
        part = outcome
        for name in place[:-1]:
            part = part[int(name)] if isinstance(part, list) else part[name]
        if not isinstance(part, list) and isinstance(part[place[-1]], float):
            part[place[-1]] = number


@pytest.mark.parametrize(
    ("name", "kind", "wrong"),
    [
        ("of_rows", "frontier", lambda real: lambda rows, probe: []),
        ("frontier_shares", "frontier_share", lambda real: lambda *given: {k: v - 1e-3 for k, v in real(*given).items()}),
        ("per_gained", "per_gain", lambda real: lambda *given: (price := real(*given)) and price * 1.001),
        ("frugal_shares", "frugal", lambda real: lambda *given: {k: v - 1e-3 for k, v in real(*given).items()}),
        ("sparing_shares", "sparing", lambda real: lambda *given: {k: v - 1e-3 for k, v in real(*given).items()}),
    ],
)
def test_frontiers_are_made_again(gaining, monkeypatch, name, kind, wrong):
    findings = found(gaining)
    assert findings.clean and not findings.unchecked[kind]
    holder = table_frontiers if hasattr(table_frontiers, name) else table_frontiers.frontier
    monkeypatch.setattr(holder, name, wrong(getattr(holder, name)))
    differences = found(gaining).differences
    assert differences and {each.place[0] for each in differences} == {kind}


def test_gains_between_words_are_over_the_best_ones(gaining, monkeypatch):
    """Planted fault: where the base scored otherwise beside another row, gains over one's own words were held together."""
    for run in ("frozen7", "frozen8"):
        record = next(each for each in store.read_all(gaining) if each.run_id == run)
        items = store.read_items(gaining, record)
        told = items["before"].where(items["kind"] != "task", items["best_before"])
        items = items.assign(before=told)
        store.write_record(gaining, record, items)
        edited(gaining, partial(_replaced, _of_answers(record, items)), run)
    assert found(gaining).clean
    monkeypatch.setattr(table_frontiers, "on_one_base", lambda rows: rows)
    assert {each.place[0] for each in found(gaining).differences} == {"frontier_share", "per_gain"}


def test_without_one_rows_answers_no_frontier_is_made_again(gaining):
    (store.folder(gaining) / "frozen7.parquet").unlink()
    findings = found(gaining)
    assert findings.differences == [] and findings.unchecked["frontier"] and findings.unchecked["frugal"]
    assert findings.unchecked["sparing"]


def test_a_row_beside_that_lost_its_bases_answers_leaves_the_base_unknown(gaining):
    """Planted fault: without them its base was taken for another one."""
    for run in ("frozen7", "frozen8"):
        tampered(gaining, lambda items: items.assign(before=items["before"].where(items["kind"] != "task", None)), run)
    findings = found(gaining)
    assert findings.unchecked["frontier"] and not [each for each in findings.differences if "frontier" in each.place[0]]


def test_what_lies_between_wordings_and_after_stages_is_made_again(out, monkeypatch):
    real = findings_module.aggregate
    assert not found(out).unchecked["robustness.spread"] and not found(out).unchecked["stages.scores"]

    def wider(*given):
        return [_wider(row) for row in real(*given)]

    monkeypatch.setattr(findings_module, "aggregate", wider)
    assert {each.place[:2] for each in found(out).differences} == {("robustness", "spread"), ("stages", "scores")}


def _wider(row):
    first, *others = row.stages.scores
    higher = replace(first[0], value=first[0].value + 1e-3)
    stages = replace(row.stages, scores=[[higher, *first[1:]], *others])
    return replace(row, stages=stages, wordings=row.wordings and replace(row.wordings, low=row.wordings.low - 1e-3))


def narrower(estimate):
    return replace(estimate, low=estimate.low and estimate.low + 1e-4)


def test_intervals_over_seeds_alone_are_made_again(out, monkeypatch):
    """Of relative forgetting, of what stages left behind and of their scores, of the row that has two seeds."""
    findings = found(out)
    assert findings.clean and not findings.unchecked["relative_forgetting.ci_low"] + findings.unchecked["stages.scores.ci_low"]
    real = findings_module.aggregate

    def changed(row):
        stages = replace(row.stages, forgetting=narrower(row.stages.forgetting), scores=[[narrower(row.stages.scores[0][0])]])
        return replace(row, stages=stages, relative_forgetting=narrower(row.relative_forgetting))

    monkeypatch.setattr(findings_module, "aggregate", lambda *given: [changed(row) for row in real(*given)])
    wrong = {each.place for each in found(out).differences if each.published is not None}
    assert wrong == {
        ("relative_forgetting", "ci_low"),
        ("stages", "forgetting", "ci_low"),
        ("stages", "scores", "0", "0", "ci_low"),
    }


def test_rows_of_other_stages_say_nothing_of_each_others_seeds(ranked):
    """Their measures are of other tasks, and the table's rows hold each its own."""
    for run in ("frozen7", "frozen8"):
        renamed_stage(ranked, run)
    findings = found(ranked)
    assert findings.clean and not findings.unchecked["stages.forgetting.ci_low"]


@pytest.mark.parametrize("fallen", [["frozen8"], ["frozen7", "frozen8"]])
def test_rows_that_collapsed_are_pooled_as_the_tables_do(ranked, fallen):
    for run in fallen:
        edited(ranked, lambda outcome: outcome.update(collapsed="one label alone"), run)
    assert found(ranked).clean


def renamed_stage(out, run):
    """The same answers of a run whose first stage was another task."""
    path = store.folder(out) / f"{run}.json"
    raw = json.loads(path.read_text())
    raw["outcome"]["stages"]["tasks"][0] = "persons"
    raw["outcome"]["elsewhere"]["persons"] = raw["outcome"]["elsewhere"]["people"]
    path.write_text(json.dumps(raw))
    tampered(out, lambda items: items.assign(name=items["name"].mask(items["kind"] == "stage", renamed(items))), run)


def renamed(items):
    return items["name"].replace("people", "persons")


def off(standing):
    """The same with a smallest detectable difference that is too small by a ten-thousandth."""
    seen = standing and standing.detectable
    return standing and replace(standing, detectable=seen and replace(seen, value=seen.value - 1e-4))


@pytest.mark.parametrize(("name", "column"), [("score_standing", "score"), ("forgetting_standing", "forgetting.lambada")])
def test_the_smallest_detectable_difference_is_made_again(ranked, monkeypatch, name, column):
    findings, real = found(ranked), getattr(table, name)
    assert findings.clean and not findings.unchecked["detectable.value"]
    monkeypatch.setattr(table, name, lambda *given: off(real(*given)))
    wrong = {(each.label, each.place) for each in found(ranked).differences}
    assert (f"s / m / sst2 / {column}", ("detectable", "value")) in wrong
    assert {place for _, place in wrong} == {("detectable", "value")}


def test_deviations_between_seeds_are_made_again(out, monkeypatch):
    real = findings_module.aggregate

    def steadier(*given):
        return [replace(row, gain=replace(row.gain, seed_sd=(row.gain.seed_sd or 0.0) * 0.9)) for row in real(*given)]

    assert not found(out).unchecked["score.seed_sd"]
    monkeypatch.setattr(findings_module, "aggregate", steadier)
    assert ("gain", "seed_sd") in {each.place for each in found(out).differences}


def test_the_loss_that_a_probe_would_have_shown_is_made_again(out, monkeypatch):
    real = power.smallest_shown
    assert not found(out).unchecked["forgetting.smallest_shown"]
    monkeypatch.setattr(means, "smallest_shown", lambda *given: (real(*given) or 0.0) * 0.9)
    wrong = {each.place for each in found(out).differences}
    assert ("forgetting", "lambada", "smallest_shown") in wrong and {place[-1] for place in wrong} == {"smallest_shown"}


@pytest.fixture
def over_tasks(out):
    """The folder with two rows on every task."""
    for task in METRICS:
        record, items = scored(task, seed=7)
        setup = record.setup.model_copy(update={"strategy": "frozen"})
        store.write_record(out, record.model_copy(update={"setup": setup, "run_id": f"frozen-{task}"}), items)
    return out


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("interquartile_mean", ("together", "frozen", "middle")),
        ("average_ranks", ("together", "full", "rank")),
        ("critical_difference", ("critical",)),
    ],
)
def test_rows_of_several_tasks_are_made_again(over_tasks, monkeypatch, name, place):
    findings, real = found(over_tasks), getattr(across, name)
    assert findings.clean and not findings.unchecked["together.middle"]
    monkeypatch.setattr(across, name, lambda *given: real(*given) + 1e-4)
    wrong = found(over_tasks).differences
    assert place in {each.place for each in wrong} and {each.label for each in wrong} == {"s / m / all tasks"}


def test_a_run_with_a_lost_prediction_ends_no_audit(over_tasks):
    """Of rows over several tasks nothing is known then; they took the audit down with them."""
    tampered(over_tasks, lambda items: items.assign(prediction=items["prediction"].where(items.index != 0)), "sst250")
    findings = found(over_tasks)
    assert findings.unchecked["together.middle"] == 2 and findings.checked > 1000


def test_numbers_that_are_not_published_are_told(ranked, monkeypatch):
    """What is wanted is known from the answers, and not from what is published."""
    real = findings_module.aggregate

    def without(*given):
        return [replace(row, score=replace(row.score, seed_sd=None)) for row in real(*given)]

    monkeypatch.setattr(findings_module, "aggregate", without)
    monkeypatch.setattr(means, "smallest_shown", lambda *given: None)
    told = {(each.place, each.published) for each in found(ranked).differences}
    assert (("score", "seed_sd"), None) in told and (("forgetting", "lambada", "smallest_shown"), None) in told


def test_without_one_rows_answers_rows_of_several_tasks_are_not_made_again(over_tasks):
    (store.folder(over_tasks) / "frozen-sst2.parquet").unlink()
    findings = found(over_tasks)
    assert findings.differences == [] and findings.unchecked["together.middle"] == 2 and findings.unchecked["critical"] == 1
