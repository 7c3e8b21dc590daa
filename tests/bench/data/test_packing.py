"""A packed file is unpacked up to a bound."""

import bz2
import gzip
import tracemalloc

import pytest

from bench.data import packing
from bench.data.formats import parse_file
from bench.data.sniffing import Form, sniffed
from bench.errors import UserError

PACKED = {".gz": gzip.compress, ".bz2": bz2.compress}


@pytest.mark.parametrize("ending", PACKED)
def test_what_was_packed_comes_back(ending):
    assert packing.unpacked(f"a.csv{ending}", PACKED[ending](b"a\n1\n")) == b"a\n1\n"
    assert packing.unpacked("a.csv", b"a\n1\n") == b"a\n1\n"
    assert (packing.packing(f"a.csv{ending}"), packing.packing("a.csv"), packing.packing("gz")) == (ending, "", "")


@pytest.mark.parametrize("ending", PACKED)
@pytest.mark.parametrize("read", [lambda name, content: [*parse_file(name, content)], lambda *file: sniffed(*file, Form())])
def test_a_few_bytes_that_stand_for_many_are_told_before_memory_is_taken(monkeypatch, ending, read):
    monkeypatch.setattr(packing, "FREE", 2**18)
    content = PACKED[ending](b"a\n" + b"1\n" * 2**20)
    assert packing.SWELLING * len(content) < 2**20
    tracemalloc.start()
    sentence = r"a.csv\.\w+: its [\d,]+ bytes stand for more than [\d,]+ MB; unpack it yourself if that is right"
    with pytest.raises(UserError, match=sentence):
        read(f"a.csv{ending}", content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**21


def test_text_that_is_packed_well_is_no_fault():
    text = b"".join(b"the film %d was good\n" % number for number in range(10**5))
    assert len(packing.unpacked("a.txt.bz2", bz2.compress(text))) == len(text) < packing.SWELLING * len(bz2.compress(text))


def test_what_is_damaged_is_told():
    with pytest.raises(UserError, match=r"a.csv.gz: cannot be unpacked \(.gz\): Not a gzipped file"):
        packing.unpacked("a.csv.gz", b"a,b")
