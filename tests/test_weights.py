"""Networks on disk."""

import pytest
import torch

from repro.errors import UserError
from repro.weights import save_weights, saved_weights


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "deep" / "net.safetensors"
    turned = torch.arange(6.0).reshape(2, 3).T  # not contiguous
    save_weights(path, {"a": turned, "b": turned[0]}, {"settings": {"ngf": 4}})
    with saved_weights(path, "Network") as (tensors, about):
        assert torch.equal(tensors["a"], turned)
        assert about == {"settings": {"ngf": 4}}
    assert sorted(p.name for p in path.parent.iterdir()) == ["net.json", "net.safetensors"]


def test_a_missing_file_is_named(tmp_path):
    with (
        pytest.raises(UserError, match=r"^Network '.*net\.safetensors' does not exist"),
        saved_weights(tmp_path / "net.safetensors", "Network"),
    ):
        pass


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_a_damaged_file_is_named(tmp_path, suffix):
    path = tmp_path / "net.safetensors"
    save_weights(path, {"a": torch.ones(2)}, {})
    path.with_suffix(suffix).write_bytes(b"{")
    with pytest.raises(UserError, match="cannot be read"), saved_weights(path, "Network"):
        pass


def test_a_file_of_another_version_is_named(tmp_path):
    path = tmp_path / "net.safetensors"
    save_weights(path, {"a": torch.ones(2)}, {})
    with pytest.raises(UserError, match="cannot be read"), saved_weights(path, "Net") as (_, about):
        about["settings"]


def test_one_sentence_of_the_block_stays(tmp_path):
    path = tmp_path / "net.safetensors"
    save_weights(path, {"a": torch.ones(2)}, {})
    with pytest.raises(UserError, match="of another version"), saved_weights(path, "Net"):
        raise UserError("of another version")
