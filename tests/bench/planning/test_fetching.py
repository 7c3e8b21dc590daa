"""All that a suite reads is there afterwards."""

import pytest

from bench.data import assets
from bench.errors import UserError
from bench.planning.fetching import fetch_all


def test_every_archive_that_the_suite_names_is_read(monkeypatch):
    """Held to the archives that are opened, whatever the command says of it."""
    opened, member = set(), assets.member
    monkeypatch.setattr(assets, "member", lambda name, inside: opened.add(name) or member(name, inside))
    from bench.data import sources

    sources._kept_rows.cache_clear()
    lines = list(fetch_all("sentiment-domains", "tiny-bert"))
    assert {"task vader-movies", "probe mrpc"} <= set(lines) and len(lines) == len(set(lines))
    assert lines[0].startswith("model tiny-bert: ") and opened
    assert all(assets.archive_path(name).exists() for name in opened)


def test_a_name_that_is_wrong_is_told():
    with pytest.raises(UserError, match="unknown suite"):
        list(fetch_all("sentimental"))
