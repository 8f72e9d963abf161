"""Tables 1, 2 and 6 and figure 11 of Song et al. 2020, on a few made-up voices."""

import numpy as np
import pandas as pd
import pytest
import torch

from repro.edit import translation_train
from repro.edit.speech_data import VIEWS_RAD, SpeechCorpus, SpeechSet, SpokenClip, speech_corpus
from repro.edit.speech_settings import EditSpeechSettings
from repro.face.model import load_open_model
from repro.study import edit_tables as tables
from repro.study.edit_tables import EditStudy, effects

MODEL = load_open_model()
NAMES = MODEL.expression_names
TINY = EditSpeechSettings(
    components=2, id_lstm_dim=4, lstm_dim=8, batch=8, steps=4, stack=10, identity_batch=1,
    people=6, person_s=1.0, test_people=3, classifier_windows=16, speakers_per_voice=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def corpus() -> SpeechCorpus:
    return speech_corpus(TINY, NAMES, seed=0)


@pytest.fixture(scope="module")
def study(corpus) -> EditStudy:
    return EditStudy(corpus, TINY, MODEL, seed=0)


def test_held_out_voices_are_unheard_and_nobody_is_tested_on_who_was_learned_from(corpus):
    for clip in corpus.train + corpus.heard:
        assert clip.speaker in corpus.speakers
    voices = {speaker.split("/")[0] for speaker in corpus.speakers}
    assert not voices & {clip.speaker.split("/")[0] for clip in corpus.unheard}
    assert len(corpus.speakers) == TINY.speakers_per_voice * (16 - TINY.held_out_voices)
    known = {clip.identity.tobytes() for clip in corpus.train}
    assert not known & {clip.identity.tobytes() for clip in corpus.heard + corpus.unheard}


def test_moving_heads_are_seen_from_all_views_and_still_ones_from_the_front(corpus, study):
    for k, clip in enumerate(study._data("train", tables.MOVING).clips):
        turned = clip.pose[:, :2] - corpus.train[k].pose[:, :2]
        np.testing.assert_allclose(turned, np.tile(VIEWS_RAD[k % 7], (len(clip), 1)), atol=1e-6)
    for clip, own in zip(study._data("train", tables.STILL).clips, corpus.train, strict=True):
        np.testing.assert_allclose(clip.pose, np.tile(own.pose.mean(0), (len(own), 1)), atol=1e-5)


def test_other_seeds_hold_out_other_people(corpus):
    other = speech_corpus(TINY, NAMES, seed=1)
    assert other.speakers != corpus.speakers
    assert not np.array_equal(other.train[0].identity, corpus.train[0].identity)


def test_studies_are_of_several_seeds(corpus):
    two = list(tables.studies(TINY.model_copy(update={"seeds": 2}), MODEL, seed=0))
    assert [study.seed for study in two] == [0, 1]
    assert two[0].corpus.speakers == corpus.speakers != two[1].corpus.speakers


def test_table_two_has_both_methods_on_heard_and_on_held_out_voices(study):
    table = study.table_two()
    assert list(zip(table["voices"], table["method"], strict=True)) == [
        (tables.HEARD, "BL"), (tables.HEARD, "+IR"),
        (tables.UNHEARD, "BL"), (tables.UNHEARD, "+IR"),
    ]  # fmt: skip
    assert (table[["E_exp", "E_exp_norm", "E_ldmk"]] > 0).all(axis=None)


def test_table_one_has_no_expression_where_none_is_regressed(study):
    table = study.table_one().set_index(["heads", "voices", "method"])
    assert len(table) == 2 * 2 * 3
    flat = table.xs("2D", level="method")
    assert flat["E_exp"].isna().all()
    assert (table["E_ldmk"] > 0).all()
    own = table.xs("2D, own mouth", level="method")
    assert (own["E_ldmk"] < flat["E_ldmk"]).all()


def test_errors_are_zero_for_the_truth(study, monkeypatch):
    monkeypatch.setattr(tables, "translate", lambda _, data: (data.expression.numpy(), None))
    errors = study._errors(study.translator("3d", tables.MOVING, False), tables.MOVING, "heard")
    assert errors == {"E_exp": 0.0, "E_exp_norm": 0.0, "E_ldmk": 0.0}


def test_errors_are_of_mouth_and_jaw_alone(study, monkeypatch):
    blinking = torch.zeros(len(NAMES))
    blinking[NAMES.index("eyeBlinkLeft")] = 1.0

    def blinks(_, data):
        return (data.expression + blinking).numpy(), None

    monkeypatch.setattr(tables, "translate", blinks)
    errors = study._errors(study.translator("3d", tables.MOVING, False), tables.MOVING, "heard")
    assert errors["E_exp"] == errors["E_exp_norm"] == 0
    assert errors["E_ldmk"] < 0.01


def test_speakers_and_phonemes_are_told_before_and_after(study):
    table = study.speakers().set_index("method")
    scores = table[["speaker_accuracy", "speaker_probe", "phoneme_accuracy"]]
    assert list(table.index) == ["BL", "+IR"]
    assert ((scores >= 0) & (scores <= 1)).all(axis=None)
    assert (table["chance"] == 1 / 24).all()


def test_probes_find_what_is_there_and_nothing_where_nothing_is():
    """Voices that differ by a constant are told, and are not once it is taken away."""
    rng = np.random.default_rng(0)

    def people(apart: float) -> SpeechSet:
        clips = []
        for k in range(8):
            sound = rng.normal(size=(28 + 4 * 49, 12)).astype(np.float32)
            spoken = np.where(sound[14 : 14 + 4 * 50 : 4, 3] > 0, "a", "p")
            sound[:, 5] += apart * (k % 2)
            clips.append(
                SpokenClip(
                    "ab"[k % 2], sound, np.zeros((50, 64), np.float32),
                    np.zeros((50, 6), np.float32), np.zeros(80, np.float32), spoken,
                )
            )  # fmt: skip
        return SpeechSet(clips, TINY, speakers="ab")

    for apart, low, high in ((2.0, 0.95, 1.0), (0.0, 0.3, 0.7)):
        train, test = (tables._Spectra(people(apart), None, seed) for seed in (0, 1))
        assert low <= tables._speaker_probe(train, test) <= high
        assert tables._phoneme_probe(train, test) > 0.75


def test_the_map_has_a_point_for_every_second_before_and_after(study):
    points = study.tsne()
    assert set(points["method"]) == {"BL", "+IR"}
    counts = points.groupby("method").size()
    assert counts["BL"] == counts["+IR"] == 75
    assert np.isfinite(points[["x", "y"]]).all(axis=None)
    before, after = (points[points["method"] == m]["speaker"].tolist() for m in ("BL", "+IR"))
    assert before == after


def test_an_effect_is_taken_seed_by_seed():
    """Seeds differ much, methods always by the same: the effect is sure."""
    rows = pd.DataFrame(
        {"seed": seed, "voices": "heard", "method": method, "E": 10.0 * seed + gain}
        for seed in (1, 2, 3)
        for method, gain in (("BL", 0.0), ("+IR", -1.0))
    )
    (found,) = effects(rows, ["E"], method="+IR", than="BL").to_dict("records")
    assert (found["effect"], found["BL"], found["+IR"]) == (-1.0, 20.0, 19.0)
    assert found["noise"] == pytest.approx(0, abs=1e-9)
    assert found["percent"] == pytest.approx(-5.0)
    assert found["beyond_noise"] and found["seeds"] == 3


def test_noise_is_2_8_standard_errors_and_unknown_for_one_seed():
    gains = np.array([-3.0, 1.0, -1.0])
    rows = pd.DataFrame(
        {"seed": k, "method": m, "E": 5.0 + (gain if m == "+IR" else 0)}
        for k, gain in enumerate(gains)
        for m in ("BL", "+IR")
    )
    (found,) = effects(rows, ["E"], method="+IR", than="BL").to_dict("records")
    assert found["noise"] == pytest.approx(2.8 * gains.std(ddof=1) / np.sqrt(3))
    assert not found["beyond_noise"]
    (single,) = effects(rows[:2], ["E"], method="+IR", than="BL").to_dict("records")
    assert np.isnan(single["noise"]) and not single["beyond_noise"]


def test_a_training_that_was_finished_is_read_from_its_checkpoint(corpus, tmp_path, monkeypatch):
    whole = EditStudy(corpus, TINY, MODEL, seed=0, checkpoints=tmp_path)
    first = whole.translator("3d", tables.STILL, False).state_dict()
    assert (tmp_path / "0-3d-still-plain.safetensors").is_file()

    def fails(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr(translation_train, "translation_loss", fails)
    again = EditStudy(corpus, TINY, MODEL, seed=0, checkpoints=tmp_path)
    for name, tensor in again.translator("3d", tables.STILL, False).state_dict().items():
        torch.testing.assert_close(tensor, first[name], rtol=0, atol=0)


def test_limits_tell_voices_and_the_mouth_shapes_of_unheard_ones(study, corpus):
    table = study.limits()
    voices = table[table["kind"] == "voice"]
    frames = {"heard": corpus.heard, "held out": corpus.unheard}
    for kind, clips in frames.items():
        own = voices[voices["voices"] == kind]
        assert set(own["what"]) == {clip.speaker.split("/")[0] for clip in clips}
        assert own["frames"].sum() == sum(map(len, clips))
    shapes = table[table["kind"] == "mouth shape"]
    assert set(shapes["voices"]) == {"held out"}
    unheard = table[table["voices"] == "held out"]
    means = unheard.groupby("kind").apply(
        lambda some: np.average(some["E_ldmk"], weights=some["frames"]), include_groups=False
    )
    assert means["voice"] == pytest.approx(means["mouth shape"])
    two = study.table_two().query("voices == 'held out' and method == '+IR'")
    assert means["voice"] == pytest.approx(two["E_ldmk"].item(), rel=1e-3)


def test_published_rows_are_the_papers():
    two = tables.published("table 2").set_index(["heads", "method"])
    assert two.loc[("still", "+IR"), "E_exp"] == 0.65
    assert tables.published("table 1")["E_ldmk"].tolist() == [3.99, 2.24, 3.13, 1.82]
