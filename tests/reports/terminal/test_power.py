"""`tunebench power`: a table of seeds, items and time, or why there is none."""

import pytest

from bench import cli
from bench.errors import UserError
from reports.rows.captions import smallest_found
from reports.rows.pilots import pilot_of
from reports.rows.rows import aggregate
from reports.rows.standing import score_standing
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


@pytest.mark.parametrize("seeds", [(3, 3), (2, 8), (5, 20)])
def test_what_the_pilot_finds_is_what_its_table_says(make, out, capsys, seeds):
    """Planted fault: with 2 and 20 seeds `power` told 3.4 points and the table's caption 5.2."""
    counts = dict(zip(("full", "frozen"), seeds, strict=True))
    pairs = [make.record(name, seed, 0.8 + 0.01 * (seed % 3)) for name, count in counts.items() for seed in range(count)]
    rows = aggregate(make.kept(out, pairs), out)
    (caption, *_) = smallest_found(score_standing(rows))
    print_power(rows, "3points")
    (found,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("It finds "))
    assert found.removeprefix("It finds ").split()[0] == caption.removeprefix("Smallest detectable difference: ").split()[0]


def test_where_ten_seeds_do_not_suffice_it_says_what_they_find_and_how_many_do(make, out, capsys):
    """Planted fault: nine lines of "none suffices" were all that a reader got."""
    rows = aggregate(
        make.kept(out, [make.record(name, seed, 0.7 + 0.08 * seed) for name in ("a", "b") for seed in range(3)]), out
    )
    pilot = pilot_of(rows)
    for points in (2, 15):
        print_power(rows, f"{points}points")
        said = capsys.readouterr().out.splitlines()[-1]
        enough = pilot.seeds_for(points / 100)
        assert said.endswith(f"It takes {enough} seeds, and more with fewer items.") == (points == 2)
    seeds = pilot.seeds_for(0.02)
    assert pilot.smallest(seeds) <= 0.02 < pilot.smallest(seeds - 1) and pilot.seeds_for(1e-6) is None


@pytest.mark.parametrize("command", [["power", "--difference", "3points"], ["selfcheck"]])
def test_what_no_table_shows_is_no_pilot(make, out, capsys, command):
    """Planted fault: rows of two engines, which `results` refuses, were planned from and simulated."""
    for name, engine in (("full", 5), ("frozen", 4)):
        make.kept(out, [(make.changed(record, engine_version=engine), frame)
                        for record, frame in (make.record(name, seed) for seed in range(2))])  # fmt: skip
    for more, status in (([], 2), (["--allow-unequal"], 0)):
        with pytest.raises(SystemExit) as left:
            cli.main([*command, "--out", str(out), *more])
        assert left.value.code == status or (status == 0 and left.value.code == 1)
    assert "engine version differs" in capsys.readouterr().err


def test_unequal_chances_of_the_pilot_s_rows_are_told(make, out, capsys):
    budgets = {"full": "64examples", "frozen": "640examples"}
    pairs = [make.record(name, seed, 0.8 + 0.01 * seed, budget=each) for name, each in budgets.items() for seed in range(2)]
    print_power(aggregate(make.kept(out, pairs), out), "3points")
    assert "not the same chance: budget differs: 64examples (full), 640examples (frozen)" in capsys.readouterr().out


def test_another_unit_or_none_is_the_user_s_mistake(make, out):
    rows = aggregate(make.kept(out, make.suite(2)), out)
    for text in ("points", "0points", "-1points"):
        with pytest.raises(UserError, match=f"difference '{text}': give a number with its unit"):
            print_power(rows, text)
    with pytest.raises(UserError, match="'200points': scores that lie between 0 and 1 are less than 100 points apart"):
        print_power(rows, "200points")
    for text in ("2nats", "2"):  # planted fault: of a number without a unit it said no more than that scores have one
        with pytest.raises(
            UserError, match=f"no pilot to plan from; .* its score is in points, and the difference '{text}' is not"
        ):
            print_power(rows, text)
    with pytest.raises(UserError, match="one seed says nothing"):
        print_power(aggregate(make.kept(out, make.suite(1)), out), "2points")


def test_a_unit_may_have_an_underscore(make, out):
    """Planted fault: `.02bits_per_byte`, in the score's own unit, was told to have none."""
    records = [make.record(name, seed)[0] for name in ("full", "frozen") for seed in range(2)]
    score = records[0].outcome.score.model_copy(update={"name": "bits_per_byte", "share": False})
    with pytest.raises(UserError, match="no pilot to plan from; .* left no answers per item"):
        print_power(aggregate([make.changed(record, score=score) for record in records], out), ".02bits_per_byte")


def test_duration_as_text():
    assert [duration(value) for value in (45.2, 720, 12_240, None)] == ["45 s", "12 min", "3.4 h", "–"]
