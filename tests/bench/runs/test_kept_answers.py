"""A table is measured once and read afterwards, as it was."""

import io
import json

import pandas as pd
import pytest
from pyarrow import parquet

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


def described_otherwise(content, change):
    """With another description of the table by pandas, which has no checksum."""
    table = parquet.read_table(io.BytesIO(content))
    described = json.loads(table.schema.metadata[b"pandas"])
    change(described)
    to = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata({b"pandas": json.dumps(described)}), to, write_page_checksum=True)
    return to.getvalue()


def a_key_of_pandas(content):
    """Planted fault: `KeyError: 'index_columns'`, and the same command never mended it."""
    return described_otherwise(content, lambda described: described.pop("index_columns"))


def a_type_of_pandas(content):
    return described_otherwise(content, lambda described: described["columns"][2].update(numpy_type="fkoat32"))


@pytest.mark.parametrize("damaged", [lambda _: b"", lambda _: b"no table", half, one_bit, a_key_of_pandas, a_type_of_pandas])
def test_a_damaged_one_is_told_and_measured_again(tmp_path, device, damaged, capsys):
    path = tmp_path / "t.parquet"
    assert read_frame(path) is None and not capsys.readouterr().err
    cached_frame(path, device, table)
    path.write_bytes(damaged(path.read_bytes()))
    pd.testing.assert_frame_equal(cached_frame(path, device, table), table())
    assert capsys.readouterr().err == f"{path} is damaged and counts as absent: it is measured again\n"
    assert read_frame(path) is not None and not capsys.readouterr().err
