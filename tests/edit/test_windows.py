import numpy as np
import pytest
import torch

from repro.edit import masked
from repro.edit.windows import Footage, box_size, draw_windows, moment, stacked, window_of
from repro.errors import UserError


def noise_of(size, seed=0):
    return masked.draw_noise(size, np.random.default_rng(seed))


def test_a_window_holds_seven_masked_frames_and_their_heat_maps(person, small):
    size = box_size(person.landmarks, person.landmarks, person.image, small)
    window = window_of(person, 8, noise_of(size), small)
    assert window.window.shape == (1, 28, *size)
    assert window.window.min() >= 0 and window.window.max() <= 1
    assert torch.equal(window.condition[:, :3], window.window[:, 27:].expand(-1, 3, -1, -1))
    assert torch.equal(window.condition[:, 3:], window.window[:, 18:21])


def test_noise_covers_the_mouth_and_nothing_else(person, small):
    whole = small.model_copy(update={"context": None})
    noise = noise_of(person.image)
    window = window_of(person, 8, noise, whole)
    seen = (window.window[0, 18:21].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    points = person.landmarks[8]
    rectangle = masked.mouth_rectangle(points, points, margin=0.15, image=person.image)
    mask = masked.rectangle_mask(rectangle, person.image)
    assert (window.mask[0, 0].numpy() > 0).tolist() == mask.tolist()
    assert (seen[mask] == noise[mask]).all()
    assert (seen[~mask] == person.frames[8][~mask]).all()


def test_before_the_first_frame_it_is_repeated(person, small):
    size = box_size(person.landmarks, person.landmarks, person.image, small)
    window = window_of(person, 0, noise_of(size), small).window
    assert all(torch.equal(window[:, :3], window[:, 3 * k : 3 * k + 3]) for k in range(7))


def test_the_whole_frame_variant_withholds_frame_and_heat_map(person, small):
    table_five = small.model_copy(
        update={"whole_frame": True, "context": None, "keep_outside": False}
    )
    window = window_of(person, 8, noise_of(person.image), table_five)
    shorter = small.model_copy(update={"window": 6, "context": None, "keep_outside": False})
    before = window_of(person, 7, noise_of(person.image), shorter)
    assert window.window.shape[1] == 24
    assert torch.equal(window.window, before.window)
    assert window.mask.min() == 1
    assert torch.equal(
        (window.frame[0] * 255).round().byte(), torch.tensor(person.frames[8]).permute(2, 0, 1)
    )


def test_masks_of_training_do_not_tell_how_far_the_mouth_is_open(person, small):
    size = person.image
    shut = window_of(person, 4, noise_of(size), small.model_copy(update={"context": None}))
    covered = window_of(
        person, 4, noise_of(size), small.model_copy(update={"context": None}), other=1
    )
    # Frame 1's mouth is wider open than frame 4's; the jaw is the same.
    assert (covered.mask >= shut.mask).all()
    assert torch.equal(covered.window[:, 21:], shut.window[:, 21:])


def test_the_box_can_be_halved_and_holds_every_mask(person, small):
    size = box_size(person.landmarks, person.landmarks, person.image, small)
    assert size[0] % 8 == 0 and size[1] % 8 == 0
    for t in range(len(person)):
        points = person.landmarks[t]
        rectangle = moment(person.frames[t], points, points, small).rectangle
        whole = masked.rectangle_mask(rectangle, person.image).sum()
        assert window_of(person, t, noise_of(size), small).mask.sum() == whole


def test_frames_that_cannot_be_halved_are_refused(person, small):
    with pytest.raises(UserError, match="halved 7 times"):
        box_size(
            person.landmarks,
            person.landmarks,
            person.image,
            small.model_copy(update={"levels": 7}),
        )


def test_draws_repeat_with_the_seed(person, small):
    size = box_size(person.landmarks, person.landmarks, person.image, small)
    other = small.model_copy(update={"box_jitter_px": 3, "other_mouths": True})
    a, b, c = (
        draw_windows([person], size, other, np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
    assert not torch.equal(a.window, c.window)
    assert len(stacked([a, c]).window) == 4


def test_frames_without_a_mouth_are_refused(person):
    points = person.landmarks.copy()
    points[5] = np.nan
    with pytest.raises(UserError, match="frame 5"):
        Footage(person.frames, points, "someone")
