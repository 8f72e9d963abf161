"""Psi, the facial expression learner: sound -> landmarks (Chen et al. 2020, sections 3.2, A.2).

What is learned is how a face differs from a reference of it: its landmarks' PCA components less
the reference's. The reference's are added back at the end, so that the person stays who they are.
"""

import numpy as np
import torch
from torch import Tensor, nn

from repro.animate.chunk_encoder import ChunkEncoder
from repro.animate.landmark_pca import LANDMARKS, LandmarkPca
from repro.animate.speech_settings import AnimateSpeechSettings

_TOGETHER = 512
"""Frames that are computed at once."""


class ExpressionNetwork(nn.Module):
    """A linear regression on an encoded chunk of sound and an encoded reference.

    The reference's own mouth need not be shut: the network sees it, to take it off.

    Buffers
    -------
    answer_mean, answer_scale (K,) of what is regressed, in the PCA's deviations
    pca_mean (68, 3), pca_components (K, 68, 3), pca_scale (K,): the PCA
    """

    def __init__(self, settings: AnimateSpeechSettings):
        super().__init__()
        self.settings = settings
        k = settings.components
        self.chunks = ChunkEncoder(settings)
        self.sound = nn.Sequential(nn.Linear(self.chunks.size, settings.feature), nn.ReLU())
        self.reference = nn.Sequential(nn.Linear(k, settings.reference_dim), nn.ReLU())
        self.regression = nn.Linear(settings.feature + settings.reference_dim, k)
        self.answer_mean: Tensor
        self.answer_scale: Tensor
        self.pca_mean: Tensor
        self.pca_components: Tensor
        self.pca_scale: Tensor
        self.register_buffer("answer_mean", torch.zeros(k))
        self.register_buffer("answer_scale", torch.ones(k))
        self.register_buffer("pca_mean", torch.zeros(LANDMARKS, 3))
        self.register_buffer("pca_components", torch.zeros(k, LANDMARKS, 3))
        self.register_buffer("pca_scale", torch.ones(k))

    @classmethod
    def untrained(cls, settings: AnimateSpeechSettings, *, seed: int) -> "ExpressionNetwork":
        """With random weights drawn from ``seed``."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(settings)

    @property
    def pca(self) -> LandmarkPca:
        """What its components are of."""
        parts = self.pca_mean, self.pca_components, self.pca_scale
        return LandmarkPca(*(part.cpu().numpy() for part in parts))

    def set_pca(self, pca: LandmarkPca) -> None:
        """Take over a PCA of as many components as the settings say."""
        for name in ("mean", "components", "scale"):
            getattr(self, f"pca_{name}").copy_(torch.from_numpy(getattr(pca, name)))

    def forward(self, windows: Tensor, reference: Tensor) -> Tensor:
        """Displacements (B, K) of the components, in deviations.

        Parameters
        ----------
        windows : (B, R, C) of sound
        reference : (B, K) components of another picture of the person
        """
        fused = torch.cat([self.sound(self.chunks(windows)), self.reference(reference)], -1)
        return self.regression(fused) * self.answer_scale + self.answer_mean


@torch.inference_mode()
def spoken_components(
    network: ExpressionNetwork, windows: np.ndarray, reference: np.ndarray
) -> np.ndarray:
    """p^, the components (T, K) float32 of a face that says something.

    Parameters
    ----------
    windows : (T, R, C) of sound, as ``repro.animate.sound.sound_windows`` cuts them
    reference : (K,) p_{t,M}, components of the person's landmarks in one frame
    """
    network.eval()
    own = torch.from_numpy(np.asarray(reference, np.float32))
    parts = [np.empty((0, len(reference)), np.float32)]
    for first in range(0, len(windows), _TOGETHER):
        some = torch.from_numpy(np.array(windows[first : first + _TOGETHER], np.float32))
        parts.append((own + network(some, own.expand(len(some), -1))).numpy())
    return np.concatenate(parts)


def spoken_landmarks(
    network: ExpressionNetwork, windows: np.ndarray, landmarks: np.ndarray
) -> np.ndarray:
    """Landmarks (T, 68, 3) float32, metres, in the head's own space, by reversed PCA.

    Parameters
    ----------
    windows : (T, R, C) of sound
    landmarks : (68, 3) metres, in the head's own space: the reference
    """
    pca = network.pca
    return pca.landmarks_of(spoken_components(network, windows, pca.components_of(landmarks)))
