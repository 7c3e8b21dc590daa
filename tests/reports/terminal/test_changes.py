"""The comparison in a terminal."""

from reports.gate.compared import compared
from reports.gate.reading import read_sides
from reports.gate.tolerance import Tolerance
from reports.terminal.changes import print_changes


def test_lines_fit_and_say_what_changed(make, tmp_path, capsys):
    for name, full in (("new", 0.7), ("old", 0.85)):
        make.kept(tmp_path / name, [make.record("full", seed, full) for seed in range(3)])
    print_changes(compared(*read_sides(tmp_path / "new", tmp_path / "old", None), Tolerance()))
    first, second, header, *lines = capsys.readouterr().out.splitlines()
    assert first == f"{tmp_path / 'new'} against {tmp_path / 'old'}: 1 worse, 7 the same, 0 better, 0 can't tell"
    assert second == "sentiment: smollm2 on sst2"
    assert header.split() == ["strategy", "what", "old", "new", "change", "[95", "%]", "unit", "verdict", "finds"]
    score = next(line for line in lines if " score " in line)
    assert score.split()[:5] == ["full", "score", ".850", ".700", "-15.0"] and " worse " in score and len(score) <= 100
    assert lines[-1].startswith("finds: ")
