"""JUnit XML, read back by a parser of others."""

from junitparser import Error, Failure, JUnitXml, Skipped

from reports.gate.junit import changes_as_junit
from reports.gate.tolerance import Tolerance


def read(found):
    return JUnitXml.fromstring(changes_as_junit(found).encode())


def test_each_number_is_a_test(sides, held):
    found = held(sides.pairs(full=0.7), sides.pairs())
    (suite,) = read(found)
    assert suite.name == "sentiment: smollm2 on sst2" and suite.tests == len(found.changes) == len(list(suite))
    failed = [case for case in suite if any(isinstance(result, Failure) for result in case.result)]
    assert [(case.classname, case.name) for case in failed] == [("full", "score")] and suite.failures == 1
    assert failed[0].result[0].message.startswith("worse: .855 -> .705, -15.0 [-")


def test_what_cannot_be_told_is_skipped(sides, held):
    found = held(sides.pairs(seeds=(0, 2), full=0.84), sides.pairs(seeds=(3, 4, 5)), Tolerance(points=0.1))
    (suite,) = read(found)
    skipped = [case for case in suite if any(isinstance(result, Skipped) for result in case.result)]
    assert len(skipped) == suite.skipped == sum(change.verdict == "can't tell" for change in found.changes) > 0


def test_rows_that_fail_or_cannot_be_compared_are_faults(sides, held, make):
    reason = "a <b> & \x1b[31mc\x00"
    new = [(make.failed("full", 4, reason), None), *sides.pairs(budget="64examples")[3:]]
    *_, rows = read(held(new, sides.pairs()))
    results = [result for case in rows for result in case.result]
    assert [type(result) for result in results] == [Failure, Error] and (rows.failures, rows.errors) == (1, 1)
    assert results[0].message.endswith("failed: a <b> &  [31mc ") and "budget: 64examples" in results[1].message
