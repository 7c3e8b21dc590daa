"""A judge that is asked: what it costs, what is kept, and that nothing is asked twice."""

import re
import shutil
import subprocess
import sys

import pytest
from openai_server import Reply, completion
from tenacity import wait_none
from written import write_row

from bench import folders
from bench.errors import RunError, UserError
from bench.inference import chat
from bench.judging.judge import Judging, find_judge
from bench.judging.row_pairs import JudgeOptions, row_pairs
from bench.records.judged import find_judged, judged_folder


def shown(asked):
    """The two answers that a request shows."""
    text = asked["messages"][0]["content"]
    return [re.search(rf"<{place}-(\w+)>\n(.*)\n</{place}-\1>", text)[2] for place in ("first", "second")]


def longer(asked):
    first, second = map(len, shown(asked))
    return Reply(body=completion("first" if first > second else "second" if second > first else "tie"))


@pytest.fixture
def judge(server, tmp_path, monkeypatch):
    """With an empty cache, and a back-off that takes no time."""
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(chat, "BACKOFF", wait_none())
    server.reply = longer
    where = f"base_url: {server.url}, model: m, retries: 0, input_price: 2, output_price: 5, max_tokens: 10"
    (tmp_path / "j.yaml").write_text(f"name: mine\ndescription: d\nendpoint: {{{where}}}\n")
    return find_judge(str(tmp_path / "j.yaml"))


@pytest.fixture
def said():
    return []


@pytest.fixture
def judging(judge, tmp_path, said):
    return Judging(judge, tmp_path, said.append)


def met(out, **rows):
    return row_pairs([write_row(out, name, answers) for name, answers in rows.items()], out, JudgeOptions())


def verdicts(judging, pair):
    """Of the row that stands above."""
    ((pairing, turned),) = pair.pairings
    return [judged.turned if turned else judged for judged in judging.verdicts(pairing)]


def test_both_orders_are_asked_and_make_a_verdict(server, judging, tmp_path):
    (pair,) = met(tmp_path, a=["longer", "x", "same", "ab"], b=["long", "xyz", "same", "cd"])
    judged = verdicts(judging, pair)
    assert [each.verdict for each in judged] == ["one", "other", "tie", "tie"]
    assert [each.item for each in judged] == ["test-1", "test-2", "test-3", "test-4"]
    assert [(each.one_first.text, each.other_first.text) for each in judged if each.one_first] == [
        ("first", "second"),
        ("second", "first"),
        ("tie", "tie"),
    ]
    assert sorted(map(tuple, (shown(request.body) for request in server.requests))) == sorted(
        [("longer", "long"), ("long", "longer"), ("x", "xyz"), ("xyz", "x"), ("ab", "cd"), ("cd", "ab")]
    )


@pytest.mark.parametrize(
    ("reply", "winners"), [("first", ["one", "other"]), ("second", ["other", "one"]), ("Hm.", [None, None])]
)
def test_orders_that_do_not_agree_and_replies_that_say_nothing_are_ties(server, judging, tmp_path, reply, winners):
    server.reply = lambda asked: Reply(body=completion(reply))
    (pair,) = met(tmp_path, a=["abc"], b=["d"])
    (judged,) = verdicts(judging, pair)
    assert (judged.verdict, [judged.one_first.winner, judged.other_first.winner]) == ("tie", winners)
    assert judged.one_first.text == judged.other_first.text == reply


def test_a_judge_that_said_nothing_is_asked_again(server, judging, tmp_path):
    """By the next command: it may speak another time, and a tie for ever would be nobody's verdict."""
    server.reply = lambda asked: Reply(body=completion("")) if shown(asked) == ["longer", "long"] else longer(asked)
    (pair,) = met(tmp_path, a=["longer", "xyz"], b=["long", "x"])
    assert [each.verdict for each in verdicts(judging, pair)] == ["tie", "one"]
    server.reply = longer
    again = Judging(judging.judge, tmp_path, judging.say)
    assert "nothing is asked" not in again.cost_sentence([pair])
    assert [each.verdict for each in verdicts(again, pair)] == ["one", "one"]


def test_one_order_alone_that_names_a_row_is_no_win(server, judging, tmp_path):
    server.reply = lambda asked: Reply(body=completion("first" if shown(asked)[0] == "abc" else "tie"))
    (pair,) = met(tmp_path, a=["abc"], b=["d"])
    (judged,) = verdicts(judging, pair)
    assert (judged.verdict, judged.one_first.winner, judged.other_first.winner) == ("tie", "one", "tie")


def test_what_is_kept_in_the_folder_is_not_asked_again(server, judging, tmp_path):
    (pair,) = met(tmp_path, a=["longer", "x"], b=["long", "xyz"])
    first = verdicts(judging, pair)
    shutil.rmtree(folders.cache())
    assert judging.cost_sentence([pair]) == "nothing is asked of mine: all its replies are kept"
    assert verdicts(judging, pair) == first and len(server.requests) == 4


def test_where_both_answers_are_the_same_nothing_has_to_be_asked(judging, tmp_path):
    """It was said that all replies are kept, of which there are none."""
    (pair,) = met(tmp_path, a=["x", "y"], b=["x", "y"])
    assert judging.cost_sentence([pair]) == "nothing has to be asked of mine: both answers to each item are the same"


