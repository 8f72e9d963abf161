"""Pictures of the refinement from small made-up models."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from repro.figures import refinement as pictures
from repro.refine.generator import Generator
from repro.refine.inspect import Retrieval
from repro.refine.pairs import PersonPairs
from repro.refine.refine import Refiner, empty_memory
from repro.refine.settings import RefineSettings
from repro.refine.spatial import spatial_encoder
from repro.refine.train import RefineHistory

SETTINGS = RefineSettings(image_px=32, ngf=2, levels=3, memory_slots=4, spatial_dim=4)


@pytest.fixture(autouse=True)
def figures_are_closed():
    yield
    plt.close("all")


def test_masks_obey_equation_three():
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (5, 32, 32, 3)).astype(np.uint8)
    pairs = PersonPairs(
        frames, frames[::-1], np.ones((5, 32, 32), bool), np.zeros((5, 1, 4), int),
        np.ones((5, 8), np.float32), "somebody",
    )  # fmt: skip
    torch.manual_seed(0)
    refiner = Refiner(
        Generator(SETTINGS, identity_dim=8), spatial_encoder(dim=4),
        empty_memory(SETTINGS, identity_dim=8), "none", SETTINGS,
    )  # fmt: skip
    rows = pictures.masks(refiner, pairs, [1, 4])
    assert list(rows) == ["rendered", "attention", "colour", "refined", "real"]
    r, a, c, o, g = (np.stack(images) for images in rows.values())
    np.testing.assert_allclose(o, a * r + (1 - a) * c, atol=1e-5)
    np.testing.assert_allclose(g, frames[::-1][[1, 4]] / 255, atol=1e-6)


def test_curves_of_each_training_stand_in_a_row():
    looks = {name: np.array([1.0, 2.0]) for name in ("step", "l1", "spread")}
    losses = {"l1": np.linspace(1, 0.1, 30), "replaced": np.linspace(1, 0, 30)}
    looked = RefineHistory(30, 30, 1.0, losses, looks)
    without = RefineHistory(30, 30, 1.0, {"l1": losses["l1"]}, {})
    axes = pictures.training({"general": looked, "personal": without}).axes
    assert len(axes) == 6
    left, middle, right = axes[:3]
    assert left.lines[0].get_ydata()[0] == pytest.approx(1)
    assert left.lines[0].get_ydata()[-1] == pytest.approx(losses["l1"][-20:].mean())
    assert len(middle.lines) == 3 and len(right.lines) == 1
    assert not axes[4].lines


def test_a_wrong_retrieval_is_red():
    found = Retrieval(np.array([0, 1]), np.array([[0, 0], [0, 1]]), np.full((2, 2), 0.9))
    (axis,) = pictures.memory(found, ["a", "b"]).axes
    assert [text.get_color() for text in axis.texts] == ["black", "black", "red", "black"]
