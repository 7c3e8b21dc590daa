"""CoNLL files, through the formats that call the parser."""

from hypothesis import given
from hypothesis import strategies as st
from parsing import read

CONLL = """-DOCSTART- -X- -X- O

# id 1
EU NNP B-NP B-ORG
rejects VBZ B-VP O

\x20\x20
# O
#hashtag NN O O
. . O O
"""


def test_conll_sentences():
    (first, one), (second, two) = read("x.bio", CONLL.replace("# O\n", ""))
    assert (first, second) == ("line 4", "line 8")
    assert one["0"] == one["-4"] == ["EU", "rejects"] and one["3"] == one["-1"] == ["B-ORG", "O"]
    assert two["0"] == ["#hashtag", "."]
    assert read("x.conll", CONLL)[1] == ("line 9", two)
    assert read("x.txt", CONLL.replace("\n", "\r\n"), kind="conll") == read("x.conll", CONLL)


def test_conll_between_tabs_a_token_may_hold_spaces_and_be_a_hash():
    assert read("x.conll", "# text\n1 000\tO\n#\tB-X\n\n#\tO\n") == [
        ("line 2", {"0": ["1 000", "#"], "1": ["O", "B-X"], "-1": ["O", "B-X"], "-2": ["1 000", "#"]}),
        ("line 5", {"0": ["#"], "1": ["O"], "-1": ["O"], "-2": ["#"]}),
    ]


WORD = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"], exclude_characters="#-"), min_size=1, max_size=6)


@given(st.lists(st.lists(st.tuples(WORD, WORD), min_size=1), min_size=1), st.sampled_from(["\t", " "]))
def test_conll_gives_back_what_was_written(sentences, gap):
    content = "\n\n".join("\n".join(gap.join(token) for token in sentence) for sentence in sentences)
    found = read("x.conll", content)
    assert [list(zip(values["0"], values["-1"], strict=True)) for _, values in found] == sentences
    lines = content.split("\n")
    assert [lines[int(where.removeprefix("line ")) - 1] for where, _ in found] == [gap.join(s[0]) for s in sentences]
