"""Whose voice is it: an open speaker encoder, and a classifier of voices on it.

Song et al. 2020, section 3.2.1, judge with VGGVox whether a spectrum still tells its speaker. Here
stands the encoder of Wan et al. 2018 ("Generalized end-to-end loss for speaker verification") with
the weights that the package Resemblyzer carries (Apache-2.0, Resemble AI): 40 mel powers every
10 ms -> three LSTM layers -> linear -> ReLU -> unit length. Its code is not imported.

The encoder wants mel powers, the ID-removing network gives MFCCs: 12 cepstral coefficients without
the first, of 26 bands. What is lost between the two is the frame's loudness and the spectrum's fine
structure. The rest comes back by the inverse cosine transform and an interpolation between bands,
both linear before one exponential (``MelOfMfcc``): the loss reaches the MFCCs through the encoder
itself, and the classifier's head is trained on what comes that way.
"""

from collections.abc import Sequence

import librosa
import numpy as np
import torch
from scipy.fft import dct
from torch import Tensor, nn

from repro import SAMPLE_RATE
from repro.assets import find
from repro.errors import UserError

MELS, DIM = 40, 256
_LAYERS = 3
_STEP, _WIDTH = SAMPLE_RATE // 100, SAMPLE_RATE // 40
_PARTIAL = 160
"""Steps of 10 ms that the encoder was trained on."""
_LEVEL_DBFS = -30.0
"""Loudness of what it was trained on."""

_LARGEST = 15.0
"""Logarithm of a mel power; of sounds as loud as can be it is below 9."""

_MFCC_BANDS, _MFCC_FFT = 26, 512
"""Of ``repro.speech.features``."""


class SpeakerEncoder(nn.Module):
    """Mel powers -> a unit vector that is the voice's."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(MELS, DIM, _LAYERS, batch_first=True)
        self.linear = nn.Linear(DIM, DIM)

    def forward(self, mels: Tensor) -> Tensor:
        """Unit vectors (B, 256), nowhere negative, of mel powers (B, S, 40) every 10 ms."""
        _, (hidden, _) = self.lstm(mels)
        return nn.functional.normalize(torch.relu(self.linear(hidden[-1])), dim=1, eps=1e-5)


def load_encoder() -> SpeakerEncoder:
    """The encoder with its published weights, frozen.

    Raises
    ------
    UserError
        The package that carries them is missing, or holds others.
    """
    path = find("speaker-encoder")
    if path is None:
        raise UserError("The package 'Resemblyzer' (speaker encoder) is missing; run `make .venv`.")
    kept = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
    with torch.random.fork_rng(devices=[]):
        encoder = SpeakerEncoder()
    encoder.load_state_dict({name: kept[name] for name in encoder.state_dict()})
    return encoder.eval().requires_grad_(False)


def mel_powers(sound: np.ndarray) -> np.ndarray:
    """What the encoder hears of a sound (N,): (S, 40) float32 mel powers every 10 ms.

    Quiet sounds are raised to -30 dB of full scale, louder ones stay.
    """
    sound = np.asarray(sound, np.float32)
    rms = float(np.sqrt(np.mean(sound**2)))
    target = 10 ** (_LEVEL_DBFS / 20)
    if 0 < rms < target:
        sound = sound * (target / rms)
    mels = librosa.feature.melspectrogram(
        y=sound, sr=SAMPLE_RATE, n_fft=_WIDTH, hop_length=_STEP, n_mels=MELS
    )
    return mels.T.astype(np.float32)


@torch.inference_mode()
def embed(encoder: SpeakerEncoder, sound: np.ndarray) -> np.ndarray:
    """A voice (256,) float32 of unit length: the mean over pieces of 1.6 s, half overlapping.

    Parameters
    ----------
    sound : (N,) float32 at 16 kHz; less than 1.6 s is taken as one piece
    """
    mels = mel_powers(sound)
    last = max(len(mels) - _PARTIAL, 0)
    starts = sorted({*range(0, last + 1, _PARTIAL // 2), last})
    pieces = torch.from_numpy(np.stack([mels[s : s + _PARTIAL] for s in starts]))
    return nn.functional.normalize(encoder(pieces).mean(0), dim=0).numpy()


class MelOfMfcc(nn.Module):
    """MFCCs (..., 12) -> mel powers (..., 40) as the encoder knows them, differentiable.

    ``exp(mfcc @ weights + offsets)``. The logarithms of 26 HTK bands are the inverse cosine
    transform of the coefficients; each over its band's width is a density, read off (in the
    logarithm) at the middles of the encoder's 40 bands and weighed with their areas. Every frame
    is as loud as the next: a spectrum of zeros has the mean power of noise at -30 dB.

    Buffers
    -------
    weights (12, 40), offsets (40,)
    """

    def __init__(self, coefficients: int = 12):
        super().__init__()
        known = librosa.filters.mel(
            sr=SAMPLE_RATE, n_fft=_MFCC_FFT, n_mels=_MFCC_BANDS, htk=True, norm=None
        )
        wanted = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=_WIDTH, n_mels=MELS)
        grid = _between(_centres(_MFCC_BANDS, htk=True), _centres(MELS, htk=False))  # 40, 26
        cosines = dct(np.eye(_MFCC_BANDS), norm="ortho", axis=0)[1 : coefficients + 1]  # 12, 26
        offsets = np.log(wanted.sum(1)) - grid @ np.log(known.sum(1))
        noise = 10 ** (_LEVEL_DBFS / 10) * (np.hanning(_WIDTH) ** 2).sum() * wanted.sum(1).mean()
        offsets += np.log(noise) - np.log(np.exp(offsets).mean())
        self.weights: Tensor
        self.offsets: Tensor
        self.register_buffer("weights", torch.tensor(cosines @ grid.T, dtype=torch.float32))
        self.register_buffer("offsets", torch.tensor(offsets, dtype=torch.float32))

    def forward(self, mfcc: Tensor) -> Tensor:
        """Mel powers (..., 40), cut where training drove the spectrum beyond any sound."""
        return torch.exp((mfcc @ self.weights + self.offsets).clamp(max=_LARGEST))


def _centres(bands: int, *, htk: bool) -> np.ndarray:
    """Middle frequencies (bands,) in Hz."""
    return librosa.mel_frequencies(bands + 2, fmin=0.0, fmax=SAMPLE_RATE / 2, htk=htk)[1:-1]


def _between(known: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Weights (M, N) that interpolate values at ``known`` (N,) to ``wanted`` (M,), linearly."""
    return np.stack([np.interp(wanted, known, row) for row in np.eye(len(known))], 1)


