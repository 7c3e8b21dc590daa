"""The tree of shared beginnings against its definition, read off the sequences themselves."""

from hypothesis import given
from hypothesis import strategies as st

from bench.tokens.shared_prefixes import Branch, root

BEGINNING = tuple(range(100, 140))


def placed(branch, read=()):
    """(number, what was read of it) of each leaf; every branch must go on from its parent."""
    assert branch.ids[: len(read)] == read
    yield from ((leaf, branch.ids) for leaf in branch.leaves)
    for child in branch.branches:
        assert len(child.ids) > len(branch.ids)
        yield from placed(child, branch.ids)


few = st.lists(st.integers(0, 1), min_size=1, max_size=40).map(tuple)


@given(st.lists(few, max_size=30), st.data())
def test_each_sequence_is_read_on_once_from_a_beginning_of_its_own_within_its_limit(sequences, data):
    limits = [data.draw(st.integers(0, len(sequence))) for sequence in sequences]
    found = dict(placed(root(sequences, limits)))
    assert sorted(leaf for leaf, _ in placed(root(sequences, limits))) == list(range(len(sequences)))
    for number, read in found.items():
        assert sequences[number][: len(read)] == read and len(read) <= limits[number]


def test_an_instruction_before_all_and_a_question_before_its_choices():
    questions = [(*BEGINNING, *(200 + 20 * n + i for i in range(20))) for n in range(10)]
    sequences = [(*question, 900 + choice, 7) for question in questions for choice in range(4)]
    tree = root(sequences, [len(sequence) - 2 for sequence in sequences])
    assert tree.ids == () and not tree.leaves
    (shared,) = tree.branches
    assert shared.ids == BEGINNING and not shared.leaves
    assert sorted(branch.ids for branch in shared.branches) == sorted(questions)
    assert [sorted(branch.leaves) for branch in sorted(shared.branches, key=lambda b: b.ids)] == [
        [4 * n, 4 * n + 1, 4 * n + 2, 4 * n + 3] for n in range(10)
    ]


def test_one_that_begins_otherwise_keeps_none_of_the_others_from_sharing():
    sequences = [(*BEGINNING, n) for n in range(50)]
    tree = root([*sequences, (1, 2, 3)], [40] * 50 + [2])
    assert tree.leaves == [50] and [branch.ids for branch in tree.branches] == [BEGINNING]


def test_what_saves_less_than_it_costs_is_not_shared():
    assert root([(1, 2, *range(9 + n, 30 + n)) for n in range(50)], [20] * 50) == Branch((), [*range(50)])
    assert root([(*BEGINNING, 1), (*BEGINNING, 2)], [40, 40]).branches == []  # two are read in one pass anyhow
    assert root([(*BEGINNING, n) for n in range(50)], [40] * 50, sharing=False) == Branch((), [*range(50)])
    assert root([], []) == Branch(())
