"""Sound to expression, and expression to the mouth's landmarks (Song et al. 2020, section 3.2.2).

A second of MFCCs -> ID removal -> LSTM -> linear -> expression e^; then e^, with the target's own
shape and pose -> mouth landmarks l^ in the picture.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from repro.corpus.settings import CorpusSettings
from repro.edit.id_removal import COEFFICIENTS, IdRemoval, averaged, stacked
from repro.edit.speech_settings import EditSpeechSettings
from repro.evaluate.landmarks import MOUTH_478
from repro.face.camera import Camera
from repro.face.coefficients import EXPRESSION
from repro.face.model import MorphableModel
from repro.face.pose import apply_pose

IMAGE_PX = 256
_EYES = (33, 263)
"""Outer corners of the eyes: the place of a face in the picture, for the 2-D variant."""


def study_camera() -> Camera:
    """The camera of the synthetic corpus, whose people stand before it."""
    middle = IMAGE_PX / 2
    focal = CorpusSettings().focal_over_image * IMAGE_PX
    return Camera(focal, middle, middle, IMAGE_PX, IMAGE_PX)


class MouthProjection(nn.Module):
    """Expression, shape and pose -> landmarks in the picture, differentiable.

    Of the face model only the points are kept that are asked for. "Only linear operations" holds
    for the paper's weak perspective; here the camera divides by the distance.

    Buffers
    -------
    mean (L, 3) metres, identity_basis (80, L, 3), expression_basis (64, L, 3)
    """

    def __init__(self, model: MorphableModel, camera: Camera, points: np.ndarray = MOUTH_478):
        super().__init__()
        self.camera = camera
        self.mean: Tensor
        self.identity_basis: Tensor
        self.expression_basis: Tensor
        for name in ("mean", "identity_basis", "expression_basis"):
            chosen = model.landmarks(getattr(model, name))[..., points, :]
            self.register_buffer(name, torch.tensor(chosen, dtype=torch.float32))

    def forward(self, expression: Tensor, identity: Tensor, pose: Tensor) -> Tensor:
        """Pixels (B, L, 2).

        Parameters
        ----------
        expression : (B, 64)
        identity : (B, 80)
        pose : (B, 6), radians and metres
        """
        shape = self.mean + torch.einsum("bi,ilc->blc", identity, self.identity_basis)
        moved = shape + torch.einsum("be,elc->blc", expression, self.expression_basis)
        return self.camera.project(apply_pose(moved, pose))


class FacePlace(nn.Module):
    """Where a face is in the picture, as a tracker of 2-D landmarks knows it.

    The similarity that brings the outer corners of the eyes to (-1, 0) and (1, 0): the 2-D variant
    predicts mouths there, as in a picture cut and turned to the eyes.
    """

    def __init__(self, model: MorphableModel, camera: Camera):
        super().__init__()
        self.eyes = MouthProjection(model, camera, np.array(_EYES))

    def _axes(self, identity: Tensor, pose: Tensor) -> tuple[Tensor, Tensor]:
        """Middle (B, 1, 2) between the eyes, and the similarity's matrix (B, 2, 2)."""
        none = pose.new_zeros(len(pose), EXPRESSION)
        right, left = self.eyes(none, identity, pose).unbind(1)  # B, 2
        x, y = ((left - right) / 2).unbind(1)
        return ((left + right) / 2)[:, None], torch.stack([x, -y, y, x], 1).view(-1, 2, 2)

    def to_face(self, points: Tensor, identity: Tensor, pose: Tensor) -> Tensor:
        """Pixels (B, L, 2) in the face's own frame, in halves of the eyes' distance."""
        middle, matrix = self._axes(identity, pose)
        return torch.linalg.solve(matrix, (points - middle).mT).mT

    def to_picture(self, points: Tensor, identity: Tensor, pose: Tensor) -> Tensor:
        """Pixels (B, L, 2) of points (B, L, 2) in the face's own frame."""
        middle, matrix = self._axes(identity, pose)
        return middle + points @ matrix.mT


class Translated(NamedTuple):
    """What the networks make of B windows.

    answer   (B, 64) expression, or (B, L, 2) landmarks in the face's own frame (2-D variant)
    windows  (B, S, 12) MFCCs after ID removal, or as they came without it
    """

    answer: Tensor
    windows: Tensor


class Translator(nn.Module):
    """Both networks: ID removal, and the translation of what it leaves.

    Buffers
    -------
    mean, scale (12,) of the MFCCs
    answer_mean, answer_scale of what is regressed
    """

    def __init__(self, settings: EditSpeechSettings):
        super().__init__()
        self.settings = settings
        self.id_removal = IdRemoval(settings) if settings.remove_identity else None
        self.lstm = nn.LSTM(
            COEFFICIENTS * settings.stack,
            settings.lstm_dim,
            settings.lstm_layers,
            batch_first=True,
        )
        size = (EXPRESSION,) if settings.regression == "3d" else (len(MOUTH_478), 2)
        self.connected = nn.Linear(settings.lstm_dim, int(np.prod(size)))
        self.mean: Tensor
        self.scale: Tensor
        self.answer_mean: Tensor
        self.answer_scale: Tensor
        self.register_buffer("mean", torch.zeros(COEFFICIENTS))
        self.register_buffer("scale", torch.ones(COEFFICIENTS))
        self.register_buffer("answer_mean", torch.zeros(size))
        self.register_buffer("answer_scale", torch.ones(size))

    @classmethod
    def untrained(cls, settings: EditSpeechSettings, *, seed: int) -> "Translator":
        """With random weights drawn from ``seed``."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(settings)

    def set_scales(self, sound: Tensor, answers: Tensor) -> None:
        """Take means and spreads from MFCCs (n, 12) and from what is to be regressed (n, ...)."""
        for part in (self, self.id_removal):
            if part is not None:
                part.mean.copy_(sound.mean(0))
                part.scale.copy_(sound.std(0) + 1e-3)
        self.answer_mean.copy_(answers.mean(0))
        self.answer_scale.copy_(answers.std(0) + 1e-3)

    def shares(self, windows: Tensor, utterance: Tensor) -> Tensor | None:
        """Lambda (B, k) of MFCC windows (B, S, 12) from some utterances (B,).

        The window's own, or beside the paper the utterance's mean; None without ID removal.
        """
        if self.id_removal is None:
            return None
        own = self.id_removal.shares(windows)
        return averaged(own, utterance) if self.settings.utterance_windows > 1 else own

    def forward(self, windows: Tensor, shares: Tensor | None = None) -> Translated:
        """Answers for MFCC windows (B, S, 12), with lambda as ``shares`` gives it."""
        if self.id_removal is not None:
            windows = self.id_removal(windows, shares)
        scaled = (windows - self.mean) / self.scale
        _, (hidden, _) = self.lstm(stacked(scaled, self.settings.stack))
        answer = self.connected(hidden[-1]).view(-1, *self.answer_mean.shape)
        return Translated(answer * self.answer_scale + self.answer_mean, windows)
