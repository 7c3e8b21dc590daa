"""What launchers ask for, read from what accelerate sets for each file in launch/, and what is refused of it."""

import argparse
from pathlib import Path
from types import SimpleNamespace

import pytest
import ways
import worlds
import yaml
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils import DeepSpeedPlugin, DistributedType
from accelerate.utils.launch import (
    prepare_deepspeed_cmd_env,
    prepare_multi_gpu_env,
    prepare_simple_launcher_cmd_env,
)

from bench.devices.launched import Launched, Parallelism, configured, parallelism
from bench.errors import UserError

FILES = {
    "one": "none",
    "cpu": "ddp",
    "gpu": "none",
    "gpus": "ddp",
    "machines": "ddp",
    "fsdp2": "fsdp2",
    "zero1": "zero1",
    "zero2": "zero2",
    "zero3": "zero3",
    "zero3-offload": "zero3",
}
FOLDER = Path(__file__).parents[3] / "launch"


def test_the_list_is_the_folder():
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(FILES)


def environment(name, *options, monkeypatch, folder=FOLDER):
    """What accelerate's launcher sets for its processes, and torchrun after it."""
    for variable in ("ACCELERATE_USE_CPU", "CUDA_VISIBLE_DEVICES", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(variable, raising=False)
    arguments = launch_command_parser().parse_args(["--config_file", str(folder / f"{name}.yaml"), *options, "run.py"])
    arguments, _, _ = _validate_launch_command(arguments)
    assert isinstance(arguments, argparse.Namespace)
    if arguments.use_deepspeed:
        arguments.deepspeed_fields_from_accelerate_config = ""
        found = prepare_deepspeed_cmd_env(arguments)[1]
    elif arguments.multi_gpu or arguments.use_fsdp:
        found = prepare_multi_gpu_env(arguments)
    else:
        return prepare_simple_launcher_cmd_env(arguments)[1]
    local = arguments.num_processes // arguments.num_machines
    return found | {"WORLD_SIZE": str(arguments.num_processes), "LOCAL_WORLD_SIZE": str(local), "LOCAL_RANK": "0"}


@pytest.mark.parametrize("name", FILES)
def test_accelerate_reads_each_file_and_asks_for_what_it_says(name, monkeypatch):
    load_config_from_file(str(FOLDER / f"{name}.yaml"))  # which refuses unknown keys
    asked = Launched.of(environment(name, "--main_process_port", "0", monkeypatch=monkeypatch))
    assert asked.parallelism == FILES[name]
    assert asked.cpu == (name == "cpu")
    assert (asked.world, asked.local) == {"one": (1, 1), "gpu": (1, 1), "machines": (16, 8)}.get(name, (2, 2))
    asked.check(gpus=8, cores=8)
    if name not in ("one", "cpu"):
        with pytest.raises(UserError, match="on CPU"):
            asked.check(gpus=0, cores=64)


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_by_itself_what_it_will_come_to(name):
    assert configured(yaml.safe_load((FOLDER / f"{name}.yaml").read_text())) == FILES[name]


@pytest.mark.parametrize("name", ways.WORLDS["zero1"])
def test_each_file_of_zero_starts_what_is_compared_with_one_process(name, monkeypatch):
    """tests/bench/modeling/test_sharding.py starts zero1.yaml alone, and worlds.py makes the other ways of it."""

    def plugin(file):
        found = environment(file, "--main_process_port", "0", monkeypatch=monkeypatch)
        with monkeypatch.context() as patch:
            for variable, value in found.items():
                patch.setenv(variable, value)
            made = DeepSpeedPlugin()
        for part in ("offload_optimizer", "offload_param"):
            made.deepspeed_config["zero_optimization"][part].pop("nvme_path")
        return made

    own, compared = plugin(name), plugin("zero1")
    state = SimpleNamespace(deepspeed_plugin=compared)
    worlds.become(SimpleNamespace(accelerator=SimpleNamespace(state=state)), name)
    assert (own.zero_stage, own.deepspeed_config) == (compared.zero_stage, compared.deepspeed_config)


SHARDED = {"fsdp_version": 2, "fsdp_cpu_ram_efficient_loading": False}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"distributed_type": "FSDP", "num_processes": 2, "fsdp_config": {"fsdp_cpu_ram_efficient_loading": False}}, "first v"),
        ({"distributed_type": "FSDP", "fsdp_config": {"fsdp_version": 2}}, "loading, Accelerate's default, by which only"),
        ({"distributed_type": "FSDP", "fsdp_config": SHARDED | {"fsdp_offload_params": True}}, "fsdp_offload_params; launch/"),
        ({"distributed_type": "FSDP", "fsdp_config": SHARDED | {"fsdp_activation_checkpointing": True}}, "gradient_checkpoint"),
        ({"distributed_type": "FSDP", "fsdp_config": SHARDED, "use_cpu": True}, "FSDP with use_cpu, where it does not run"),
        ({"distributed_type": "DEEPSPEED", "deepspeed_config": {"zero_stage": 0}}, "ZeRO stage 0"),
        ({"distributed_type": "DEEPSPEED", "deepspeed_config": {"zero_stage": 3, "offload_param_device": "nvme"}}, "NVMe"),
        ({"distributed_type": "DEEPSPEED", "deepspeed_config": {"zero_stage": 3, "offload_optimizer_device": "nvme"}}, "NVMe"),
        ({"distributed_type": "DEEPSPEED", "deepspeed_config": {"gradient_accumulation_steps": 4}}, "4 gradient accum"),
        ({"distributed_type": "DEEPSPEED", "deepspeed_config": {"deepspeed_config_file": "a.json"}}, "names a DeepSpeed file"),
        ({"distributed_type": "DEEPSPEED", "deepspeed_config": {"zero_stage": 2}, "use_cpu": True}, "DeepSpeed with use_cpu"),
        ({"distributed_type": "MULTI_GPU", "num_processes": 2, "mixed_precision": "bf16"}, "asks for mixed_precision bf16"),
        ({"distributed_type": "NO", "dynamo_config": {"dynamo_backend": "INDUCTOR"}}, "asks for torch.compile by INDUCTOR"),
        ({"distributed_type": "MEGATRON_LM"}, "Megatron-LM; switch it off"),
        ({"distributed_type": "MULTI_GPU", "parallelism_config": {"parallelism_config_tp_size": 2}}, "a parallelism_config"),
    ],
)
def test_a_file_that_asks_for_what_is_not_done_is_refused_before_it_is_launched(config, words, tmp_path, monkeypatch):
    """In the words that its processes would say, which are told of it by Accelerate."""
    with pytest.raises(UserError, match=words) as early:
        configured(config)
    if config["distributed_type"] not in ("FSDP", "DEEPSPEED") or "use_cpu" in config:
        return
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"num_processes": 2, "num_machines": 1} | config))
    with pytest.raises(UserError) as late:
        Launched.of(environment("mine", "--main_process_port", "0", monkeypatch=monkeypatch, folder=tmp_path))
    assert str(late.value) == str(early.value)


