"""A comparison as JUnit XML, which CI systems show as tests: a test for each number of each row."""

from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from bench.groups import groups_by
from reports.gate import words
from reports.gate.change import Change
from reports.gate.compared import Compared
from reports.unseen_characters import printable


def changes_as_junit(comparison: Compared) -> str:
    """A number that is worse fails, and so does a row that no longer runs; one of which nothing can be told is skipped; a row
    that can't be compared is an error."""
    root = Element("testsuites", name="tunebench compare")
    for (suite, model, task), changes in groups_by(comparison.changes, lambda change: change.difference.row.group).items():
        _suite(root, f"{suite}: {model} on {task}", [_change_case(change) for change in changes])
    broken = [_fault_case("failure", text) for text in comparison.broken]
    refused = [_fault_case("error", text) for text in comparison.refused]
    # A CI that sees no test where a row fails would show a green list.
    if broken or refused:
        _suite(root, "rows", [*broken, *refused])
    ElementTree.indent(root, " ")
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: Element, name: str, cases: list[Element]) -> None:
    counts = {tag: sum(case.find(tag) is not None for case in cases) for tag in ("failure", "error", "skipped")}
    written = {"tests": len(cases), "failures": counts["failure"], "errors": counts["error"], "skipped": counts["skipped"]}
    suite = SubElement(root, "testsuite", {"name": printable(name), **{what: str(count) for what, count in written.items()}})
    suite.extend(cases)


def _change_case(change: Change) -> Element:
    difference = change.difference
    case = Element("testcase", classname=printable(difference.row.label), name=printable(difference.title))
    _, _, before, now, changed, unit, _, finds = words.cells(change)
    message = f"{words.verdict_text(change)}: {before} -> {now}, {changed} {unit}; finds {finds}"
    if change.verdict == "worse":
        SubElement(case, "failure", message=message, type="worse")
    elif change.verdict == "can't tell":
        SubElement(case, "skipped", message=message)
    else:
        SubElement(case, "system-out").text = message
    return case


def _fault_case(tag: str, text: str) -> Element:
    # The same row has the same name whichever seed of it fails, by which a CI follows a test over time.
    case = Element("testcase", classname="rows", name=printable(text.partition(" (seed")[0]))
    SubElement(case, tag, message=printable(text), type=tag)
    return case
