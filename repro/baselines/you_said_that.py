"""You Said That (Chung, Jamaludin and Zisserman 2017): a sound and a face in, a picture out.

Two encoders, of the sound around a frame and of a picture of the person, and a decoder that takes
both features and the picture's skip connections; trained with L1 against the frame.

Left out: the deblurring network that the paper runs over its results, and several pictures of a
person in place of one. The sound window is this package's 280 ms where the paper has 350 ms.
"""

import numpy as np
import torch
from torch import Tensor, nn

from repro.baselines.faces import Drawn, FaceClip, to_pictures
from repro.baselines.layers import PictureDecoder, PictureEncoder, SoundEncoder
from repro.baselines.settings import BaselineSettings
from repro.refine.pairs import to_tensor

_CHUNK = 32


class YouSaidThat(nn.Module):
    """The network."""

    def __init__(self, settings: BaselineSettings):
        super().__init__()
        coarsest = settings.image_px // 2 ** len(settings.channels)
        self._shape = settings.channels[-1], coarsest, coarsest
        size = settings.channels[-1] * coarsest**2
        self.sound = SoundEncoder(settings.audio_channels, settings.feature_dim)
        self.face = PictureEncoder(settings.channels)
        self.identity = nn.Sequential(nn.Linear(size, settings.feature_dim), nn.ReLU())
        self.join = nn.Sequential(nn.Linear(2 * settings.feature_dim, size), nn.ReLU())
        self.decoder = PictureDecoder(settings.channels, 3)

    def forward(self, windows: Tensor, reference: Tensor) -> Tensor:
        """Pictures (B, 3, S, S) in [0, 1] for windows (B, 28, 12) and references (B, 3, S, S)."""
        *skips, coarse = self.face(reference)
        both = torch.cat([self.sound(windows), self.identity(coarse.flatten(1))], dim=1)
        return torch.sigmoid(self.decoder(self.join(both).unflatten(1, self._shape), skips))

    def loss(self, drawn: Drawn) -> Tensor:
        """Mean absolute error."""
        return (self(drawn.windows, drawn.reference) - drawn.target).abs().mean()

    @torch.inference_mode()
    def speak(self, clip: FaceClip, reference: int) -> np.ndarray:
        """Pictures (T, S, S, 3) uint8 of all frames of a clip, from its sound and one frame."""
        self.eval()
        face = to_tensor(clip.pictures[reference])[None]
        heard = torch.from_numpy(np.ascontiguousarray(clip.windows))
        made = [
            to_pictures(self(some, face.expand(len(some), -1, -1, -1)))
            for some in heard.split(_CHUNK)
        ]
        return np.concatenate(made)
