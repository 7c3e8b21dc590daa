"""What stands before an answer, against ids by hand."""

from bench.tokens.before_answer import Lead
from bench.tokens.encoded import Encoded

CHAT = Lead((5, 6, 7, 8, 9, 10), (False, False, True, True, False, False))


def test_loss_begins_where_something_is_learned_and_is_on_nothing_else():
    assert CHAT.answered([11, 12]) == Encoded((5, 6, 7, 8, 9, 10, 11, 12), answer=6, silent=(2, 3))
    assert Lead((5, 6), (False, False)).answered([7]) == Encoded((5, 6, 7), answer=1)


def test_what_is_lost_takes_along_whether_it_is_learned():
    assert CHAT.without(range(1, 3)) == Lead((5, 8, 9, 10), (False, True, False, False))
    assert CHAT.without(range(2, 4)).answered([11]) == Encoded((5, 6, 9, 10, 11), answer=1)
    assert CHAT.without(range(0)) == CHAT
