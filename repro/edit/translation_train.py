"""Joint training of ID removal and translation (Song et al. 2020, Eq. 2, 3 and 6)."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from repro.checkpoint import Checkpoint
from repro.edit.id_removal import identity_loss
from repro.edit.speakers import SpeakerClassifier
from repro.edit.speech_data import SpeechSet, SpokenClip
from repro.edit.speech_settings import EditSpeechSettings
from repro.edit.translation import FacePlace, MouthProjection, Translator
from repro.face.coefficients import EXPRESSION, IDENTITY
from repro.motion.data import sequence_of
from repro.training import train_steps
from repro.weights import save_weights, saved_weights

_CLIP_NORM = 5.0
_TOGETHER = 512
"""Frames whose windows are in memory at once."""


class TranslationLoss(NamedTuple):
    """Eq. 2 and 3, scalars; the terms are unweighted.

    total       what is minimised
    expression  mean over the batch of ||e^ - e||_2; zero in the 2-D variant
    shape       mean over the batch of ||l^ - l||_2, pixels
    identity    Eq. 2; zero without ID removal
    """

    total: Tensor
    expression: Tensor
    shape: Tensor
    identity: Tensor


@dataclass(frozen=True)
class Faces:
    """What turns expressions into landmarks, and how errors of expression are weighed.

    mouth    projection of the mouth's points
    place    frame of the 2-D variant
    weights  (64,) of the expression in the loss: 1, or 0 beside mouth and jaw
    """

    mouth: MouthProjection
    place: FacePlace
    weights: Tensor


def translation_loss(
    translator: Translator,
    data: SpeechSet,
    frames: Tensor,
    faces: Faces,
    classifier: SpeakerClassifier | None,
) -> TranslationLoss:
    """Eq. 2 and 3 on some frames (B,).

    Parameters
    ----------
    classifier : p(c | x'), asked for ``identity_batch`` frames; None where nobody asks
    """
    settings = translator.settings
    windows = data.windows(frames)
    answer, cleaned = translator(windows, translator.shares(windows, data.person[frames]))
    true = data.expression[frames]
    identity, pose = data.identity[data.person[frames]], data.pose[frames]
    seen = faces.mouth(true, identity, pose)
    if settings.regression == "3d":
        made = faces.mouth(answer, identity, pose)
        expression = ((answer - true) * faces.weights).norm(dim=1).mean()
    else:
        made = faces.place.to_picture(answer, identity, pose)
        expression = torch.zeros(())
    shape = (made - seen).flatten(1).norm(dim=1).mean()
    total = settings.lambda_expression * expression + settings.lambda_shape * shape
    doubt = torch.zeros(())
    if classifier is not None:
        asked = torch.linspace(0, len(frames) - 1, min(settings.identity_batch, len(frames))).long()
        doubt = identity_loss(classifier(cleaned[asked]))
        total = total + settings.lambda_identity / settings.identity_share * doubt
    return TranslationLoss(total, expression, shape, doubt)


@dataclass(frozen=True)
class TranslationHistory:
    """What a training did: every step's total loss."""

    losses: list[float]


def train_translation(
    clips: Sequence[SpokenClip],
    settings: EditSpeechSettings,
    faces: Faces,
    classifier: SpeakerClassifier | None,
    *,
    seed: int,
    checkpoint: Checkpoint | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Translator, TranslationHistory]:
    """Train both networks on clips of many people.

    Parameters
    ----------
    classifier : of the speakers; needed where ``settings.remove_identity``
    checkpoint : as ``repro.training.train_steps``

    Raises
    ------
    ValueError
        ID removal without a classifier.
    """
    if settings.remove_identity and classifier is None:
        raise ValueError("ID removal needs a speaker classifier to learn from")
    data = SpeechSet(clips, settings)
    translator = Translator.untrained(settings, seed=seed)
    translator.set_scales(torch.from_numpy(np.concatenate([c.sound for c in clips])),
                          _answers(data, faces, settings))  # fmt: skip

    def loss(rng: np.random.Generator) -> Tensor:
        frames = data.draw(rng)
        asks = settings.remove_identity and rng.random() < settings.identity_share
        return translation_loss(translator, data, frames, faces, classifier if asks else None).total

    losses = train_steps(
        translator, loss, rate="edit_speech.lr", about=settings.model_dump_json(),
        steps=settings.steps, lr=settings.lr, seed=seed, clip_norm=_CLIP_NORM,
        checkpoint=checkpoint, progress=progress,
    )  # fmt: skip
    return translator.eval(), TranslationHistory(losses)


def _answers(data: SpeechSet, faces: Faces, settings: EditSpeechSettings) -> Tensor:
    """What is regressed, of every frame: (T, 64), or (T, L, 2) in the face's own frame."""
    if settings.regression == "3d":
        return data.expression
    identity = data.identity[data.person]
    seen = faces.mouth(data.expression, identity, data.pose)
    return faces.place.to_face(seen, identity, data.pose)


@torch.inference_mode()
def translate(translator: Translator, data: SpeechSet) -> tuple[np.ndarray, np.ndarray]:
    """What a trained translator makes of all frames of some clips.

    Returns
    -------
    answers (T, 64) or (T, L, 2), and MFCC windows (T, S, 12) after ID removal; float32
    """
    translator.eval()
    parts = []
    for clip in range(len(data.clips)):
        own = data.frames(clip)
        firsts = range(own.start, own.stop, _TOGETHER)
        pieces = [slice(first, min(first + _TOGETHER, own.stop)) for first in firsts]
        shares = _shares(translator, data, pieces)
        for piece, some in zip(pieces, shares, strict=True):
            parts.append(translator(data.windows(piece), some))
    return (torch.cat([p.answer for p in parts]).numpy(),
            torch.cat([p.windows for p in parts]).numpy())  # fmt: skip


def _shares(
    translator: Translator, data: SpeechSet, pieces: Sequence[slice]
) -> Sequence[Tensor | None]:
    """Lambda for each piece of a clip: its windows' own, or the whole clip's mean."""
    if translator.id_removal is None:
        return [None] * len(pieces)
    own = [translator.id_removal.shares(data.windows(piece)) for piece in pieces]
    if translator.settings.utterance_windows == 1:
        return own
    mean = torch.cat(own).mean(0)
    return [mean.expand(len(part), -1) for part in own]


def heard(translator: Translator, windows: np.ndarray) -> np.ndarray:
    """The expression (T, 64) float32 of a sound, given as MFCC windows (T, 28, 12)."""
    frames = len(windows)
    clip = SpokenClip(
        "", sequence_of(windows), np.zeros((frames, EXPRESSION), np.float32),
        np.zeros((frames, 6), np.float32), np.zeros(IDENTITY, np.float32), np.full(frames, ""),
    )  # fmt: skip
    return translate(translator, SpeechSet([clip], translator.settings))[0]


def save_translator(translator: Translator, path: Path, history: TranslationHistory) -> None:
    """Write ``path`` (.safetensors) and, beside it, settings and history as .json."""
    about = {"settings": translator.settings.model_dump(mode="json"), "history": asdict(history)}
    save_weights(path, translator.state_dict(), about)


def load_translator(path: Path) -> tuple[Translator, TranslationHistory]:
    """Read what ``save_translator`` wrote.

    Raises
    ------
    UserError
        A file is missing, broken, or of another version.
    """
    with saved_weights(path, "Translator") as (tensors, about):
        translator = Translator.untrained(EditSpeechSettings(**about["settings"]), seed=0)
        translator.load_state_dict(tensors)
        return translator.eval(), TranslationHistory(**about["history"])
