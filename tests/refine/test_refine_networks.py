import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file

from repro.errors import UserError
from repro.refine.discriminator import Discriminator
from repro.refine.generator import Generator, blurred, composite, normalised
from repro.refine.settings import RefineSettings
from repro.refine.spatial import RESNET18, STAND_IN, ResNet18, spatial_encoder

SMALL = RefineSettings(image_px=32, ngf=4, ndf=4, levels=4)


def generator(settings=SMALL, **changes) -> Generator:
    torch.manual_seed(0)
    return Generator(settings.model_copy(update=changes), identity_dim=8)


def window(batch=2, side=32) -> torch.Tensor:
    return torch.rand(batch, 9, side, side, generator=torch.Generator().manual_seed(1))


def identity(seed=2, batch=2) -> torch.Tensor:
    return torch.randn(batch, 8, generator=torch.Generator().manual_seed(seed))


def test_composite_is_equation_three():
    colour, rendered = torch.full((1, 3, 2, 2), 0.2), torch.full((1, 3, 2, 2), 0.8)
    attention = torch.tensor([[[[0.0, 1.0], [0.25, 0.5]]]])
    expected = torch.tensor([[0.2, 0.8], [0.35, 0.5]]).expand(1, 3, 2, 2)
    torch.testing.assert_close(composite(colour, attention, rendered), expected)


def test_the_generator_gives_an_image_a_colour_and_an_attention_mask_in_range():
    refined = generator()(window(), identity())
    assert refined.image.shape == refined.colour.shape == (2, 3, 32, 32)
    assert refined.attention.shape == (2, 1, 32, 32)
    for part in refined:
        assert part.min() >= 0 and part.max() <= 1


def test_the_image_is_the_composite_with_the_last_frame_of_the_window():
    frames = window()
    refined = generator()(frames, identity())
    expected = composite(refined.colour, refined.attention, frames[:, 6:])
    torch.testing.assert_close(refined.image, expected)


def test_another_identity_gives_another_image_but_its_scale_does_not():
    g = generator()
    image = g(window(), identity()).image
    assert (g(window(), identity(seed=5)).image - image).abs().max() > 1e-4
    torch.testing.assert_close(g(window(), 7 * identity()).image, image)


def test_where_nothing_may_change_the_rendered_frame_stays_exactly():
    frames, editable = window(), torch.zeros(2, 1, 32, 32)
    editable[..., :16] = 1
    refined = generator()(frames, identity(), editable)
    assert torch.equal(refined.image[..., 16:], frames[:, 6:, :, 16:])
    assert (refined.image[..., :16] - frames[:, 6:, :, :16]).abs().max() > 0.01


def test_eight_levels_at_the_papers_size_end_in_one_pixel():
    settings = RefineSettings(ngf=1)
    features = generator(settings).encode(torch.zeros(1, 9, 256, 256))
    assert len(features) == 8 and features[-1].shape[-2:] == (1, 1)


def test_the_papers_generator_has_54_million_parameters():
    with torch.device("meta"):
        network = Generator(RefineSettings(), identity_dim=512)
    unet = sum(p.numel() for n, p in network.named_parameters() if not n.startswith("style"))
    assert unet == pytest.approx(54.4e6, rel=0.01)


def test_instance_normalisation_leaves_the_memory_format():
    x = torch.rand(2, 3, 8, 6, generator=torch.Generator().manual_seed(0)) * 5
    x = x.to(memory_format=torch.channels_last)
    made = normalised(x)
    assert torch.allclose(made, torch.nn.functional.instance_norm(x), atol=1e-5)
    assert made.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(normalised(x[..., :1, :1]), x[..., :1, :1])


@pytest.mark.parametrize("network", [generator(), Discriminator(SMALL)])
def test_networks_are_channels_last(network):
    convolutions = [p for p in network.parameters() if p.ndim == 4]
    assert convolutions
    assert all(p.is_contiguous(memory_format=torch.channels_last) for p in convolutions)


