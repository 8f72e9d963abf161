"""The three systems side by side."""

import numpy as np
import pytest

from repro import pipeline
from repro.config import load_profile
from repro.study import systems
from repro.study.table_two import general_listener


@pytest.fixture(scope="module")
def shown(smoke_run):
    ws = pipeline.Workspace.open(smoke_run, load_profile("smoke"))
    person = pipeline.personal_targets(ws)[0]
    sound = np.asarray(person.audio[-64 * 640 :])
    learned = len(person) - pipeline.HELD_OUT
    return ws, person, sound, learned, systems.show(ws, person, sound, frames=learned)


def test_every_system_shows_the_same_words_at_one_size(shown):
    _, person, _, _, made = shown
    assert [one.system for one in made] == [systems.NATURAL, systems.TALKIN, systems.RHYTHMIC]
    size = person.track.crop.size
    for one in made:
        assert one.frames.shape == (64, size, size, 3)
        assert one.points.shape == (64, 478, 2)
        assert one.frames_per_s > 0
    natural, talkin, rhythmic = (one.learned_s for one in made)
    assert natural > 0 and talkin > 0 and rhythmic == 0


def test_real_frames_agree_with_themselves(shown):
    ws, person, sound, learned, made = shown
    real = systems.filmed(person, 64)
    table = systems.scores(
        ws, person, made[:1], real, sound, general_listener(ws), frames=learned
    ).set_index("system")
    row = table.loc[systems.REAL]
    assert row["lip_r"] == pytest.approx(1) and row["closures"] == 1
    assert row["hs"] > 0.9 and row["csim"] > 0.95
    assert row["sharpness"] == pytest.approx(1, abs=0.3)
    assert table.loc[systems.NATURAL, "undetected"] == 0
    assert table.loc[systems.NATURAL, "lip_r"] < 1
