"""Sound of a frame -> numbers."""

import pytest
import torch

from repro.animate.chunk_encoder import ChunkEncoder
from repro.animate.sound import window_shape
from repro.animate.speech_settings import AnimateSpeechSettings


@pytest.mark.parametrize("settings", [
    AnimateSpeechSettings(),
    AnimateSpeechSettings(sample_rate=16_000),
    AnimateSpeechSettings(sound="mfcc"),
])  # fmt: skip
def test_frames_are_encoded_one_by_one(settings):
    encoder = ChunkEncoder(settings)
    windows = torch.randn(2, 3, *window_shape(settings))
    encoded = encoder(windows)
    assert encoded.shape == (2, 3, encoder.size)
    torch.testing.assert_close(encoded[1, 2], encoder(windows[1, 2]), rtol=1e-4, atol=1e-5)


def test_the_scale_is_that_of_the_sound_it_is_taken_from():
    encoder = ChunkEncoder(AnimateSpeechSettings(sound="mfcc"))
    windows = 5 + 3 * torch.randn(50, 28, 12)
    encoder.set_scale(windows)
    torch.testing.assert_close(encoder.mean, windows.mean((0, 1)))
    torch.testing.assert_close(encoder.scale, windows.flatten(0, 1).std(0), rtol=1e-3, atol=1e-3)