def test_what_the_cache_keeps_is_not_paid_again(server, judging, tmp_path):
    (pair,) = met(tmp_path, a=["longer", "x"], b=["long", "xyz"])
    first = verdicts(judging, pair)
    shutil.rmtree(judged_folder(tmp_path))
    assert judging.cost_sentence([pair]) == "nothing is asked of mine: all its replies are kept"
    assert verdicts(judging, pair) == first and len(server.requests) == 4


def test_other_answers_are_asked_anew_and_the_others_kept(server, judging, tmp_path):
    (pair,) = met(tmp_path, a=["longer", "x"], b=["long", "xyz"])
    verdicts(judging, pair)
    (pair,) = met(tmp_path, a=["longer", "xxxx"], b=["long", "xyz"])
    assert [each.verdict for each in verdicts(judging, pair)] == ["one", "one"] and len(server.requests) == 6
    (path,) = judged_folder(tmp_path).iterdir()
    assert len(find_judged(path).items) == 2


def test_more_items_are_added_to_those_that_are_kept(server, judging, tmp_path):
    rows = [write_row(tmp_path, name, [f"{name * n}{n}" for n in range(2, 12)]) for name in ("a", "bc")]
    for count, requests in ((4, 8), (10, 20), (4, 20)):
        (pair,) = row_pairs(rows, tmp_path, JudgeOptions(items=count))
        assert len(verdicts(judging, pair)) == count and len(server.requests) == requests
    (path,) = judged_folder(tmp_path).iterdir()
    assert len(find_judged(path).items) == 10
    assert len(set(server.prompts)) == len(server.prompts)


def test_fewer_items_with_another_answer_leave_the_others_kept(server, judging, tmp_path):
    answers = [f"{'a' * n}{n}" for n in range(2, 12)]
    rows = [write_row(tmp_path, "a", answers), write_row(tmp_path, "b", ["y"] * 10)]
    (pair,) = row_pairs(rows, tmp_path, JudgeOptions())
    verdicts(judging, pair)
    rows[0] = write_row(tmp_path, "a", [f"{answer}!" for answer in answers])
    (pair,) = row_pairs(rows, tmp_path, JudgeOptions(items=4))
    verdicts(judging, pair)
    (path,) = judged_folder(tmp_path).iterdir()
    assert len(find_judged(path).items) == 10 and len(server.requests) == 28


def test_another_judge_has_a_file_of_its_own(server, judging, judge, tmp_path):
    (pair,) = met(tmp_path, a=["longer"], b=["long"])
    verdicts(judging, pair)
    other = Judging(type(judge)("other", judge.spec.model_copy(update={"model": "n"})), tmp_path, print)
    verdicts(other, pair)
    kept = [find_judged(path) for path in judged_folder(tmp_path).iterdir()]
    assert sorted((pair.judge, pair.model) for pair in kept) == [("mine", "m"), ("other", "n")]


def test_the_cost_is_that_of_different_prompts_without_an_answer(server, judging, tmp_path):
    all_pairs = met(tmp_path, a=["longer", "x"], b=["long", "xyz"], c=["longer", "y"])
    told = judging.cost_sentence(all_pairs)
    # Three pairs of two items in two orders; a and c say the same of the first item, and meet b's answer as one.
    assert told.startswith("asking mine over its API: 8 requests, about ") and not server.requests
    for pair in all_pairs:
        verdicts(judging, pair)
    assert len(server.requests) == 8
    read = sum(map(len, server.prompts)) / 4
    price = (2 * read + 5 * 80) / 1e6
    assert told.endswith(f"about {read:,.0f} tokens to read and at most 80 to write; at most about {price:.2f} at its prices")


def test_a_judge_that_fails_midway_goes_on_without_asking_again(server, judging, tmp_path):
    answers = {"a": [f"a{'x' * n}" for n in range(9)], "b": [f"{'y' * n}" for n in range(9)]}
    (pair,) = met(tmp_path, **answers)
    given = server.down_after(5, longer, 500)
    with pytest.raises(RunError, match="answered 500 for model 'm': down .*answers received so far are kept"):
        verdicts(judging, pair)
    assert not judged_folder(tmp_path).exists()
    server.reply = longer
    before = len(server.requests)
    assert len(verdicts(judging, pair)) == 9
    later = server.prompts[before:]
    assert not given & set(later) and len(given) + len(later) == 18 == len(given | set(later))


def test_replies_without_a_text_are_told(server, judging, said, tmp_path):
    server.script = [Reply(body=completion(None))]
    (pair,) = met(tmp_path, a=["longer"], b=["long"])
    assert verdicts(judging, pair)[0].verdict == "tie"
    assert said == ["model 'm': 1 of 2 answers have no text; they count as empty answers"]


def test_who_is_no_judge_is_told(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="^--judge 'smollm2' is no model behind an API; name a YAML file with the block `endp"):
        find_judge("smollm2")
    with pytest.raises(UserError, match="^--judge 'some/id' is no model behind an API"):
        find_judge("some/id")
    monkeypatch.delenv("NO_KEY", raising=False)
    said = "endpoint: {base_url: https://localhost/v1, model: m, key_env: NO_KEY}"
    (tmp_path / "j.yaml").write_text(f"name: mine\ndescription: d\n{said}\n")
    with pytest.raises(UserError, match="environment variable NO_KEY holds no key"):
        find_judge(str(tmp_path / "j.yaml"))


def test_judging_loads_no_torch():
    loaded = "import sys, bench.judging.judge; print({'torch', 'transformers'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout == "set()\n"
