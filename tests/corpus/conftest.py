"""What several tests of the corpus share: a small corpus, and one person's figure."""

import numpy as np
import pytest

from repro.corpus.figure import build_figure
from repro.corpus.noise import noise_table
from repro.corpus.people import draw_person
from repro.corpus.settings import CorpusSettings
from repro.corpus.synthetic import make_corpus
from repro.face.model import load_open_model

SMALL = CorpusSettings(
    people=2, personal_people=1, general_clips=1, clip_s=1.0, word_clips=1, personal_s=1.2,
    test_s=1.0, driving_clips=1, driving_s=1.0, image_px=64, workers=1,
)  # fmt: skip


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """One general clip, one of a word, a personal and a test clip, and a driving voice."""
    return make_corpus(tmp_path_factory.mktemp("corpus"), SMALL)


@pytest.fixture(scope="session")
def filmed(corpus):
    """Its entries with pictures."""
    return [entry for entry in corpus.entries if entry.split != "driving"]


@pytest.fixture(scope="session")
def figure():
    """The figure of person 0."""
    return build_figure(load_open_model(), draw_person(0), noise_table())


@pytest.fixture(scope="session")
def rest_pose():
    """A figure's pose (6,) when it looks ahead, but for pitch and yaw in radians."""

    def posed(figure, *, yaw=0.0, pitch=0.0):
        return np.concatenate([[pitch, yaw, 0], figure.person.pose_style.place_m])

    return posed
