"""Any one value of a stranger's file may be missing or of another kind: the file is read, or its fault is named."""

import json

import pytest

from bench.errors import FormatError
from reports.exchange.lm_eval_results import read_lm_eval
from reports.exchange.peft_results import read_peft_result

OTHERS = [None, True, -1, 0, 3.5, 1e308, float("nan"), 10**30, "", "a\nb", "\ud800", [], [None], {}, {"a": 1}]
MISSING = object()


def places(value, way=()):
    yield way
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inner:
        yield from places(part, (*way, name))


def changed(value, way, new):
    copy = json.loads(json.dumps(value))
    if not way:
        return new
    inside = copy
    for name in way[:-1]:
        inside = inside[name]
    if new is MISSING:
        del inside[way[-1]]
    else:
        inside[way[-1]] = new
    return copy


def faults(whole, write, read):
    """Whatever is raised for one wrong value but a fault with a name, and how many files were read and refused."""
    wrong, counts = [], [0, 0]
    for way in places(whole):
        for new in [*OTHERS, *([MISSING] if way else [])]:
            write(changed(whole, way, new))
            try:
                for record in read():
                    record.model_dump_json()
                counts[0] += 1
            except FormatError:
                counts[1] += 1
            except Exception as error:  # what the test is about
                wrong.append((way, new, repr(error)[:80]))
    return wrong, min(counts)


def written(path, value):
    path.write_text(json.dumps(value))


@pytest.mark.slow
def test_of_peft(peft_file):
    path = peft_file()
    wrong, fewest = faults(json.loads(path.read_text()), lambda value: written(path, value), lambda: [read_peft_result(path)])
    assert wrong == [] and fewest > 50


@pytest.mark.slow
def test_of_the_harness(harness_file):
    path = harness_file()
    read = lambda: [record for record, _ in read_lm_eval(path)]  # noqa: E731
    wrong, fewest = faults(json.loads(path.read_text()), lambda value: written(path, value), read)
    assert wrong == [] and fewest > 50


def test_of_samples(harness_file, riddle_lines):
    path, lines = harness_file({"riddles": riddle_lines()}), riddle_lines()
    (samples,) = path.parent.glob("samples_*")

    def write(line):
        samples.write_text("".join(json.dumps(each) + "\n" for each in [line, *lines[1:]]))

    read = lambda: [record for record, _ in read_lm_eval(path)]  # noqa: E731
    wrong, fewest = faults(lines[0], write, read)
    assert wrong == [] and fewest > 10


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"[]", b"3", b"{}"])
def test_of_the_whole(peft_file, harness_file, content):
    for path, read in ((peft_file(), read_peft_result), (harness_file(), lambda path: list(read_lm_eval(path)))):
        path.write_bytes(content)
        with pytest.raises(FormatError):
            read(path)
