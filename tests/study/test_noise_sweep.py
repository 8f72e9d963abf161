"""What noise leaves of the mouth's motion."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from repro.corpus.clip import Clip
from repro.evaluate.expression import expression_correlation
from repro.face.model import load_open_model
from repro.motion.motion import Motion
from repro.pipeline.targets import Target
from repro.reconstruct.track import FaceTrack
from repro.study.noise import means, noise_sweep


@dataclass(frozen=True)
class Known(Target):
    """A target whose motion is not read from its track."""

    truth: Motion | None = None

    def __len__(self):
        return len(self.truth)

    @property
    def motion(self):
        return self.truth


@pytest.fixture(scope="module")
def people(spoken, made_up_track: FaceTrack):
    clip = Clip(Path("none.mp4"), 96, 96, 1, 25, True, 1)
    return [
        Known(f"p{k}", "", clip, np.empty(0), made_up_track, said.audio, said.motion)
        for k, said in ((k, spoken(k)) for k in (20, 22))
    ]


@pytest.fixture(scope="module")
def sweep(linear_mapping, people):
    return noise_sweep(linear_mapping, people, load_open_model(), seed=0, snr_db=(30, 10, 0))


def test_there_is_a_row_for_every_person_noise_and_ratio(sweep):
    assert len(sweep) == 2 * (1 + 2 * 3)
    assert set(sweep["noise"]) == {"none", "white", "babble"}
    assert np.isinf(sweep.loc[sweep["noise"] == "none", "snr_db"]).all()


def test_the_more_noise_the_less_is_left(sweep):
    table = means(sweep).set_index(["noise", "snr_db"])
    clean = table.loc["none"].iloc[0]
    assert clean["expression_r"] > 0.5
    for noise in ("white", "babble"):
        left = table.loc[noise, "expression_r"]
        assert clean["expression_r"] > left[30] > left[10] > left[0]
    assert table.loc["babble", "expression_r"][0] < 0.7 * clean["expression_r"]
    assert table.loc["babble", "lip_gap_r"][0] < clean["lip_gap_r"]


def test_people_without_sound_are_left_out(linear_mapping, people):
    silent = replace(people[0], audio=None)
    found = noise_sweep(
        linear_mapping, [silent, people[1]], load_open_model(), seed=0, snr_db=(10,)
    )
    assert set(found["person"]) == {"p22"}


def test_frames_learned_from_can_be_left_out(linear_mapping, people):
    model = load_open_model()
    whole, later = (
        noise_sweep(linear_mapping, people[:1], model, seed=0, snr_db=(), first=first)
        for first in (0, 60)
    )
    true = people[0].motion.expression[60:]
    assert len(whole) == len(later) == 1
    assert later["expression_r"][0] != whole["expression_r"][0]
    assert expression_correlation(true, true, model.expression_names) == pytest.approx(1)
