"""Weights that are whole, and those that FSDP2 shares out, in a group of one; test_sharding.py has two processes and ZeRO-3."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.distributed import HashStore, destroy_process_group, init_process_group
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Shard, distribute_tensor

from bench.modeling import weights
from bench.modeling.weights import checksum, copied, full_tensor, numel, outline, shape, shared_out, unmap_trained, write_weight

VALUES = torch.arange(6.0).view(3, 2)


@pytest.fixture
def shared():
    init_process_group("gloo", store=HashStore(), rank=0, world_size=1)
    mesh = init_device_mesh("cpu", (1,))
    yield nn.Parameter(distribute_tensor(VALUES.clone(), mesh, [Shard(0)]))
    destroy_process_group()


def test_a_whole_weight_is_itself():
    weight = nn.Parameter(VALUES.clone())
    assert shape(weight) == (3, 2) and numel(weight) == 6
    assert full_tensor(weight).data_ptr() == weight.data_ptr() and not full_tensor(weight).requires_grad
    write_weight(weight, VALUES + 1)
    assert torch.equal(weight, VALUES + 1) and weight.requires_grad


def test_a_shared_weight_is_put_together_and_cut_again(shared):
    assert shape(shared) == (3, 2) and numel(shared) == 6
    assert type(full_tensor(shared)) is torch.Tensor and torch.equal(full_tensor(shared), VALUES)
    write_weight(shared, VALUES - 1)
    assert torch.equal(shared.full_tensor(), VALUES - 1) and shared.requires_grad
    holder = nn.Module()
    holder.weight = shared
    assert shared_out(holder) and not shared_out(nn.Linear(2, 2))


def test_a_copy_is_no_part_of_the_weight(shared):
    for weight in (nn.Parameter(VALUES.clone()), shared):
        copy = copied(weight)
        write_weight(weight, VALUES + 1)
        assert type(copy) is torch.Tensor and torch.equal(copy, VALUES) and not copy.requires_grad


def test_an_outline_has_all_but_the_numbers(shared):
    for weight in (nn.Parameter(VALUES.to(torch.bfloat16)), shared):
        found = outline(weight)
        assert found.device.type == "meta" and found.shape == (3, 2) and found.dtype == weight.dtype


def test_a_packed_weight_counts_as_before_it_was_packed():
    packed = torch.zeros(3, 1, dtype=torch.uint8)
    packed.quant_state = type("State", (), {"shape": torch.Size((2, 3))})()
    assert shape(packed) == (2, 3) and numel(packed) == 6
    assert outline(packed).shape == (3, 1)  # which is what is kept of it


def test_a_checksum_tells_any_other_weights(monkeypatch):
    values = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    others = [-values, values.flip(0), values.flip(1), values + 1e-7, values.double(), values.bfloat16()]
    changed = values.clone()
    changed[39, 2] = changed[39, 2].nextafter(torch.tensor(9.0))
    assert len({checksum(each) for each in (values, changed, *others)}) == 8
    whole = checksum(values)
    monkeypatch.setattr(weights, "CHUNK", 7)
    assert checksum(values.clone()) == whole and checksum(values.t().contiguous().t()) == whole


def test_weights_that_train_leave_the_file_that_they_are_mapped_from(tmp_path, own_bytes):
    """Else the first step copies them page by page, on several threads at once. No bit changes; what is still stays."""
    large = torch.arange(2.0**18).neg()  # 2**20 bytes, with a zero that has a sign
    save_file({"weight": large, "still": large + 1}, path := tmp_path / "model.safetensors")
    held, model = load_file(path), nn.Module()
    model.weight, model.still = nn.Parameter(held["weight"]), nn.Parameter(held["still"], requires_grad=False)
    assert own_bytes(path) < 2**16
    threads, place = torch.get_num_threads(), model.weight.data_ptr()
    unmap_trained(model)
    assert 2**20 - 2**13 <= own_bytes(path) <= 2**20 + 2**16
    assert torch.equal(model.weight.view(torch.int32), large.view(torch.int32)) and torch.equal(model.still, large + 1)
    assert (torch.get_num_threads(), model.weight.data_ptr()) == (threads, place)


def test_parts_of_a_weight_are_left_where_they_are(shared):
    holder, place = nn.Module(), shared.to_local().data_ptr()
    holder.weight = shared
    version = shared._version
    unmap_trained(holder)
    assert (shared.to_local().data_ptr(), shared._version) == (place, version)