@pytest.mark.parametrize("name", ["gpus", "machines", "zero1", "zero2", "zero3", "zero3-offload", "cpu"])
def test_processes_may_be_kept_on_the_cpu_on_purpose(name, monkeypatch):
    asked = Launched.of(environment(name, "--gpu_ids=-1,-1", "--main_process_port", "0", monkeypatch=monkeypatch))
    assert asked.cpu and asked.gpus is None
    asked.check(gpus=0, cores=8)


def test_fsdp_is_refused_on_cpu_in_any_case(monkeypatch):
    asked = Launched.of(environment("fsdp2", "--gpu_ids=-1,-1", "--main_process_port", "0", monkeypatch=monkeypatch))
    with pytest.raises(UserError, match="the launcher asks for FSDP2 on CPU, where Accelerate does DDP instead without a word"):
        asked.check(gpus=0, cores=8)


def test_no_launcher_is_one_process_on_whatever_there_is():
    assert Launched.of({}) == Launched()
    Launched().check(gpus=0, cores=1)
    # What a person has set for other programs asks for nothing.
    Launched.of({"CUDA_VISIBLE_DEVICES": "0"}).check(gpus=0, cores=1)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"ACCELERATE_USE_MEGATRON_LM": "true"}, "the launcher asks for Megatron-LM; switch it off"),
        ({"ACCELERATE_USE_PARALLELISM_CONFIG": "true"}, "parallelism_config"),
        ({"FSDP_CPU_RAM_EFFICIENT_LOADING": "true"}, "by which only the first process has weights"),
        ({"FSDP_ACTIVATION_CHECKPOINTING": "true"}, "a strategy's gradient_checkpointing does it"),
        (
            {"FSDP_OFFLOAD_PARAMS": "true"},
            "asks for fsdp_offload_params; launch/zero3-offload.yaml keeps weights",
        ),
        ({"ACCELERATE_MIXED_PRECISION": "fp16"}, "mixed_precision fp16; set it to no, and give tunebench --precision"),
        ({"ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "4"}, "asks for 4 gradient accumulation steps"),
        ({"ACCELERATE_DYNAMO_BACKEND": "INDUCTOR"}, "torch.compile by INDUCTOR"),
        ({"ACCELERATE_DEEPSPEED_CONFIG_FILE": "ds.json"}, "names a DeepSpeed file"),
        ({"ACCELERATE_USE_DEEPSPEED": "true", "ACCELERATE_USE_CPU": "true"}, "leaves DeepSpeed out without a word"),
        ({"ACCELERATE_USE_FSDP": "true", "ACCELERATE_USE_CPU": "true", "FSDP_VERSION": "2"}, "FSDP with use_cpu"),
        ({"ACCELERATE_USE_DEEPSPEED": "true", "ACCELERATE_DEEPSPEED_ZERO_STAGE": "0"}, "ZeRO stage 0; choose 1, 2 or 3"),
        (
            {"ACCELERATE_USE_DEEPSPEED": "true", "ACCELERATE_DEEPSPEED_OFFLOAD_PARAM_DEVICE": "nvme"},
            "asks for NVMe, which no checkpoint reads; offload to cpu",
        ),
        ({"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "1"}, "FSDP's first version; set fsdp_version: 2"),
    ],
)
def test_what_was_never_tried_is_refused(environ, words):
    with pytest.raises(UserError, match=words):
        Launched.of(environ)


@pytest.mark.parametrize(
    ("asked", "gpus", "words"),
    [
        (Launched(world=2, local=2), 0, r"2 processes on GPUs, and torch sees none here; on CPU use launch/cpu.yaml"),
        (Launched(gpus="0"), 0, "asks for GPU 0, and torch sees none here"),
        (Launched(world=9, local=9), 8, "9 processes were launched on this machine, but it has 8 GPUs; lower --num_processes"),
        (Launched(world=5, local=5, cpu=True), 8, "5 processes were launched on this machine, but it has 4 CPU cores"),
    ],
)
def test_what_the_machine_lacks_is_told(asked, gpus, words):
    with pytest.raises(UserError, match=words):
        asked.check(gpus, cores=4)


def test_deepspeed_that_is_not_installed_is_told(monkeypatch):
    monkeypatch.setattr("bench.devices.launched.find_spec", lambda name: None)
    with pytest.raises(
        UserError, match=r"asks for ZeRO-2, and DeepSpeed is not installed: python -m pip install -e '.\[deepspeed\]'"
    ):
        Launched(parallelism="zero2", cpu=True).check(0, 4)


def accelerator(kind: DistributedType, processes=2, stage=None):
    plugin = SimpleNamespace(zero_stage=stage)
    return SimpleNamespace(distributed_type=kind, num_processes=processes, state=SimpleNamespace(deepspeed_plugin=plugin))


@pytest.mark.parametrize(
    ("came", "kind"),
    [
        (accelerator(DistributedType.NO), "none"),
        (accelerator(DistributedType.MULTI_CPU), "ddp"),
        (accelerator(DistributedType.MULTI_GPU), "ddp"),
        (accelerator(DistributedType.FSDP), "fsdp2"),
        (accelerator(DistributedType.DEEPSPEED, stage=1), "zero1"),
        (accelerator(DistributedType.DEEPSPEED, stage=3), "zero3"),
    ],
)
def test_what_came_is_compared_with_what_was_asked(came, kind: Parallelism):
    assert parallelism(came) == kind
    Launched(world=2, parallelism=kind).compare(came)
    with pytest.raises(UserError, match="the launcher started 3 processes for"):
        Launched(world=3, parallelism=kind).compare(came)
    other: Parallelism = "zero2"
    with pytest.raises(UserError, match=r"started 2 processes for ZeRO-2, but Accelerate sees 2 \("):
        Launched(world=2, parallelism=other).compare(came)
