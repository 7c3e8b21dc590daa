"""What imported rows must have in common; of a file that does not tell it, nothing is held against another."""

from reports.rows.aspects import ASPECTS, aspects
from reports.rows.fairness import unlike
from reports.rows.rows import aggregate

OF_IMPORTS = (
    "data or settings of answers",
    "chat template",
    "version of lm-eval",
    "version of PEFT",
    "commits of model and data",
    "solved examples",
)


def rows(make, one, other):
    return aggregate([make.record(name, inputs=inputs)[0] for name, inputs in (("full", one), ("frozen", other))])


def test_prompts_are_compared_after_the_same_solved_examples_alone(make):
    five, none = {"solved_examples": "5 (abc)", "prompts": "1" * 12}, {"solved_examples": "0", "prompts": "2" * 12}
    differing = {each.aspect: each.refuses for each in unlike(rows(make, five, none))}
    assert differing == {"solved examples": False}
    other = five | {"prompts": "3" * 12}
    assert {each.aspect for each in unlike(rows(make, five, other))} == {"prompts after 5 (abc) solved examples"}
    names = [each.name for each in aspects(rows(make, {}, none)) if each.name.startswith("prompts")]
    assert names == ["prompts after 0 solved examples"]


def test_what_a_file_does_not_tell_is_held_against_nothing(make):
    told = {"solved_examples": "0", "prompts": "a", "question": "b", "commits": {"model": "c"}}
    assert unlike(rows(make, told, {})) == []


def test_our_own_versions_are_no_import_s(make):
    (own, _) = make.record("full")
    versioned = own.model_copy(update={"provenance": own.provenance.model_copy(update={"versions": {"peft": "0.21"}})})
    told = {aspect.name: aspect.of(versioned) for aspect in ASPECTS}
    assert {name: told[name] for name in OF_IMPORTS} == dict.fromkeys(OF_IMPORTS)
