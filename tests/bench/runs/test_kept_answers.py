"""A table is measured once and read afterwards, as it was."""

import pandas as pd
import pytest

from bench.runs.kept_answers import cached_frame, read_frame


def table():
    return pd.DataFrame({"item": ["a", "b"], "gold": [["x", "y"], []], "value": pd.Series([0.1, 0.2], dtype="float32")})


def test_it_is_measured_once(tmp_path, device):
    path = tmp_path / "new" / "t.parquet"
    first = cached_frame(path, device, table)
    pd.testing.assert_frame_equal(first, cached_frame(path, device, lambda: pytest.fail("it was kept")))
    assert read_frame(path)["gold"].tolist() == [["x", "y"], []] and read_frame(path)["value"].dtype == "float32"


def test_what_is_told_beside_it_is_kept_too(tmp_path, device):
    frame = table()
    frame.attrs["seconds"] = 1.5
    cached_frame(tmp_path / "t.parquet", device, lambda: frame)
    assert read_frame(tmp_path / "t.parquet").attrs == {"seconds": 1.5}


def half(content):
    return content[: len(content) // 2]


def one_bit(content):
    """Of the first column's values, which lie at the beginning."""
    return content[:20] + bytes([content[20] ^ 1]) + content[21:]


@pytest.mark.parametrize("damaged", [lambda _: b"", lambda _: b"no table", half, one_bit])
def test_a_damaged_one_is_told_and_measured_again(tmp_path, device, damaged, capsys):
    path = tmp_path / "t.parquet"
    assert read_frame(path) is None and not capsys.readouterr().err
    cached_frame(path, device, table)
    path.write_bytes(damaged(path.read_bytes()))
    pd.testing.assert_frame_equal(cached_frame(path, device, table), table())
    assert capsys.readouterr().err == f"{path} is damaged and counts as absent: it is measured again\n"
    assert read_frame(path) is not None and not capsys.readouterr().err
