"""A table is measured once and read afterwards, as it was."""

import pandas as pd
import pytest

from bench.running.frames import kept_frame, read_frame


def table():
    return pd.DataFrame({"item": ["a", "b"], "gold": [["x", "y"], []], "value": pd.Series([0.1, 0.2], dtype="float32")})


def test_it_is_measured_once(tmp_path, device):
    path = tmp_path / "new" / "t.parquet"
    first = kept_frame(path, device, table)
    pd.testing.assert_frame_equal(first, kept_frame(path, device, lambda: pytest.fail("it was kept")))
    assert read_frame(path)["gold"].tolist() == [["x", "y"], []] and read_frame(path)["value"].dtype == "float32"


def test_what_is_told_beside_it_is_kept_too(tmp_path, device):
    frame = table()
    frame.attrs["seconds"] = 1.5
    kept_frame(tmp_path / "t.parquet", device, lambda: frame)
    assert read_frame(tmp_path / "t.parquet").attrs == {"seconds": 1.5}


@pytest.mark.parametrize("content", [b"", b"no table"])
def test_a_damaged_one_is_measured_again(tmp_path, device, content):
    path = tmp_path / "t.parquet"
    assert read_frame(path) is None
    path.write_bytes(content)
    assert read_frame(path) is None
    pd.testing.assert_frame_equal(kept_frame(path, device, table), table())
    assert read_frame(path) is not None
