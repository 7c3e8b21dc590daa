import pytest
import torch

from bench.devices import hardware
from bench.errors import UserError


@pytest.fixture(autouse=True)
def asked_anew():
    hardware.multiplies_fp32_by_onednn.cache_clear()
    yield
    hardware.multiplies_fp32_by_onednn.cache_clear()


@pytest.mark.parametrize(
    ("gpu", "capability", "cpu", "becomes"),
    [
        (True, (9, 0), set(), "bf16"),
        (True, (7, 5), {"amx", "avx512_bf16"}, "fp32"),
        (False, None, {"amx"}, "bf16"),
        (False, None, {"avx512_bf16"}, "bf16"),
        (False, None, set(), "fp32"),
    ],
)
def test_auto_is_what_the_hardware_multiplies_fast(monkeypatch, gpu, capability, cpu, becomes):
    monkeypatch.setattr(hardware, "uses_gpu", lambda: gpu)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: "amx" in cpu)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: "avx512_bf16" in cpu)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA")  # which tests set
    assert hardware.resolve("auto") == becomes
    assert [hardware.resolve(named) for named in ("fp32", "bf16")] == ["fp32", "bf16"]  # what is named is not questioned


@pytest.mark.parametrize(
    ("variable", "most", "becomes"),
    [
        ("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_VNNI", "fp32"),
        ("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16", "bf16"),
        ("ONEDNN_MAX_CPU_ISA", "AVX10_1_512", "bf16"),
        ("DNNL_MAX_CPU_ISA", "avx2", "fp32"),
        ("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_AMX", "bf16"),
        ("ONEDNN_MAX_CPU_ISA", "default", "bf16"),
        ("ONEDNN_MAX_CPU_ISA", "", "bf16"),
    ],
)
def test_an_instruction_counts_where_onednn_may_use_it(monkeypatch, variable, most, becomes):
    monkeypatch.setattr(hardware, "uses_gpu", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA")
    monkeypatch.setenv(variable, most)
    assert hardware.resolve("auto") == becomes


@pytest.mark.parametrize(
    ("vendor", "bf16", "variables", "faster"),
    [
        ("AuthenticAMD", True, {}, True),
        ("AuthenticAMD", True, {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"}, True),
        ("AuthenticAMD", True, {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_VNNI"}, False),
        ("AuthenticAMD", True, {"DNNL_MAX_CPU_ISA": "AVX2"}, False),
        ("AuthenticAMD", True, {"ONEDNN_DEFAULT_FPMATH_MODE": "STRICT"}, True),
        ("AuthenticAMD", True, {"ONEDNN_DEFAULT_FPMATH_MODE": "BF16"}, False),
        ("AuthenticAMD", True, {"DNNL_DEFAULT_FPMATH_MODE": "any"}, False),
        ("AuthenticAMD", True, {"ONEDNN_DEFAULT_FPMATH_MODE": ""}, True),
        ("AuthenticAMD", False, {}, False),
        ("GenuineIntel", True, {}, False),
        ("", True, {}, False),
    ],
)
def test_fp32_is_multiplied_by_onednn_where_mkl_leaves_instructions_alone(monkeypatch, vendor, bf16, variables, faster):
    """Planted fault: with BF16 as oneDNN's mode, what is called fp32 was multiplied in bf16."""
    monkeypatch.setattr(hardware, "_cpu_entry", lambda name: vendor if name == "vendor_id" else "")
    monkeypatch.setattr(hardware, "uses_gpu", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: bf16)
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: True)
    for name in hardware.INSTRUCTION_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert hardware.multiplies_fp32_by_onednn() is faster
    # A base's answers are kept apart.
    assert (hardware.instruction_sets().get("fp32") == "oneDNN") is faster
    with monkeypatch.context() as without:
        without.setattr(torch.backends.mkl, "is_available", lambda: False)
        hardware.multiplies_fp32_by_onednn.cache_clear()
        assert not hardware.multiplies_fp32_by_onednn()
    monkeypatch.setattr(hardware, "uses_gpu", lambda: True)
    hardware.multiplies_fp32_by_onednn.cache_clear()
    assert not hardware.multiplies_fp32_by_onednn()


def test_a_launcher_can_keep_a_gpu_out(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert hardware.uses_gpu()
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    assert not hardware.uses_gpu()


def test_an_unknown_precision_is_the_users():
    assert [hardware.requested(name) for name in ("auto", "fp32", "bf16")] == ["auto", "fp32", "bf16"]
    with pytest.raises(UserError, match="precision 'fp16' is unknown; choose auto, fp32 or bf16"):
        hardware.requested("fp16")


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ({"flags": "fpu sse sse4_2 avx2 amx_tile fma"}, "amx_tile avx2 fma sse4_2"),
        ({"Features": "fp asimd crc32 sve i8mm"}, "asimd i8mm sve"),
        ({}, ""),
    ],
    ids=["x86", "ARM", "no Linux"],
)
def test_instruction_sets_are_those_that_multiply(monkeypatch, said, known):
    monkeypatch.setattr(hardware, "_cpu_entry", lambda name: said.get(name, ""))
    for name in hardware.INSTRUCTION_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MKL_CBWR", "AVX2")
    told = hardware.instruction_sets()
    assert told == {"flags": known, "torch": torch.backends.cpu.get_cpu_capability(), "MKL_CBWR": "AVX2"}


def test_the_processor_has_a_name_and_cores(monkeypatch):
    assert hardware.cpu_name().strip() and hardware.cores() >= 1
    monkeypatch.setenv("TUNEBENCH_CORES", "3")  # of a node that others share
    assert hardware.cores() == 3


def test_a_placement_is_the_kind_of_device_and_the_launchers_processes(monkeypatch):
    monkeypatch.setattr(hardware, "uses_gpu", lambda: False)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert hardware.placement() == "cpu x 1"
    monkeypatch.setattr(hardware, "uses_gpu", lambda: True)
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert hardware.placement() == "cuda x 4" and hardware.processes() == 4
