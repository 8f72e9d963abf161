"""Whom a memory retrieves, on memories made by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from repro.refine.generator import Generator
from repro.refine.inspect import hit_rate, retrieval, same_people
from repro.refine.pairs import PersonPairs
from repro.refine.refine import Refiner, empty_memory
from repro.refine.settings import RefineSettings

SETTINGS = RefineSettings(image_px=16, ngf=1, levels=2, memory_slots=4, spatial_dim=3)


class MeanColour(nn.Module):
    """Stands for the spatial encoder: a frame's mean colour, of unit length."""

    def forward(self, frames):
        return nn.functional.normalize(frames.mean((2, 3)), dim=1)


def clip(colour, identity, *, frames=4, name="a clip") -> PersonPairs:
    shown = np.full((frames, 16, 16, 3), colour, np.uint8)
    return PersonPairs(
        shown, shown, np.ones((frames, 16, 16), bool), np.zeros((frames, 1, 4), int),
        np.tile(np.float32(identity), (frames, 1)), name,
    )  # fmt: skip


RED, GREEN = clip((200, 0, 0), (1, 0)), clip((0, 200, 0), (0, 1))


@pytest.fixture
def refiner() -> Refiner:
    """Knows red as (1, 0) and green as (0, 1)."""
    memory = empty_memory(SETTINGS, identity_dim=2)
    memory.update(torch.eye(3)[:2], torch.eye(2))
    return Refiner(Generator(SETTINGS, identity_dim=2), MeanColour(), memory, "none", SETTINGS)


def test_every_frame_of_people_in_the_memory_is_a_hit(refiner):
    assert hit_rate(refiner, [RED, GREEN]) == 1
    found = retrieval(refiner, [RED, GREEN], each=3)
    assert found.shown.tolist() == [0, 1]
    assert found.who.tolist() == [[0] * 3, [1] * 3]
    np.testing.assert_allclose(found.cosine, 1, atol=1e-6)


def test_a_frame_drawn_in_another_person_s_colours_is_a_miss(refiner):
    disguised = clip((0, 200, 0), (1, 0))
    assert hit_rate(refiner, [disguised, GREEN]) == 0.5
    assert retrieval(refiner, [disguised, GREEN], each=2).who.tolist() == [[1, 1], [1, 1]]


def test_clips_of_one_person_share_a_number():
    unit = np.array([[1, 0], [0, 1], [0.999, 0.04], [0.05, 0.998]])
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    assert same_people(unit, 0.98).tolist() == [0, 1, 0, 1]
    assert same_people(unit, 0.9999).tolist() == [0, 1, 2, 3]


def test_frames_ask_with_their_spatial_features(refiner):
    frames = np.concatenate([RED.rendered[:1], GREEN.rendered[:2]])
    asked = refiner.asked(frames)
    np.testing.assert_allclose(asked, [[1, 0, 0], [0, 1, 0], [0, 1, 0]], atol=1e-6)
