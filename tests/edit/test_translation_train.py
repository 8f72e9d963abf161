"""Joint training on a world where sound tells the jaw."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from repro.checkpoint import Checkpoint
from repro.edit.id_removal import identity_loss
from repro.edit.speakers import SpeakerClassifier, SpeakerEncoder
from repro.edit.speech_data import SpeechSet, still
from repro.edit.speech_settings import EditSpeechSettings
from repro.edit.translation import Translator
from repro.edit.translation_train import (
    TranslationHistory,
    load_translator,
    save_translator,
    train_translation,
    translate,
    translation_loss,
)
from repro.errors import UserError
from repro.face.model import load_open_model

JAW = load_open_model().expression_names.index("jawOpen")
TINY = EditSpeechSettings(
    components=2, id_lstm_dim=8, lstm_dim=16, batch=16, steps=120, lr=1e-2, identity_batch=2,
)  # fmt: skip
PLAIN = TINY.model_copy(update={"remove_identity": False})
SHORT = PLAIN.model_copy(update={"steps": 6})


class Hum(nn.Module):
    """Knows two voices by the mean of the sixth coefficient."""

    def forward(self, windows):
        note = windows[:, -60:, 5].mean(1)
        return 4 * torch.stack([-(note - 0.0).square(), -(note - 2.0).square()], 1)


@pytest.fixture(scope="module")
def clips(speaking):
    return [speaking(seed, "ab"[seed % 2]) for seed in range(12)]


@pytest.mark.parametrize("regression", ["3d", "2d"])
def test_what_sound_tells_is_learned(clips, faces, speaking, regression):
    """By the 2-D variant too, where all have one face and hold it still: it sees no more."""
    settings = PLAIN.model_copy(update={"regression": regression})
    if regression == "2d":
        first = still(clips[0])
        clips = [replace(clip, identity=first.identity, pose=first.pose) for clip in clips]
    made, history = train_translation(clips, settings, faces, None, seed=0)
    assert np.mean(history.losses[-10:]) < 0.6 * np.mean(history.losses[:10])
    unseen = speaking(100, "a")
    data = SpeechSet([unseen], settings)
    answers, _ = translate(made, data)
    lower_lip = 9
    track = answers[:, JAW] if regression == "3d" else answers[:, lower_lip, 1]
    assert np.corrcoef(track, unseen.expression[:, JAW])[0, 1] > 0.8


def test_voices_become_one_where_id_is_removed(clips, faces):
    settings = TINY.model_copy(update={"lambda_identity": 3.0, "identity_batch": 16, "steps": 250})
    judge = Hum()
    made, _ = train_translation(clips, settings, faces, judge, seed=0)
    data = SpeechSet(clips, settings, speakers="ab")
    _, cleaned = translate(made, data)
    before = identity_loss(judge(data.windows(slice(None))))
    after = identity_loss(judge(torch.from_numpy(cleaned)))
    assert after < 0.5 * before
    assert after < 1.3 * np.log(2)


def test_the_terms_are_eq_2_and_3(clips, faces):
    data = SpeechSet(clips, TINY)
    translator = Translator.untrained(TINY, seed=0)
    frames = torch.tensor([3, 70, 200])
    terms = translation_loss(translator, data, frames, faces, Hum())
    answer, cleaned = translator(data.windows(frames))
    error = ((answer - data.expression[frames]) * faces.weights).norm(dim=1).mean()
    torch.testing.assert_close(terms.expression, error)
    identity, pose = data.identity[data.person[frames]], data.pose[frames]
    seen, made = (faces.mouth(e, identity, pose) for e in (data.expression[frames], answer))
    torch.testing.assert_close(terms.shape, (made - seen).square().sum((1, 2)).sqrt().mean())
    torch.testing.assert_close(terms.identity, identity_loss(Hum()(cleaned[[0, 2]])))
    total = terms.expression + 0.1 * terms.shape + 0.1 * terms.identity
    torch.testing.assert_close(terms.total, total)


def test_the_encoder_s_answer_moves_the_removal_alone(clips, faces):
    """Eq. 2 reaches the ID-removing network through the encoder, whose weights stay."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        classifier = SpeakerClassifier(SpeakerEncoder().requires_grad_(False), "ab")
        nn.init.normal_(classifier.head.weight)
        classifier.requires_grad_(False)
    translator = Translator.untrained(TINY, seed=0)
    translation_loss(
        translator, SpeechSet(clips, TINY), torch.tensor([50]), faces, classifier
    ).identity.backward()
    assert translator.id_removal.connected.bias.grad.abs().sum() > 0
    assert translator.connected.weight.grad is None
    assert all(p.grad is None for p in classifier.parameters())


def test_the_same_seed_gives_the_same_weights_and_resumes_to_them(clips, faces, tmp_path):
    whole, _ = train_translation(clips, SHORT, faces, None, seed=3)
    state = Checkpoint(tmp_path / "state", every=4)

    class CutError(Exception):
        pass

    def cut(done, _):
        if done == 5:
            raise CutError

    with pytest.raises(CutError):
        train_translation(clips, SHORT, faces, None, seed=3, checkpoint=state, progress=cut)
    resumed, history = train_translation(clips, SHORT, faces, None, seed=3, checkpoint=state)
    assert len(history.losses) == 6
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], tensor, rtol=0, atol=0)


def test_a_translator_survives_its_file(tmp_path):
    made = Translator.untrained(TINY, seed=1)
    save_translator(made, tmp_path / "t.safetensors", TranslationHistory([2.0, 1.0]))
    back, history = load_translator(tmp_path / "t.safetensors")
    sound = torch.randn(2, 100, 12)
    torch.testing.assert_close(back(sound).answer, made(sound).answer)
    assert history.losses == [2.0, 1.0]


def test_a_missing_translator_is_named(tmp_path):
    with pytest.raises(UserError, match=r"t\.safetensors"):
        load_translator(tmp_path / "t.safetensors")


def test_id_removal_needs_somebody_to_ask(clips, faces):
    with pytest.raises(ValueError, match="speaker classifier"):
        train_translation(clips, TINY, faces, None, seed=0)
