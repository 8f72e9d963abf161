"""ATVG (Chen, Maddox, Duan and Xu 2019): sound -> landmarks -> picture with attention.

Two networks. From sound and the reference frame's landmarks a recurrent one tells the landmarks of
every frame, as principal components. From the reference frame and the motion between its landmarks
and a frame's the other makes a colour and an attention mask; the frame is
``attention * colour + (1 - attention) * reference``. Its loss looks more closely where the
attention is ("dynamically adjustable pixel-wise loss").

Left out: the recurrence of the second network over frames (each frame is made for itself) and the
discriminator, which the paper trains beside it. Landmarks are some of this package's in place of
68, and the faces' roll and size are taken out of them alone, not of the frames.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from repro.baselines.faces import Drawn, FaceClip, PointClip, to_pictures
from repro.baselines.layers import PictureDecoder, PictureEncoder, SoundEncoder
from repro.baselines.settings import BaselineSettings
from repro.baselines.shapes import POINTS, Shapes
from repro.refine.pairs import to_tensor

_CHUNK = 32


class SoundToLandmarks(nn.Module):
    """Sound and the reference's coefficients -> the coefficients of every frame."""

    def __init__(self, settings: BaselineSettings):
        super().__init__()
        dim = settings.feature_dim
        self.sound = SoundEncoder(settings.audio_channels, dim)
        self.face = nn.Sequential(nn.Linear(settings.components, dim), nn.ReLU())
        self.recurrent = nn.LSTM(2 * dim, settings.lstm_dim, batch_first=True)
        self.last = nn.Linear(settings.lstm_dim, settings.components)

    def forward(self, windows: Tensor, reference: Tensor) -> Tensor:
        """Coefficients (B, T, K) for windows (B, T, 28, 12) and the reference's (B, K).

        The network tells how they differ from the reference's, which also hold whose face it is.
        """
        count, frames = windows.shape[:2]
        heard = self.sound(windows.flatten(0, 1)).unflatten(0, (count, frames))
        face = self.face(reference)[:, None].expand(-1, frames, -1)
        told, _ = self.recurrent(torch.cat([heard, face], dim=2))
        return reference[:, None] + self.last(told)


class LandmarksToPicture(nn.Module):
    """The reference frame and a motion of its landmarks -> the picture."""

    def __init__(self, settings: BaselineSettings):
        super().__init__()
        self.image_px = settings.image_px
        self.attention_floor = settings.attention_floor
        coarsest = settings.image_px // 2 ** len(settings.channels)
        self._shape = settings.channels[-1], coarsest, coarsest
        size = settings.channels[-1] * coarsest**2
        self.face = PictureEncoder(settings.channels)
        self.place = nn.Sequential(
            nn.Linear(2 * len(POINTS), settings.feature_dim),
            nn.ReLU(),
            nn.Linear(settings.feature_dim, size),
        )
        self.join = nn.Sequential(
            nn.Conv2d(2 * settings.channels[-1], settings.channels[-1], 3, padding=1), nn.ReLU()
        )
        self.decoder = PictureDecoder(settings.channels, 4)

    def forward(self, reference: Tensor, before: Tensor, now: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (B, 3, S, S) and attention (B, 1, S, S), both in [0, 1].

        Parameters
        ----------
        reference : (B, 3, S, S)
        before, now : (B, L, 2) pixels, landmarks of the reference and of the frame
        """
        *skips, coarse = self.face(reference)
        motion = (self._placed(now) - self._placed(before)).unflatten(1, self._shape)
        planes = self.decoder(self.join(torch.cat([coarse, motion], dim=1)), skips)
        colour, attention = torch.sigmoid(planes[:, :3]), torch.sigmoid(planes[:, 3:])
        return attention * colour + (1 - attention) * reference, attention

    def _placed(self, points: Tensor) -> Tensor:
        return self.place((points / self.image_px * 2 - 1).flatten(1))

    def loss(self, drawn: Drawn) -> Tensor:
        """Mean absolute error, weighted by the attention, which is not taught by the weight."""
        points = [p[:, POINTS] for p in (drawn.reference_points, drawn.target_points)]
        picture, attention = self(drawn.reference, *points)
        weight = attention.detach() + self.attention_floor
        return ((picture - drawn.target).abs() * weight).mean()


class Atvg(nn.Module):
    """Both networks and the principal components between them."""

    def __init__(self, settings: BaselineSettings):
        super().__init__()
        self.settings = settings
        self.shapes = Shapes(settings.components)
        self.landmarks = SoundToLandmarks(settings)
        self.picture = LandmarksToPicture(settings)

    def landmark_loss(self, clips: list[PointClip], batch: int, rng: np.random.Generator) -> Tensor:
        """Mean square error of the coefficients of sequences drawn from clips."""
        length = self.settings.window_frames
        windows, points, references = [], [], []
        for _ in range(batch):
            clip = clips[int(rng.integers(len(clips)))]
            first = int(rng.integers(len(clip) - length + 1))
            windows.append(clip.windows[first : first + length])
            points.append(clip.landmarks[first : first + length, POINTS])
            references.append(clip.landmarks[int(rng.integers(len(clip))), POINTS])
        heard, true = torch.from_numpy(np.stack(windows)), torch.from_numpy(np.stack(points))
        device = self.shapes.mean.device
        wanted = self._coefficients(true.flatten(0, 1).to(device))
        start = self._coefficients(torch.from_numpy(np.stack(references)).to(device))
        told = self.landmarks(heard.to(device), start)
        return nnf.mse_loss(told, wanted.unflatten(0, (batch, length)))

    def _coefficients(self, points: Tensor) -> Tensor:
        return self.shapes.encode(self.shapes.normalise(points)[0])

    @torch.inference_mode()
    def tell(self, clip: FaceClip, reference: int) -> np.ndarray:
        """Landmarks (T, L, 2) of all frames of a clip, pixels, from its sound and one frame."""
        self.eval()
        before = torch.from_numpy(clip.landmarks[reference : reference + 1, POINTS])
        heard = torch.from_numpy(np.ascontiguousarray(clip.windows))
        told = self.landmarks(heard[None], self._coefficients(before))[0]
        return self.shapes.moved(before.expand(len(told), -1, -1), told).numpy()

    @torch.inference_mode()
    def speak(self, clip: FaceClip, reference: int) -> np.ndarray:
        """Pictures (T, S, S, 3) uint8 of all frames of a clip, from its sound and one frame."""
        self.eval()
        face = to_tensor(clip.pictures[reference])[None]
        before = torch.from_numpy(clip.landmarks[reference : reference + 1, POINTS])
        made = []
        for now in torch.from_numpy(self.tell(clip, reference)).split(_CHUNK):
            count = len(now)
            picture, _ = self.picture(
                face.expand(count, -1, -1, -1), before.expand(count, -1, -1), now
            )
            made.append(to_pictures(picture))
        return np.concatenate(made)
