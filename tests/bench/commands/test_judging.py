"""`tunebench judge`, as a user gives it."""

import json
import re
import sys

import numpy as np
import pytest
from openai_server import Reply, completion
from scipy import stats
from tenacity import wait_none
from written import write_row

from bench.inference import chat

ANSWERS = np.random.default_rng(0).integers(1, 6, (3, 30))
"""Lengths of each row's answers."""
COSTS = dict.fromkeys(
    ("train_tokens", "train_flops", "train_seconds", "eval_seconds", "peak_memory_bytes", "saved_bytes"), 0
) | {"trainable_parameters": 1, "total_parameters": 1}


@pytest.fixture
def judge(server, called, tmp_path, monkeypatch):
    """The command with a judge, on three rows; its cache is empty."""
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(chat, "BACKOFF", wait_none())
    where = f"base_url: {server.url}, model: m, retries: 0, input_price: 2000, output_price: 0"
    (tmp_path / "j.yaml").write_text(f"name: mine\ndescription: d\nendpoint: {{{where}}}\n")
    for name, lengths in zip(("full", "frozen", "zero-shot"), ANSWERS, strict=True):
        write_row(tmp_path / "out", name, [name[1] * length for length in lengths])  # u, r and e: no two are the same
    return lambda *more: called("judge", "--judge", tmp_path / "j.yaml", "--out", tmp_path / "out", *more)


def longer(asked):
    text = asked["messages"][0]["content"]
    first, second = (len(re.search(rf"<{place}-(\w+)>\n(.*)\n</{place}-\1>", text)[2]) for place in ("first", "second"))
    return Reply(body=completion("first" if first > second else "second" if second > first else "tie"))


def always(word):
    return lambda asked: Reply(body=completion(word))


def cells(printed, one, other):
    """Win rate, its ends, won, tied, lost, p, agreement and first place of one pair, as numbers."""
    (line,) = re.findall(rf"^{one} against {other} (.*)$", printed, re.MULTILINE)
    return [float(number) for number in re.findall(r"\d*\.?\d+", line)]


def pair(printed):
    """The names and lengths of the answers of each pair of rows, in the table's order."""
    lengths = dict(zip(("full", "frozen", "zero-shot"), ANSWERS, strict=True))
    found = re.findall(r"^(full|frozen|zero-shot) against (\S+) +\.", printed, re.MULTILINE)
    return {(one, other): (lengths[one], lengths[other]) for one, other in found}


def test_a_judge_that_prefers_the_longer_answer(server, judge):
    server.reply = longer
    status, printed, told = judge()
    assert status == 0 and len(pair(printed)) == 3
    ps = []
    for (one, other), (mine, theirs) in pair(printed).items():
        worth = np.sign(mine - theirs) / 2 + 0.5
        rate, low, high, won, tied, lost, _, agreement, first = cells(printed, one, other)
        assert (won, tied, lost) == ((mine > theirs).sum(), (mine == theirs).sum(), (mine < theirs).sum())
        assert rate == pytest.approx(worth.mean(), abs=6e-4)
        mean, factor = worth.mean(), (stats.t.ppf(0.975, 29) * stats.sem(worth)) ** 2 / (worth.mean() * (1 - worth.mean()))
        ends = sorted(np.roots([1 + factor, -(2 * mean + factor), mean**2]))
        assert [low, high] == pytest.approx(ends, abs=6e-4)
        assert (agreement, first) == (1.0, 0.5)
        ps.append(2 * stats.t.sf(abs(won - lost) / np.sqrt(won + lost), 29))
    by_p = sorted(pair(printed), key=lambda names: cells(printed, *names)[6])
    assert cells(printed, *by_p[0])[6] == pytest.approx(min(1, 3 * min(ps)), abs=6e-4)
    assert "[3/3] mail: " in told


def test_one_that_always_says_first_finds_ties_alone(server, judge):
    server.reply = always("first")
    _, printed, _ = judge("--against", "zero-shot")
    assert len(pair(printed)) == 2
    for names in pair(printed):
        rate, _, _, won, tied, lost, p, agreement, first = cells(printed, *names)
        assert (rate, won, tied, lost, p, agreement, first) == (0.5, 0, 30, 0, 1.0, 0.0, 1.0)


def test_one_that_answers_nonsense_is_counted(server, judge):
    server.reply = always("As a language model, I can't say.")
    status, printed, _ = judge("--against", "zero-shot")
    assert status == 0
    for one, other in pair(printed):
        assert f"{one} against {other}: 60 replies could not be read and made a tie." in printed
        assert cells(printed, one, other)[3:6] == [0, 30, 0]


