"""baselines/perf.py: the tables say what was measured, and what it runs is there to be run. The speeds are `make perf`'s."""

import sys
from pathlib import Path

import pytest

from baselines import perf
from baselines.speed import table
from baselines.speed.table import Found, Line

LINE = Line("train", "work", "full", {"tunebench": "ours.py train full 2", "plain": "trainer.py full dynamic 2"})
ASK = Line("ask", "questions", "", {"tunebench": "ours.py ask", "harness": "harness.py"})
WORKS = {"work": {"flops": {"full": 2 * 2048**3}}, "questions": {"flops": 2048**3}}
PARTS = {"load": 1.0, "train": 2.5, "other": 1.5}


def done(mine, other):
    return {
        ("peak", ""): Found([0.5], 1),
        ("work", "ours.py train full 2"): Found(mine, 2_000_000_000),
        ("work", "trainer.py full dynamic 2"): Found(other, 1_500_000_000),
        ("questions", "ours.py ask"): Found([1.0], 1_000_000_000, 0.75),
        ("questions", "harness.py"): Found([3.0], 1_000_000_000, 0.5),
        ("work", "ours.py parts"): Found([5.0], 1, None, PARTS),
    }


def test_ratios_are_of_one_round_with_the_least_and_the_most(monkeypatch):
    monkeypatch.setattr(table, "PACKAGES", ("torch",))  # the others need the extra `perf`
    rounds = [done([2.0, 1.0], [4.0, 5.0]), done([4.0, 1.0], [4.0, 2.0]), done([2.0, 2.0], [3.0, 2.0])]
    text = table.page([LINE, ASK], [("work", "ours.py parts")], WORKS, rounds)
    assert "| train, first pass | tunebench | 2.00 |  | 25% | 2.00 |  |" in text
    assert "|  | plain | 4.00 | 1.50 [1.00, 2.00] | 12% | 1.50 |  |" in text
    assert "| train, later passes | tunebench | 1.00 |  | 50% | 2.00 |  |" in text
    assert "|  | plain | 2.00 | 2.00 [1.00, 5.00] | 25% | 1.50 |  |" in text
    assert "| ask | tunebench | 1.00 |  | 25% | 1.00 | 0.7500 |" in text
    assert "|  | harness | 3.00 | 3.00 [3.00, 3.00] | 8% | 1.00 | 0.5000 |" in text
    assert "| work, all weights | 5.0 | 20% | 0% | 50% | 0% | 0% | 0% | 30% |" in text
    assert "Medians of 3 rounds" in text


def test_tables_take_the_place_of_the_old_ones(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
    table.put(page, "new\n")
    assert page.read_text() == f"before\n{table.BEGIN}\nnew\n{table.END}\nafter\n"
    page.write_text("no place")
    with pytest.raises(ValueError, match="no place for the tables"):
        table.put(page, "new")


def test_what_is_run_is_there_and_the_page_has_a_place():
    for line in perf.LINES:
        assert all((perf.SPEED / command.split()[0]).is_file() for command in line.contenders.values())
    assert table.END in Path(__file__).parents[1].joinpath("docs", "performance.md").read_text()


def test_a_process_tells_its_last_line_and_its_memory_and_its_error(tmp_path, monkeypatch):
    monkeypatch.setattr(perf, "SPEED", tmp_path)
    (tmp_path / "good.py").write_text("held = b'x' * 1_000_000_000\nprint('loading')\nprint('{\"seconds\": [1.5]}')")
    told, peak = perf.finished(["good.py"])
    assert told == {"seconds": [1.5]} and peak > 1e9
    (tmp_path / "bad.py").write_text("raise SystemExit('no such model')")
    with pytest.raises(SystemExit, match=r"no such model\n+bad.py failed"):
        perf.finished(["bad.py"])


@pytest.mark.parametrize(("whole", "wanted"), [(1, 3), (2, 3), (3, 3)])
def test_what_is_stopped_leaves_the_rounds_that_were_whole(tmp_path, monkeypatch, capsys, whole, wanted):
    asked = stopped_after(whole, monkeypatch)
    rounds = perf.whole_rounds(tmp_path, [LINE], wanted, ["work"])
    assert [found["peak", ""].seconds for found in rounds] == [[number] for number in range(1, whole + 1)]
    assert asked == [["work"], (), ()][:whole], "whole runs are done once"
    assert (f"the tables are of {whole} of {wanted} rounds" in capsys.readouterr().err) == (whole < wanted)


def test_what_is_stopped_in_its_first_round_has_no_table(tmp_path, monkeypatch):
    stopped_after(0, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        perf.whole_rounds(tmp_path, [LINE], 3, [])


def stopped_after(whole, monkeypatch):
    """Somebody presses Ctrl-C after so many rounds; the list says which whole runs each was asked for."""
    asked = []

    def measured(folder, lines, runs):
        if len(asked) == whole:
            raise KeyboardInterrupt
        asked.append(runs)
        return perf.Round(folder, {("peak", ""): Found([len(asked)], 1)})

    monkeypatch.setattr(perf, "measured", measured)
    return asked


@pytest.mark.slow
def test_questions_are_text_that_another_program_encodes_alike(tmp_path, monkeypatch):
    """The right answers are known by their number, and the words make the ids again that our own model is asked."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    from baselines.speed import ours, questions

    questions.write_suite(tmp_path / "decoder", "smollm2", 24)
    for name in questions.ITEMS:
        run = ours.asking_run(tmp_path, name)
        asked = questions.Asked(run)
        _, gold = questions.answered(asked, run, name, 0.01)
        texts, encode = asked.texts(gold), run.checkpoint.tokenizer
        pairs = [(text["context"], choice) for text in texts for choice in text["choices"]]
        again = [(encode(context)["input_ids"], encode(choice)["input_ids"]) for context, choice in pairs]
        assert again == [(list(context), list(answer)) for context, answer in asked.requests]
        assert len(texts) == len(gold) == max(2, round(questions.ITEMS[name] * 0.01))
        assert asked.work.rows == len(texts)
