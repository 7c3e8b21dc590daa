"""`tunebench power`: a table of seeds, items and time, or why there is none."""

import pytest

from bench import cli
from bench.errors import UserError
from reports.terminal.power import duration, print_power


def test_a_table_of_seeds_items_and_time(make, out, capsys):
    make.kept(out, make.suite(3))
    with pytest.raises(SystemExit) as left:
        cli.main(["power", "--suite", "sentiment", "--difference", "3points", "--out", str(out)])
    assert left.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("sentiment: smollm2 on sst2: to find a difference of 3.0 points between two rows that train")
    assert lines[1].startswith("Pilot: 5 rows that train, 200 items, seed SD ") and "after Holm over 21 pairs" in lines[2]
    rows = [line.split() for line in lines if line[:1].isdigit()]
    assert [int(row[0]) for row in rows] == list(range(2, 11))
    needed = [int(row[2].replace(",", "").rstrip("+")) for row in rows]
    assert needed[0] > needed[1] > needed[-1] > 2
    assert [row[2].endswith("+") for row in rows] == [count > 872 for count in needed]
    assert "none suffices" in " ".join(rows[0])  # where seeds vary as much as the range says at most
    assert any("872 test items" in line for line in lines)


def test_another_unit_or_none_is_the_user_s_mistake(make, out):
    records = make.kept(out, make.suite(2))
    for text in ("points", "0points", "-1points"):
        with pytest.raises(UserError, match=f"difference '{text}': give a number with its unit"):
            print_power(records, out, text)
    with pytest.raises(UserError, match="no pilot to plan from; .* its score is in points"):
        print_power(records, out, "2nats")
    with pytest.raises(UserError, match="one seed says nothing"):
        print_power(make.kept(out, make.suite(1)), out, "2points")


def test_a_unit_may_have_an_underscore(make, out):
    """Planted fault: `.02bits_per_byte`, in the score's own unit, was told to have none."""
    records = [make.record(name, seed)[0] for name in ("full", "frozen") for seed in range(2)]
    score = records[0].outcome.score.model_copy(update={"name": "bits_per_byte", "share": False})
    with pytest.raises(UserError, match="no pilot to plan from; .* left no answers per item"):
        print_power([make.changed(record, score=score) for record in records], out, ".02bits_per_byte")


def test_duration_as_text():
    assert [duration(value) for value in (45.2, 720, 12_240, None)] == ["45 s", "12 min", "3.4 h", "–"]
