from bench.errors import FormatError, unknown


def test_an_unknown_name_comes_with_the_nearest_or_with_all():
    assert str(unknown("task", "sst", ["rte", "sst2"])) == "unknown task 'sst'; did you mean sst2?"
    assert str(unknown("task", "xyz", ["sst2", "rte"])) == "unknown task 'xyz'; known: rte, sst2"
    assert str(unknown("task", "xyz", [])) == "unknown task 'xyz'; known: none"


def test_a_fault_in_a_file_begins_with_its_place():
    assert str(FormatError("line 3", "not JSON")) == "line 3: not JSON"
    assert isinstance(FormatError("line 3", ""), ValueError)  # parsers' callers catch it with their libraries' own
