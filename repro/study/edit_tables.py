"""Tables 1, 2 and 6 and figure 11 of Song et al. 2020, on people whose speech is performed.

Every row is measured on voices that were heard in training and on voices that were not. A study of
one seed is ``EditStudy``; ``studies`` makes several and ``effects`` holds them together.

Errors of expression are of mouth and jaw, the only ones that the method shows: eyes and brows stay
the target video's.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.manifold import TSNE
from torch import Tensor

from repro.checkpoint import Checkpoint
from repro.edit.speakers import SpeakerClassifier, accuracy, load_encoder, train_classifier
from repro.edit.speech_data import (
    VIEWS_RAD,
    SpeechCorpus,
    SpeechSet,
    mouth_channels,
    seen_from,
    speech_corpus,
    still,
)
from repro.edit.speech_settings import EditSpeechSettings
from repro.edit.translation import IMAGE_PX, FacePlace, MouthProjection, Translator, study_camera
from repro.edit.translation_train import (
    Faces,
    TranslationHistory,
    train_translation,
    translate,
)
from repro.evaluate.expression import expression_error
from repro.evaluate.landmarks import landmark_error
from repro.face.model import MorphableModel
from repro.processes import one_thread
from repro.study.verdict import TOLERANCE_SD

STILL, MOVING = HEADS = "still", "moving"
"""Heads at rest as in GRID, or moving and seen from seven views, in turn, as in the paper's own
recordings."""

HEARD, UNHEARD = "heard", "held out"

E_EXP, E_EXP_NORM, E_LDMK = "E_exp", "E_exp_norm", "E_ldmk"
"""Eq. 5: as written, with the norm as in the loss, and of landmarks in pixels of 256."""

BASELINE, REMOVED = "BL", "+IR"
TWO_D, TWO_D_OWN, THREE_D = "2D", "2D, own mouth", "3D"
"""``TWO_D_OWN`` is the 2-D variant with each person's mean mouth put right, as footage of the
target would tell it: what is left is what head motion and speech do."""

PUBLISHED = {
    "table 1": {
        STILL: {TWO_D: {E_LDMK: 3.99}, THREE_D: {E_EXP: 0.65, E_LDMK: 2.24}},
        MOVING: {TWO_D: {E_LDMK: 3.13}, THREE_D: {E_EXP: 0.595, E_LDMK: 1.82}},
    },
    "table 2": {
        STILL: {
            BASELINE: {E_EXP: 0.84, E_LDMK: 3.09},
            REMOVED: {E_EXP: 0.65, E_LDMK: 2.24},
        },
        MOVING: {
            BASELINE: {E_EXP: 0.68, E_LDMK: 1.92},
            REMOVED: {E_EXP: 0.59, E_LDMK: 1.83},
        },
    },
}
"""The paper's own numbers, on GRID (still heads) and on its recordings; other units of expression
and another picture size."""

_EVERY = 100
"""Steps between checkpoints."""

_SPEAKER_WINDOWS = 300
"""Seconds of sound on which speakers are told, and that are shown in the map of figure 11."""
_PROBE_FRAMES = 8000
_AROUND = 6
"""MFCC frames on either side of a frame's middle that the phoneme probe sees."""