def test_residual_colour_starts_near_the_blurred_rendered_frame():
    frames = window()
    refined = generator(colour_residual=True)(frames, identity())
    assert (refined.colour - blurred(frames[:, 6:])).abs().mean() < 0.1
    flat = torch.full((1, 3, 16, 16), 0.4)
    torch.testing.assert_close(blurred(flat), flat)


def test_a_full_resolution_block_keeps_the_size():
    refined = generator(full_resolution_channels=4)(window(), identity())
    assert refined.image.shape == (2, 3, 32, 32)


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70)])
def test_a_logit_of_the_discriminator_sees_its_patch_only(layers, field):
    settings = RefineSettings(image_px=256, ndf=2, discriminator_layers=layers)
    torch.manual_seed(0)
    d = Discriminator(settings)
    for block in d.blocks[1:]:
        block[1] = torch.nn.Identity()  # instance normalisation looks at the whole image
    frame = torch.rand(1, 3, 128, 128, requires_grad=True)
    logits, _ = d(torch.rand(1, 9, 128, 128), frame)
    middle = logits.shape[-1] // 2
    logits[0, 0, middle, middle].backward()
    seen = frame.grad.abs().sum(dim=(0, 1)).nonzero()
    extent = (seen.max(dim=0).values - seen.min(dim=0).values + 1).tolist()
    assert extent == [field, field]


def test_the_discriminator_is_conditional_on_the_rendered_window():
    torch.manual_seed(0)
    d, frame = Discriminator(SMALL), torch.rand(1, 3, 32, 32)
    one, _ = d(window(1), frame)
    other, _ = d(1 - window(1), frame)
    assert (one - other).abs().max() > 1e-3


def test_settings_default_to_the_papers_numbers():
    s = RefineSettings()
    assert (s.lambda_l1, s.lambda_attention, s.lambda_smooth) == (100, 2, 1e-5)
    assert (s.image_px, s.window, s.ngf, s.ndf, s.levels) == (256, 3, 64, 64, 8)
    assert (s.memory_slots, s.identity_threshold, s.nearest) == (30_000, 0.98, 256)


def test_a_size_that_cannot_be_halved_is_refused():
    with pytest.raises(ValidationError, match="halved"):
        RefineSettings(image_px=96, levels=8)


def test_spatial_features_have_unit_length_and_name_their_trunk():
    encoder = spatial_encoder(dim=16)
    features = encoder(torch.rand(3, 3, 48, 48))
    assert encoder.name == STAND_IN
    torch.testing.assert_close(features.norm(dim=1), torch.ones(3))


def test_resnet18_takes_torchvisions_state_dict_and_stays_frozen(tmp_path):
    torch.manual_seed(3)
    source = ResNet18()
    state = source.state_dict() | {
        "fc.weight": torch.zeros(1000, 512),
        "fc.bias": torch.zeros(1000),
    }
    assert sum(p.numel() for p in source.parameters()) + 513_000 == 11_689_512  # the known count
    save_file(state, tmp_path / "resnet18.safetensors")
    encoder = spatial_encoder(dim=16, resnet18_file=tmp_path / "resnet18.safetensors").train()
    frames = torch.rand(2, 3, 64, 64)
    assert encoder.name == RESNET18
    torch.testing.assert_close(encoder.trunk(frames), source.eval()(frames))
    assert not any(p.requires_grad for p in encoder.trunk.parameters())
    assert all(p.requires_grad for p in encoder.fc.parameters())


def test_other_weights_than_resnet18s_are_named_in_the_error(tmp_path):
    save_file({"layer": torch.zeros(1)}, tmp_path / "wrong.safetensors")
    with pytest.raises(UserError, match=r"wrong\.safetensors"):
        spatial_encoder(dim=16, resnet18_file=tmp_path / "wrong.safetensors")
    with pytest.raises(UserError, match="cannot be read"):
        spatial_encoder(dim=16, resnet18_file=tmp_path / "missing.safetensors")
