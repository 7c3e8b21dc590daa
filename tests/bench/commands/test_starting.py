"""`tunebench init` as a script gives it: each option reaches what reads the file."""

import pytest

WORDS = """actors begin calmly daring ends film gives however in just keeps
    long makes never only plot quite rather scenes then""".split()  # noqa: SIM905 - twenty words read better as one text
REVIEWS = "stars;film;said;kind\n" + "".join(
    f"{number % 5};film {number};{' '.join(WORDS[(number * step + step) % 20] for step in range(3, 12))};{number % 2}\n"
    for number in range(120)
)


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews.txt").write_text(REVIEWS)
    return "reviews.txt"


def test_two_files_are_written_from_what_was_asked(called, file, tmp_path):
    form = ["--format", "csv", "--separator", ";", "--text", "said", "--label", "kind", "--labels", "0=dull,1=fine"]
    more = ["--group", "none", "--max-length", "48", "--model", "tiny-bert", "--name", "films"]
    status, shown, said = called("init", file, *form, *more, "--yes")
    assert status == 0, said
    suite, task = ((tmp_path / "suites" / name).read_text() for name in ("films.yaml", "tasks/films.yaml"))
    assert "max_length: 48" in suite and "tiny-bert" in suite and "films" in suite
    assert "said" in task and "dull" in task and "fine" in task and "film 3" not in task
    assert "tunebench run --suite suites/films.yaml" in shown
    again = called("init", file, *form, *more, "--yes")
    assert again[0] == 2 and "--force" in again[2]
    assert called("init", file, *form, *more, "--yes", "--force")[0] == 0


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--type", "poetry"], "poetry"),
        (["--text", "words"], "words"),
        (["--label", "mark"], "mark"),
        (["--sample", "few"], "few"),
        (["--max-length", "long"], "long"),
        (["--test", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_a_wrong_wish_is_named_and_nothing_is_written(called, file, tmp_path, options, what):
    status, _, said = called("init", file, "--format", "csv", "--separator", ";", "--yes", *options)
    assert status == 2 and said.startswith("error: ") and what in said
    assert not (tmp_path / "suites").exists()
