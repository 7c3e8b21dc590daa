"""Items are answered once, whatever the number of processes; how processes are started is tested in test_accelerate."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from accelerate.utils import DistributedType
from torch import nn

from bench.devices import device as module
from bench.devices.device import Device, start
from bench.errors import UserError


@pytest.mark.parametrize(("items", "processes"), [(7, 3), (2, 4), (0, 2), (5, 1)])
def test_every_item_belongs_to_one_process(items, processes):
    shares = [Device(SimpleNamespace(process_index=i, num_processes=processes), "fp32").share(items) for i in range(processes)]
    assert sorted(item for share in shares for item in share) == list(range(items))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_gathered_answers_come_in_the_items_order(device):
    assert device.gathered({2: "c", 0: "a", 1: "b"}) == ["a", "b", "c"]


def test_a_device_tells_what_may_explain_a_difference(device):
    told = device.describe()
    assert (told["type"], told["precision"], told["processes"]) == ("cuda" if torch.cuda.is_available() else "cpu", "fp32", 1)
    assert told["memory_bytes"] > 2**28 and told["threads"] == torch.get_num_threads()
    assert device.main and device.agreed(True) is True and device.agreed(False) is False


def test_more_processes_than_devices_are_refused(monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    monkeypatch.setattr(module, "cores", lambda: 2)
    with pytest.raises(UserError, match="3 processes were launched on this machine, but it has 2 CPU cores; lower"):
        start("fp32")


def test_processes_that_are_not_connected_are_refused(monkeypatch):
    """Accelerate would train each of them alone, as if nothing had been asked."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    with pytest.raises(UserError, match="the launcher started 2 processes for DDP, but Accelerate sees 1 "):
        start("fp32")


@pytest.mark.parametrize("gpu", [True, False])
def test_all_cores_are_shared_by_the_processes_with_gpus_and_without(device, one_thread, monkeypatch, gpu):
    """`accelerate launch` leaves each one thread, in which weights would be read and offloaded moments stepped."""
    monkeypatch.setattr(module, "uses_gpu", lambda: gpu)
    monkeypatch.setattr(module, "cores", lambda: 2)
    start("fp32")
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_deepspeed_keeps_little_room_for_gradients_that_it_sends(precision):
    """Its own 500 million numbers would take 2 GB of each GPU, more than most small models' whole training."""
    config = {"zero_optimization": {"stage": 2}}
    module.configure(config, precision)
    assert config["zero_optimization"]["reduce_bucket_size"] == module.BUCKET and 4 * module.BUCKET <= 2e8


def test_every_process_has_its_value_in_the_order_of_ranks(device):
    assert device.each("mine") == ["mine"]


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_products_are_in_the_precision_that_was_chosen(device, precision, dtype):
    with replace(device, precision=precision).autocast():
        assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype == dtype


@pytest.mark.parametrize(
    ("kind", "stage", "told", "sharded"),
    [
        (DistributedType.NO, None, "NO", False),
        (DistributedType.MULTI_GPU, None, "MULTI_GPU", False),
        (DistributedType.FSDP, None, "FSDP", True),
        (DistributedType.DEEPSPEED, 2, "DEEPSPEED ZeRO-2", False),
        (DistributedType.DEEPSPEED, 3, "DEEPSPEED ZeRO-3", True),
    ],
)
def test_a_record_says_how_a_training_was_shared(kind, stage, told, sharded):
    state = SimpleNamespace(deepspeed_plugin=SimpleNamespace(zero_stage=stage))
    found = Device(SimpleNamespace(distributed_type=kind, state=state), "fp32")
    assert found._distributed == told and found.sharded == sharded