class SpeakerClassifier(nn.Module):
    """p(c | x) of Eq. 2: the encoder, frozen, and a head that was trained on some voices.

    ``voices`` names the classes c.
    """

    def __init__(self, encoder: SpeakerEncoder, voices: Sequence[str]):
        super().__init__()
        self.voices = tuple(voices)
        self.mel = MelOfMfcc()
        self.encoder = encoder
        self.head = nn.Linear(DIM, len(self.voices))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def features(self, mfcc: Tensor) -> Tensor:
        """Voices (B, 256) of MFCCs (B, S, 12)."""
        return self.encoder(self.mel(mfcc))

    def forward(self, mfcc: Tensor) -> Tensor:
        """Logits (B, voices) of MFCCs (B, S, 12)."""
        return self.head(self.features(mfcc))


def train_classifier(
    encoder: SpeakerEncoder,
    windows: Tensor,
    labels: Tensor,
    voices: Sequence[str],
    *,
    steps: int = 300,
    lr: float = 0.5,
    weight_decay: float = 1e-4,
) -> SpeakerClassifier:
    """Train the head: logistic regression on what the encoder makes of MFCC windows.

    From zero and on all windows at once, so that nothing is drawn.

    Parameters
    ----------
    windows : (B, S, 12) MFCCs
    labels : (B,) int64, index into ``voices``
    """
    classifier = SpeakerClassifier(encoder, voices)
    with torch.no_grad():
        known = torch.cat([classifier.features(some) for some in windows.split(64)])
    optimiser = torch.optim.Adam(classifier.head.parameters(), lr, weight_decay=weight_decay)
    for _ in range(steps):
        optimiser.zero_grad()
        nn.functional.cross_entropy(classifier.head(known), labels).backward()
        optimiser.step()
    return classifier.eval().requires_grad_(False)


@torch.inference_mode()
def accuracy(classifier: SpeakerClassifier, windows: Tensor, labels: Tensor) -> float:
    """Share of windows (B, S, 12) whose voice is found."""
    found = torch.cat([classifier(some).argmax(1) for some in windows.split(64)])
    return float((found == labels).float().mean())
