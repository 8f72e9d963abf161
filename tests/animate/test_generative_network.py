import numpy as np
import pytest
import torch
from made_up_people import SMALL, person
from pydantic import ValidationError

from repro.animate.generator import seeded_generator
from repro.animate.settings import AnimateSettings
from repro.animate.views import draw_batch

PEOPLE = [person("a"), person("b", hue=1.0)]
BATCH = draw_batch(PEOPLE, SMALL, np.random.default_rng(0))
ABLATIONS = [
    {},
    {"projected": False},
    {"attention": False},
    {"composition": "matting"},
    {"warping": False},
    {"projected": False, "attention": False, "composition": "matting", "warping": False},
]


@pytest.mark.parametrize("changes", ABLATIONS, ids=str)
def test_gradients_reach_all_weights_in_every_ablation(changes):
    settings = SMALL.model_copy(update=changes)
    network = seeded_generator(settings, seed=0)
    for name in ("matched_flow", "projected_flow"):
        flow = getattr(network, name)
        if flow is not None:
            torch.nn.init.normal_(flow.last.weight, 0, 0.1)
    batch = draw_batch(
        PEOPLE, settings.model_copy(update={"references_drawn": (3,)}), np.random.default_rng(0)
    )
    made = network(batch.references, batch.sketches, batch.views)
    assert made.frame.shape == batch.frame.shape
    assert (made.projected is None) == (not settings.projected)
    ((made.frame - batch.frame) ** 2).sum().backward()
    idle = [
        name
        for name, p in network.named_parameters()
        if p.grad is None or not p.grad.abs().sum() > 0
    ]
    assert not idle


@pytest.mark.parametrize("count", [1, 8, 32])
def test_any_number_of_references_fits_the_same_weights(count):
    network = seeded_generator(SMALL, seed=0)
    frames, sketches = torch.rand(2, count, 3, 32, 32), torch.rand(2, count, 1, 32, 32)
    assert network(frames, sketches, BATCH.views).frame.shape == (2, 3, 32, 32)
    with pytest.raises(ValueError, match="at least one"):
        network(frames[:, :0], sketches[:, :0], BATCH.views)


def test_the_order_of_the_references_does_not_change_the_frame():
    network = seeded_generator(SMALL, seed=0)
    drawn = torch.rand(2, 4, 4, 32, 32, generator=torch.Generator().manual_seed(0))
    frames, sketches = drawn.split([3, 1], dim=2)
    order = torch.tensor([3, 1, 0, 2])
    a = network(frames, sketches, BATCH.views).frame
    b = network(frames[:, order], sketches[:, order], BATCH.views).frame
    assert torch.allclose(a, b, atol=1e-3)  # a quarter of a grey level: only rounding differs


def test_encoding_before_gives_the_same_as_all_at_once():
    network = seeded_generator(SMALL, seed=0)
    whole = network(BATCH.references, BATCH.sketches, BATCH.views).frame
    encoded = network.encode(BATCH.references, BATCH.sketches)
    assert torch.equal(network.compose(encoded, BATCH.views).frame, whole)


def test_the_matting_alternative_shows_a_trusted_image_as_it_is():
    network = seeded_generator(SMALL.model_copy(update={"composition": "matting"}), seed=0)
    torch.nn.init.constant_(network.matched_flow.last.bias[:1], 50.0)
    torch.nn.init.constant_(network.projected_flow.last.bias[:1], -50.0)
    made = network(BATCH.references, BATCH.sketches, BATCH.views)
    assert torch.allclose(made.frame, BATCH.views.matched, atol=1e-4)


def test_the_defaults_are_the_papers():
    settings = AnimateSettings()
    assert (settings.image_px, settings.references, settings.tau, settings.scales) == (
        256,
        8,
        64,
        2,
    )
    assert settings.references_drawn == (1, 8, 32)
    lambdas = (settings.lambda_features, settings.lambda_perceptual, settings.lambda_warp)
    assert lambdas == (10, 10, 10) and settings.lambda_l1 == settings.lambda_detail == 0
    assert (settings.lr, settings.beta1) == (2e-4, 0.5)


@pytest.mark.parametrize(
    "changes",
    [
        {"image_px": 100},
        {"image_px": 32, "levels": 6},
        {"levels": 3, "reference_halvings": 1},
        {"references_drawn": (0, 4)},
        {"references_drawn": ()},
    ],
    ids=str,
)
def test_sizes_that_do_not_fit_are_refused(changes):
    with pytest.raises(ValidationError):
        AnimateSettings(**changes)
