"""A judge's tables, as a terminal and a page have them."""

from dataclasses import replace

from reports.judged.shown import judged_page, print_judged
from reports.judged.win_rates import WinRate, WinRates

FOUND = WinRate(
    labels=("full", "lora-8bit (peft.r=16)"),
    value=0.75,
    low=0.612,
    high=0.8514,
    p=0.0004,
    counts={"one": 1_204, "tie": 30, "other": 21},
    agreement=0.91,
    first=0.5,
    unread=1,
    same=2,
)
NONE = WinRate(("frozen", "a|b"), 0.5, 0.4, 0.6, 1.0, {"one": 0, "tie": 9, "other": 0}, None, None, 0, 0)
RATES = WinRates([FOUND, NONE], items=9, seeds=1, smallest=0.12)


def printed(capsys, rates=RATES):
    print_judged("ours: m on mail", rates)
    return capsys.readouterr().out


def test_each_pair_has_a_line(capsys):
    lines = printed(capsys).splitlines()
    assert lines[0] == "ours: m on mail"
    assert "full against lora-8bit (peft.r=16) .750* [.612, .851] 1,204 / 30 / 21 <.001" in lines[5]
    assert lines[5].split()[-2:] == [".910", ".500"]
    assert lines[6].split()[3:] == [".500", "[.400,", ".600]", "0", "/", "9", "/", "0", "1.000", "–", "–"]


def test_what_the_numbers_hold_stands_below(capsys):
    said = printed(capsys)
    assert "One seed: the interval is for these trained models on new items." in said
    assert "A true win rate of .620 or .380, or farther from .5, would be found four times out of five.\n" in said
    assert "full against lora-8bit (peft.r=16): 2 pairs of answers the same, a tie that was not asked.\n" in said
    assert "full against lora-8bit (peft.r=16): 1 reply could not be read and made a tie.\n" in said
    assert said.count("frozen against a|b") == 1


def test_several_seeds_and_what_would_not_have_been_found(capsys):
    said = printed(capsys, replace(RATES, seeds=3, smallest=0.6))
    assert "Several seeds: the interval is for other seeds on new items." in said and "One seed" not in said
    assert "So few items and seeds would find no win rate four times out of five; take more of them." in said
    assert "four times out of five" not in printed(capsys, replace(RATES, smallest=None))


def test_a_page_has_the_same_and_no_markup_from_outside():
    page = judged_page({"ours: m on <b>": RATES})
    assert r"## ours: m on \<b\>" in page
    assert r"| frozen against a\|b | .500 \[.400, .600\] | 0 / 9 / 0 | 1.000 | – | – |" in page
    assert "| full against lora-8bit (peft.r=16) | .750\\* \\[.612, .851\\] |" in page
    assert "2 pairs of answers the same" in page
