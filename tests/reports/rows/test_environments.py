"""Rows of another environment are told from the rest, in words."""

from bench import ENGINE_VERSION
from reports.page import leaderboard
from reports.rows.environments import other_environments
from reports.rows.rows import aggregate
from reports.terminal import lines

USUAL = {"torch": "2.13.0", "device": "cpu", "precision": "fp32"}


def made(make, strategy: str, seed: int = 0, **other):
    environment = {**USUAL, **other}
    return make.record(strategy, seed, environment=environment, environment_id=make.digest(environment))[0]


def told(found: list) -> list[str]:
    return [other.sentence for other in other_environments(aggregate(found))]


def test_runs_of_one_environment_say_nothing(make):
    assert told([made(make, "full"), made(make, "frozen"), made(make, "frozen", 1)]) == []


def test_row_of_another_environment_says_in_what_it_differs(make):
    found = [made(make, "full"), made(make, "frozen"), made(make, "lora-8bit", torch="2.12.0", device="cuda")]
    expected = "lora-8bit: made in another environment: torch 2.12.0 instead of 2.13.0, device cuda instead of cpu"
    assert told(found) == [expected]
    assert list(lines.below(aggregate(found))) == [expected]
    page = leaderboard.render(aggregate(found))
    assert (
        f'<p class="alarm"><strong>lora-8bit</strong>{expected.removeprefix("lora-8bit")}.</p>' in page
        and page.count("made in another environment") == 1
    )


def test_seed_of_another_environment_is_named(make):
    found = [made(make, "full", seed) for seed in range(3)] + [made(make, "full", 3, precision="bf16")]
    assert told(found) == ["full (seed 3): made in another environment: precision bf16 instead of fp32"]


def test_entry_that_one_side_lacks_is_none(make):
    found = [made(make, "full"), made(make, "frozen"), made(make, "x", gguf="0.17")]
    assert told(found) == ["x: made in another environment: gguf 0.17 instead of none"]


def test_of_equally_many_the_first_is_the_usual(make):
    assert told([made(make, "full"), made(make, "frozen", torch="2.12.0")])[0].startswith("frozen: ")


def test_groups_are_not_compared_with_each_other(make):
    other = make.changed(made(make, "full", torch="2.12.0"), task="rte", run_id="b")
    assert told([made(make, "full"), other]) == []


def test_record_that_knows_no_environment_says_nothing(make):
    old = make.record("frozen")[0]
    assert told([old]) == [] and told([old, made(make, "full")]) == []


def test_failed_run_of_another_environment_is_told_too(make):
    environment = {**USUAL, "torch": "2.12.0"}
    gone = make.failed("frozen", environment=environment, environment_id="other")
    assert told([made(make, "full"), made(make, "x"), gone]) == [
        "frozen: made in another environment: torch 2.12.0 instead of 2.13.0"
    ]


def test_rows_of_an_older_engine_say_so(make):
    """Also where all are: nothing beside them would tell that their numbers meant something else."""
    record, _ = make.record("full")
    old = record.model_copy(update={"provenance": record.provenance.model_copy(update={"engine_version": ENGINE_VERSION - 1})})
    expected = (
        f"full: made by engine {ENGINE_VERSION - 1}, some of whose numbers meant something else; run it again with engine"
    )
    assert told([old]) == [f"{expected} {ENGINE_VERSION}"] and told([record]) == []
    unknown = record.model_copy(update={"provenance": record.provenance.model_copy(update={"engine_version": None})})
    assert told([unknown]) == [], "somebody else's results have none"
