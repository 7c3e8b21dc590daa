"""A command called in this process, as a user gives it."""

import pytest

from bench import cli


@pytest.fixture
def called(capsys):
    """Exit status, standard output and standard error of a command."""

    def call(*arguments) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as leaving:
            cli.main([*map(str, arguments)])
        said = capsys.readouterr()
        return leaving.value.code, said.out, said.err

    return call