def test_no_request_is_made_twice(server, judge):
    server.reply = longer
    judge("--items", "8")
    _, first, _ = judge()
    asked = len(server.requests)
    _, again, _ = judge()
    assert "nothing is asked of mine: all its replies are kept" in again
    assert again.splitlines()[1:] == first.splitlines()[1:]
    assert asked == len(server.requests) == len(set(server.prompts)) == 3 * 30 * 2


def test_one_that_fails_midway_goes_on(server, judge):
    given = server.down_after(70, longer, 503)
    status, printed, told = judge()
    assert status == 1 and "answered 503" in told and "answers received so far are kept" in told
    assert "win rate" not in printed
    server.reply, before = longer, len(server.requests)
    status, printed, _ = judge()
    assert status == 0 and len(pair(printed)) == 3
    assert not given & set(server.prompts[before:]) and len(server.requests) - before == 180 - 70
    assert printed.startswith("asking mine over its API: 110 requests, ")


def test_the_cost_is_told_before_anything_is_asked(server, judge):
    status, printed, _ = judge("--dry-run")
    assert status == 0 and not server.requests
    read, price = re.fullmatch(
        r"asking mine over its API: 180 requests, about ([\d,]+) tokens to read and at most 23,040 to write; "
        r"at most about ([\d.]+) at its prices\n",
        printed,
    ).groups()
    heard = []

    def listening(asked):
        heard.append(sys.stdout.getvalue())
        return longer(asked)

    server.reply = listening
    judge()
    assert heard[0].startswith("asking mine over its API: 180 requests")
    letters = sum(map(len, server.prompts))
    assert int(read.replace(",", "")) == pytest.approx(letters / 4, abs=1)
    assert float(price) == pytest.approx(letters / 4 * 2000 / 1e6, abs=0.01)


def test_texts_that_were_cut_are_told(judge, tmp_path):
    for name in ("full", "frozen", "zero-shot"):
        write_row(tmp_path / "out", name, ["a", "b"], text=["whole", "c" * 599 + "…"])
    _, printed, _ = judge("--dry-run")
    assert printed.endswith("items of which the judge sees the beginning alone, since no more of their texts is kept: 1\n")


def test_the_tables_as_markdown(server, judge, tmp_path):
    server.reply = longer
    _, printed, _ = judge("--markdown", str(tmp_path / "judged.md"))
    page = (tmp_path / "judged.md").read_text()
    assert "| full against zero-shot |" in page or "| zero-shot against full |" in page
    assert "judged by mine over 30 items" in page and "win rate" not in printed


def test_unlike_chances_are_told_with_the_win_rates(server, judge, tmp_path):
    """Planted fault: a row that four trials had chosen won against one without any, and nothing was said of it."""
    server.reply = longer
    _, printed, _ = judge()
    assert "not the same chance" not in printed
    for path in (tmp_path / "out" / "records").glob("*.json"):
        record = json.loads(path.read_text())
        trained = record["setup"]["strategy"] != "zero-shot"
        record["setup"]["tuning"]["trials"] = 4 if record["setup"]["strategy"] == "frozen" else 0
        record["cost"] = COSTS | {"train_examples": 8 if trained else 0}
        path.write_text(json.dumps(record))
    _, printed, _ = judge()
    assert "not the same chance: number of trials differs: " in printed and "4 (frozen)" in printed
    judge("--markdown", str(tmp_path / "judged.md"))
    assert "not the same chance: number of trials differs: " in (tmp_path / "judged.md").read_text()


def test_what_is_wrong_is_one_sentence(server, judge, called, tmp_path):
    for more, said in (
        (["--task", "mial"], "error: unknown task 'mial'; did you mean mail?\n"),
        (["--against", "ful"], "error: unknown row 'ful'; did you mean full?\n"),
        (["--suite", "other"], "error: no records in .*out/records of suite other; run a suite first\n"),
        (["--items", "1"], "error: Invalid value for '--items': Input should be greater than or equal to 2\n"),
    ):
        status, printed, told = judge(*more)
        assert (status, printed) == (2, "") and re.fullmatch(said.replace("?", r"\?"), told), told
    status, _, told = called("judge", "--judge", "minilm", "--out", tmp_path / "out")
    assert status == 2 and told.startswith("error: --judge 'minilm' is no model behind an API; ")
    assert not server.requests
