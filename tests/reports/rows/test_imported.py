"""What is said of rows that were not made here."""

import pytest

from bench.records.record import Import
from reports.rows.imported import stated_sources
from reports.rows.rows import aggregate


def made(make, strategy, interval="binomial", whose="them"):
    record, _ = make.record(strategy)
    source = Import(whose=whose, file="a.json", sha256="ab", interval=interval)
    return make.changed(record, source=source)


def told(*records):
    return list(stated_sources(aggregate(records)))


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ("items", "intervals are made of the answers per item"),
        ("binomial", "intervals are binomial (Wilson) and comparisons unpaired"),
        ("standard error", "published standard errors and comparisons unpaired"),
        ("none", "there is no interval"),
    ],
)
def test_what_an_interval_is_made_of(make, interval, said):
    (sentence,) = told(made(make, "full", interval))
    assert sentence.startswith("full: imported from them; ") and said in sentence


def test_many_rows_of_one_origin_are_one_sentence(make):
    few = told(*(made(make, name) for name in ("full", "frozen")))
    assert few[0].startswith("full, frozen: imported")
    many = [made(make, name) for name in ("full", "frozen", "lora", "other")]
    assert [line.split(": ")[0] for line in told(*many, made(make, "fifth", "items"))] == ["full and 3 others", "fifth"]


def test_our_own_rows_say_nothing(make):
    assert told(make.record()[0]) == []
