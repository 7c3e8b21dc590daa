"""A probe on a model that is held elsewhere is tested by its answers, and the record says that this is less."""

from dataclasses import replace

import pytest
from probing import Elsewhere

from bench.selftests.answer_tests import LEFT_OUT, answer_tests


class Moving(Elsewhere):
    """Answers otherwise each time that it is asked."""

    asked = 0

    def loglikelihoods(self, requests):
        self.asked += 1
        return self.moved(super().loglikelihoods(requests), self.asked)

    def moved(self, found, by):
        return [replace(each, nats=tuple(nat - place * by for nat in each.nats)) for place, each in enumerate(found)]


class Crowded(Moving):
    """Answers otherwise to many at once than to few."""

    def moved(self, found, by):
        return super().moved(found, len(found) > 8)


@pytest.fixture
def tested(library, decoding, decoder, made):
    """The outcomes on eight items of a probe, asked through a backend of this kind."""
    return lambda kind, name: answer_tests(made(library.probe(name), decoding, 8), kind(decoder.load().eval(), decoder))


def test_likelihoods_are_enough_and_what_needs_the_module_is_told_to_be_left_out(tested):
    assert tested(Elsewhere, "arc-easy") == {
        "untouched model forgets nothing": True,
        "batches equal one by one": True,
        "shuffled gold is chance": True,
        LEFT_OUT: True,
    }


def test_answers_that_move_are_seen(tested):
    assert not tested(Moving, "lambada")["untouched model forgets nothing"]


def test_answers_that_hang_on_the_batch_are_seen(tested):
    found = tested(Crowded, "arc-easy")
    assert found["untouched model forgets nothing"] and not found["batches equal one by one"]


def test_only_choices_are_shuffled(tested):
    assert "shuffled gold is chance" not in tested(Elsewhere, "lambada")
