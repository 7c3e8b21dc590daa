"""A C++ compiler is there where blocks are to be compiled."""

import sysconfig

import pytest
from torch._inductor import cpp_builder
from torch._inductor.exc import InvalidCxxCompiler

from bench.errors import UserError
from bench.preflight.compilers import check_compilers


def test_without_a_compiler_only_what_is_compiled_is_refused(planned, monkeypatch):
    def missing():
        raise InvalidCxxCompiler

    monkeypatch.setattr(cpp_builder, "get_cpp_compiler", missing)
    check_compilers([planned("full"), planned("zero-shot")])
    words = (
        "strategy 'full' has its blocks compiled, and this machine has no C.. compiler: install g.. .* leave out full.compile"
    )
    with pytest.raises(UserError, match=words):
        check_compilers([planned("zero-shot"), planned("full", settings=["full.compile=true"])])


def test_without_pythons_header_files_nothing_is_compiled(planned, monkeypatch, tmp_path):
    monkeypatch.setattr(cpp_builder, "get_cpp_compiler", lambda: "g++")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    run = planned("full", settings=["full.compile=true"])
    with pytest.raises(UserError, match="this machine has no header files of Python: install python3-dev, or leave out full.c"):
        check_compilers([run])
    (tmp_path / "Python.h").touch()
    check_compilers([run])
