"""Launch files are found by name and by path, and what they ask for is held against the machine."""

from pathlib import Path

import pytest

from bench.errors import UserError
from bench.launching import launch_files

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("distributed_type: [", "cannot be read as YAML"),
        ("3", "expected the fields of `accelerate config`, found int"),
        ("{num_processes: 0}", "num_processes and num_machines are numbers from 1 on"),
        ("{num_processes: two}", "num_processes and num_machines are numbers from 1 on"),
        ("{distributed_type: FSDP, fsdp_config: 2}", "fsdp_config has fields of its own, and stands as 2"),
        ("{distributed_type: DEEPSPEED, deepspeed_config: [zero_stage]}", "deepspeed_config has fields of its own"),
        (
            "{distributed_type: MULTI_GPU, use_cpu: true, num_processes: 1}",
            "does not tell several processes of use_cpu; set",
        ),
        ("{num_processes: 2}", "Accelerate cannot read it: A `distributed_type` must be specified"),
        ("{distributed_type: MULTI}", "Accelerate cannot read it: 'MULTI' is not a valid DistributedType"),
        ("{distributed_type: MULTI_GPU, processes: 2}", r"Accelerate cannot read it: .* had unknown keys \(\['processes'\]\)"),
        ("{dynamo_config: INDUCTOR}", "dynamo_config has fields of its own, and stands as 'INDUCTOR'"),
        ("{distributed_type: MULTI_GPU, use_cpu: true, num_processes: 4096}", "it starts 4096 processes"),
    ],
)
def test_a_launch_file_that_can_not_work_is_told(tmp_path, content, sentence):
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    with pytest.raises(UserError, match=sentence):
        launch_files.check_launch(path, launch_files.launch_config(path))


def test_a_launch_file_is_found_by_name_and_by_path(tmp_path, monkeypatch):
    assert launch_files.launch_file("cpu") == ROOT / "launch" / "cpu.yaml"
    (tmp_path / "mine.yaml").touch()
    monkeypatch.chdir(tmp_path)
    assert launch_files.launch_file("mine.yaml") == tmp_path / "mine.yaml"
    for name, sentence in (("cpus", "unknown launch file 'cpus'; did you mean cpu"), ("no.yaml", "there is no such file")):
        with pytest.raises(UserError, match=sentence):
            launch_files.launch_file(name)


@pytest.mark.parametrize(("name", "wanted"), [("gpus", r"GPUs \(MULTI_GPU\)"), ("fsdp2", r"GPUs \(FSDP\)"), ("gpu", "a GPU")])
def test_gpus_that_are_not_there_are_told(name, wanted, monkeypatch):
    monkeypatch.setattr(launch_files.torch.cuda, "is_available", lambda: False)
    path = launch_files.launch_file(name)
    with pytest.raises(UserError, match=f"it is for {wanted}, and this machine has none"):
        launch_files.check_launch(path, launch_files.launch_config(path))


@pytest.mark.parametrize(("page", "name"), [("one-gpu", "gpu"), ("node", "gpus")])
def test_the_pages_show_what_is_said_where_there_is_no_gpu(page, name, monkeypatch):
    monkeypatch.setattr(launch_files.torch.cuda, "is_available", lambda: False)
    path = launch_files.launch_file(name)
    with pytest.raises(UserError) as told:
        launch_files.check_launch(path, launch_files.launch_config(path))
    shown = (ROOT / "docs" / "where" / f"{page}.md").read_text(encoding="utf-8")
    assert f"    error: {told.value}\n".replace(str(ROOT), "...") in shown


def test_one_process_takes_what_there_is(monkeypatch):
    monkeypatch.setattr(launch_files.torch.cuda, "is_available", lambda: False)
    path = launch_files.launch_file("one")
    launch_files.check_launch(path, launch_files.launch_config(path))


def test_a_file_of_ours_means_one_process_for_each_gpu(monkeypatch):
    config = {name: launch_files.launch_config(launch_files.launch_file(name)) for name in ("gpus", "machines", "cpu", "one")}
    monkeypatch.setattr(launch_files.torch.cuda, "device_count", lambda: 8)
    counts = {name: launch_files.for_this_machine(each)["num_processes"] for name, each in config.items()}
    assert counts == {"gpus": 8, "machines": 16, "cpu": 2, "one": 1}
    monkeypatch.setattr(launch_files.torch.cuda, "device_count", lambda: 0)
    assert launch_files.for_this_machine(config["gpus"]) == config["gpus"]