class EditStudy:
    """What a seed's trainings make of heard and of held-out voices; each is trained once."""

    def __init__(
        self,
        corpus: SpeechCorpus,
        settings: EditSpeechSettings,
        model: MorphableModel,
        *,
        seed: int,
        checkpoints: Path | None = None,
    ):
        """Keep the trainings' states in the folder ``checkpoints``, to go on where they stopped."""
        self.corpus, self.settings, self.model, self.seed = corpus, settings, model, seed
        self._checkpoints = checkpoints
        camera = study_camera()
        self.channels = mouth_channels(model.expression_names)
        weights = torch.ones(len(model.expression_names))
        if settings.mouth_only:
            weights.zero_()[torch.from_numpy(self.channels)] = 1
        self.faces = Faces(MouthProjection(model, camera), FacePlace(model, camera), weights)
        self._trained: dict[tuple[str, str, bool], tuple[Translator, TranslationHistory]] = {}

    @functools.cached_property
    def classifier(self) -> SpeakerClassifier:
        """Of the training's speakers, from seconds drawn of all its people."""
        data = self._data("train", MOVING)
        frames = _drawn(data, self.settings.classifier_windows, self.seed)
        with one_thread():
            return train_classifier(
                load_encoder(), data.windows(frames), data.label[frames], self.corpus.speakers
            )

    def translator(self, regression: str, heads: str, remove_identity: bool) -> Translator:
        """The networks trained with these heads."""
        return self.trained(regression, heads, remove_identity)[0]

    def trained(
        self,
        regression: str,
        heads: str,
        remove_identity: bool,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[Translator, TranslationHistory]:
        """The same with their history; ``progress`` is called with steps done and planned."""
        key = regression, heads, remove_identity
        if key not in self._trained:
            settings = self.settings.model_copy(
                update={"regression": regression, "remove_identity": remove_identity}
            )
            clips = self._data("train", heads).clips
            with one_thread():
                self._trained[key] = train_translation(
                    clips, settings, self.faces, self.classifier if remove_identity else None,
                    seed=self.seed, checkpoint=self._checkpoint(*key), progress=progress,
                )  # fmt: skip
        return self._trained[key]

    def _checkpoint(self, regression: str, heads: str, remove_identity: bool) -> Checkpoint | None:
        if self._checkpoints is None:
            return None
        self._checkpoints.mkdir(parents=True, exist_ok=True)
        removal = "removal" if remove_identity else "plain"
        name = f"{self.seed}-{regression}-{heads}-{removal}.safetensors"
        return Checkpoint(self._checkpoints / name, every=_EVERY)

    def table_one(self) -> pd.DataFrame:
        """2-D against 3-D regression: seed, heads, voices, method, E_exp, E_exp_norm, E_ldmk."""
        rows = []
        for heads in HEADS:
            for voices in (HEARD, UNHEARD):
                for method, errors in self._regressions(heads, voices).items():
                    rows.append(self._row(heads=heads, voices=voices, method=method, **errors))
        return pd.DataFrame(rows)

    def table_two(self, heads: str = MOVING) -> pd.DataFrame:
        """Without and with ID removal: seed, heads, voices, method, E_exp, E_exp_norm, E_ldmk."""
        rows = []
        for voices in (HEARD, UNHEARD):
            for method, removes in ((BASELINE, False), (REMOVED, True)):
                errors = self._errors(self.translator("3d", heads, removes), heads, voices)
                rows.append(self._row(heads=heads, voices=voices, method=method, **errors))
        return pd.DataFrame(rows)

    def speakers(self, heads: str = MOVING) -> pd.DataFrame:
        """What the spectrum tells before and after ID removal.

        Returns
        -------
        a row before and one after: seed, method; ``speaker_accuracy`` of the classifier of Eq. 2,
        on other people with the speakers it knows; ``speaker_probe``, of a linear one (LDA of a
        second's mean and spread) trained on the spectrum it judges, which no training tried to
        deceive; ``phoneme_accuracy``, of an LDA of mouth shapes from 130 ms, trained likewise, on
        held-out voices; and the ``chance`` of the two speaker columns
        """
        rows = []
        for method in (BASELINE, REMOVED):
            train, heard, unheard = (
                _Spectra(self._data(part, heads), self._remover(method, heads), self.seed)
                for part in ("train", HEARD, UNHEARD)
            )
            windows, label = heard.seconds()
            rows.append(
                self._row(
                    method=method,
                    speaker_accuracy=accuracy(self.classifier, windows, label),
                    speaker_probe=_speaker_probe(train, heard),
                    phoneme_accuracy=_phoneme_probe(train, unheard),
                    chance=1 / len(self.corpus.speakers),
                )
            )
        return pd.DataFrame(rows)

    def limits(self, heads: str = MOVING) -> pd.DataFrame:
        """Where the mouth is wrong: the paper's limits, as far as a corpus shows them.

        Returns
        -------
        a row for each voice (an accent each; heard in training or not) and, over the voices that
        were not, for each mouth shape (those of l and th show a tongue that no landmark follows):
        seed, kind, what, voices, frames, E_ldmk
        """
        translator = self.translator("3d", heads, self.settings.remove_identity)
        rows = []
        for voices in (HEARD, UNHEARD):
            data = self._data(voices, heads)
            errors = self._distances(translator, data)
            clips = data.clips
            voice = np.repeat([c.speaker.split("/")[0] for c in clips], [len(c) for c in clips])
            groups = {"voice": voice}
            if voices == UNHEARD:
                groups["mouth shape"] = np.concatenate([clip.visemes for clip in clips])
            for kind, labels in groups.items():
                for what in np.unique(labels):
                    own = errors[labels == what]
                    rows.append(
                        self._row(kind=kind, what=str(what), voices=voices, frames=len(own))
                        | {E_LDMK: float(own.mean())}
                    )
        return pd.DataFrame(rows)

    def _distances(self, translator: Translator, data: SpeechSet) -> np.ndarray:
        """Mean distance (T,) of the mouth's landmarks in every frame, pixels of 256."""
        with one_thread():
            answers = torch.from_numpy(translate(translator, data)[0])
        identity = data.identity[data.person]
        true, made = (
            self.faces.mouth(expression, identity, data.pose)
            for expression in (data.expression, answers)
        )
        return (true - made).norm(dim=-1).mean(1).numpy()

    def tsne(self, heads: str = MOVING) -> pd.DataFrame:
        """Figure 11: x, y of seconds of sound before and after, with their speaker.

        Each second is its spectrum's mean over time; people are others than those learned from.
        """
        parts = []
        for method in (BASELINE, REMOVED):
            data = self._data(HEARD, heads)
            windows, label = _Spectra(data, self._remover(method, heads), self.seed).seconds()
            means = windows.mean(1).numpy()
            scaled = (means - means.mean(0)) / means.std(0)
            perplexity = min(30.0, (len(scaled) - 1) / 3)
            places = TSNE(perplexity=perplexity, random_state=self.seed).fit_transform(scaled)
            speakers = [self.corpus.speakers[k] for k in label.tolist()]
            parts.append(
                pd.DataFrame({"x": places[:, 0], "y": places[:, 1], "speaker": speakers}).assign(
                    seed=self.seed, method=method
                )
            )
        return pd.concat(parts, ignore_index=True)

    def _row(self, **values: object) -> dict[str, object]:
        return {"seed": self.seed, **values}

    def _data(self, part: str, heads: str) -> SpeechSet:
        """People of a part (``"train"``, ``HEARD``, ``UNHEARD``) with still or moving heads."""
        corpus = self.corpus
        clips = {"train": corpus.train, HEARD: corpus.heard, UNHEARD: corpus.unheard}[part]
        if heads == STILL:
            posed = [still(clip) for clip in clips]
        else:
            posed = [seen_from(clip, k % len(VIEWS_RAD)) for k, clip in enumerate(clips)]
        return SpeechSet(posed, self.settings, speakers=corpus.speakers)

    def _remover(self, method: str, heads: str) -> Translator | None:
        return self.translator("3d", heads, True) if method == REMOVED else None

    def _regressions(self, heads: str, voices: str) -> Mapping[str, Mapping[str, float]]:
        removes = self.settings.remove_identity
        flat = self.translator("2d", heads, removes)
        return {
            TWO_D: self._errors(flat, heads, voices),
            TWO_D_OWN: self._errors(flat, heads, voices, own_mouth=True),
            THREE_D: self._errors(self.translator("3d", heads, removes), heads, voices),
        }

    def _errors(
        self, translator: Translator, heads: str, voices: str, *, own_mouth: bool = False
    ) -> dict[str, float]:
        """Eq. 5; E_exp is nan where no expression is regressed."""
        data = self._data(voices, heads)
        with one_thread():
            answers = torch.from_numpy(translate(translator, data)[0])
        identity = data.identity[data.person]
        true = self.faces.mouth(data.expression, identity, data.pose)
        if translator.settings.regression == "3d":
            exact, norm = (
                m.value
                for m in expression_error(
                    data.expression[:, self.channels].numpy(),
                    answers[:, self.channels].numpy(),
                    face_model=self.model.name,
                )
            )
            made = self.faces.mouth(answers, identity, data.pose)
        else:
            exact = norm = float("nan")
            if own_mouth:
                known = self.faces.place.to_face(true, identity, data.pose)
                answers = answers + _clip_means(known - answers, data)
            made = self.faces.place.to_picture(answers, identity, data.pose)
        distance = landmark_error(
            true.numpy(), made.numpy(), crop=f"{IMAGE_PX} px", network="face model",
            points=np.arange(true.shape[1]),
        )  # fmt: skip
        return {E_EXP: exact, E_EXP_NORM: norm, E_LDMK: distance.value}


def studies(
    settings: EditSpeechSettings,
    model: MorphableModel,
    *,
    seed: int,
    checkpoints: Path | None = None,
) -> Iterator[EditStudy]:
    """``settings.seeds`` studies, each with people and held-out voices of its own."""
    for drawn in range(seed, seed + settings.seeds):
        corpus = speech_corpus(settings, model.expression_names, seed=drawn)
        yield EditStudy(corpus, settings, model, seed=drawn, checkpoints=checkpoints)


class _Spectra:
    """MFCC windows of some people, as they are or after ID removal."""

    def __init__(self, data: SpeechSet, translator: Translator | None, seed: int):
        self.data, self.translator, self.seed = data, translator, seed

    @functools.cached_property
    def _cleaned(self) -> Tensor | None:
        """All windows (T, S, 12) after ID removal; None where they stay as they are."""
        if self.translator is None:
            return None
        with one_thread():
            return torch.from_numpy(translate(self.translator, self.data)[1])

    def windows(self, frames: Tensor) -> Tensor:
        """(B, S, 12)."""
        return self.data.windows(frames) if self._cleaned is None else self._cleaned[frames]

    def seconds(self, count: int = _SPEAKER_WINDOWS) -> tuple[Tensor, Tensor]:
        """Windows (B, S, 12) and speakers (B,) of frames that are drawn."""
        frames = _drawn(self.data, count, self.seed)
        return self.windows(frames), self.data.label[frames]

    def sounds(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """130 ms (B, 13 * 12) about the middle of frames, and what is spoken there (B,)."""
        frames = _drawn(self.data, count, self.seed)
        middle = self.data.before
        near = self.windows(frames)[:, middle - _AROUND : middle + _AROUND + 1]
        visemes = np.concatenate([clip.visemes for clip in self.data.clips])
        return near.flatten(1).numpy(), visemes[frames.numpy()]


def _speaker_probe(train: _Spectra, test: _Spectra) -> float:
    def told(windows: Tensor) -> np.ndarray:
        return torch.cat([windows.mean(1), windows.std(1)], 1).numpy()

    known, speakers = train.seconds(_PROBE_FRAMES // 2)
    unknown, wanted = test.seconds(_PROBE_FRAMES // 4)
    probe = LinearDiscriminantAnalysis().fit(told(known), speakers.numpy())
    return float(probe.score(told(unknown), wanted.numpy()))


def _phoneme_probe(train: _Spectra, test: _Spectra) -> float:
    probe = LinearDiscriminantAnalysis().fit(*train.sounds(_PROBE_FRAMES))
    return float(probe.score(*test.sounds(_PROBE_FRAMES)))


def _drawn(data: SpeechSet, count: int, seed: int) -> Tensor:
    rng = np.random.default_rng([seed, len(data)])
    return torch.from_numpy(np.sort(rng.permutation(len(data))[:count]))


def _clip_means(values: Tensor, data: SpeechSet) -> Tensor:
    """Each frame's mean over its clip of values (T, ...)."""
    result = torch.empty_like(values)
    for clip in range(len(data.clips)):
        own = data.frames(clip)
        result[own] = values[own].mean(0)
    return result


def published(table: str) -> pd.DataFrame:
    """The paper's own rows of ``"table 1"`` or ``"table 2"``: heads, method, E_exp, E_ldmk."""
    return pd.DataFrame(
        {"heads": heads, "method": method, **errors}
        for heads, rows in PUBLISHED[table].items()
        for method, errors in rows.items()
    )


def effects(rows: pd.DataFrame, metrics: Sequence[str], *, method: str, than: str) -> pd.DataFrame:
    """How much one method differs from another, and how sure that is.

    Both are trained on the same people of each seed, so that the difference is taken seed by seed.

    Parameters
    ----------
    rows : of several seeds, with columns seed and method; further columns that are no metric
        (heads, voices) are told apart
    metrics : columns to compare

    Returns
    -------
    a row for each metric and kind: the means of both, ``effect`` (the mean difference), ``noise``
    (2.8 standard errors of it over the seeds; nan for a single one), ``percent`` (of the other
    method's mean), ``seeds``, and ``beyond_noise``
    """
    kinds = [name for name in ("heads", "voices") if name in rows]
    found = []
    for kind, some in rows.groupby(kinds, sort=False) if kinds else [((), rows)]:
        for metric in metrics:
            wide = some.pivot(index="seed", columns="method", values=metric)
            lead = wide[method] - wide[than]
            noise = TOLERANCE_SD * lead.std(ddof=1) / len(lead) ** 0.5
            found.append({
                **dict(zip(kinds, kind, strict=True)),
                "metric": metric, than: wide[than].mean(), method: wide[method].mean(),
                "effect": lead.mean(), "noise": noise, "seeds": len(lead),
                "percent": 100 * lead.mean() / wide[than].mean(),
                "beyond_noise": bool(abs(lead.mean()) > noise),
            })  # fmt: skip
    return pd.DataFrame(found)
