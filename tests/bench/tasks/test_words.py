"""Words against Python's own \\w where scripts have spaces, and by hand where they have none."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.tasks import overlap
from bench.tasks.overlap import Texts
from bench.tasks.words import words_of


@given(st.text(st.characters(max_codepoint=0x2FF, exclude_characters="ªº²³¹¼½¾µſİ"), max_size=40))
def test_latin_words_are_runs_of_letters_and_digits(text):
    plain = re.sub(r"[¨¯´¸˘-˝\xa0ʰ-˿ĿŀŉǄ-ǌǱ-ǳĲĳſ]", " ", text)  # what NFKC writes with other letters or with a space
    assert words_of(plain) == re.findall(r"\w+", plain.lower())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's a well-made film.", ["it", "s", "a", "well", "made", "film"]),
        ("这部电影很好看。", list("这部电影很好看")),
        ("iPhone很好", ["iphone", "很", "好"]),
        ("映画を見ました", list("映画を見ました")),
        ("หนังดี", ["ห", "นั", "ง", "ดี"]),  # a vowel above stands with its letter
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("cafe\u0301 CAFÉ", ["café", "café"]),
        ("İyi", ["i\u0307yi"]),  # in lower case İ is two characters, of which Python's \\w has one
        ("ﬁlm ＡＢＣ", ["film", "abc"]),
        ("", []),
        ("?! —", []),
    ],
)
def test_words_of_many_scripts(text, words):
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("这部电影拍得很好看，演员也很出色。", "昨天看了。这部电影拍得很好看，演员也很出色！推荐"),
        ("หนังเรื่องนี้สนุกมาก", "เมื่อวานดูหนังเรื่องนี้สนุกมากจริงๆ"),
        ("यह फ़िल्म बहुत अच्छी है", "कल देखी। यह फ़िल्म बहुत अच्छी है।"),
    ],
)
def test_a_text_is_found_inside_another_of_its_script(text, other):
    assert overlap.contained(Texts([text]), Texts([other])) == [0]
    assert overlap.contained(Texts([text[1:] + "了了了"]), Texts([other])) == []


def test_a_near_copy_without_spaces_is_found():
    text = "这部电影拍得很好看演员也很出色值得推荐"
    assert overlap.near(Texts([text]), Texts([text.replace("很好看", "真好看")])) == [0]
    assert overlap.near(Texts([text]), Texts(["今天天气不错我们去公园散步吧大家都很高兴"])) == []
