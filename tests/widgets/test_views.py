"""Every view: moving a control in Python moves the picture, and the picture stands in a page."""

import base64
import itertools

import cv2
import numpy as np
import pytest

from repro.corpus.recording import Recording
from repro.corpus.video import VideoWriter
from repro.evaluate.pose import head_pose_similarity
from repro.face.model import load_open_model
from repro.widgets import (
    corpus_browser,
    histogram_brush,
    memory_inspector,
    motion_scrubber,
    track_scrubber,
)
from repro.widgets.corpus import transcript
from repro.widgets.memory import UNKNOWN


def shown(view):
    return cv2.imdecode(np.frombuffer(view.image.value, np.uint8), cv2.IMREAD_COLOR)


def grey_frames(count):
    return np.stack([np.full((40, 30, 3), 10 + 5 * t, np.uint8) for t in range(count)])


def scrubber():
    time = np.arange(12)
    return motion_scrubber(grey_frames(12), {"yaw": {"real": np.sin(time), "made": np.cos(time)}})


def inspector():
    keys = np.eye(4, dtype=np.float32)
    values = np.eye(4, dtype=np.float32)[[0, 0, 1, 2]]
    queries = np.eye(4, dtype=np.float32)[[0, 1, 2, 2, 0]]
    return memory_inspector(
        grey_frames(5),
        queries,
        keys=keys,
        values=values,
        used=np.array([True, True, True, False]),
        people={"anna": np.eye(4)[0], "bert": np.eye(4)[1]},
        portraits={"anna": np.full((50, 50, 3), 200, np.uint8)},
    )


def brush():
    rng = np.random.default_rng(0)
    real = rng.normal(0, 0.1, (100, 3))
    return histogram_brush(real, {"still": np.zeros((100, 3)), "same": real})


@pytest.fixture
def recordings(tmp_path):
    """Two people with two silent clips each, every frame of another grey."""

    def film(name, text):
        path = tmp_path / f"{name}.mp4"
        with VideoWriter(path, size=(64, 48)) as video:
            for t in range(8):
                video.write(np.full((48, 64, 3), 20 * t, np.uint8))
        return Recording(path, text=text)

    return {
        "general": [film(f"general_{p}_{k}", f"person {p} clip {k}") for p in "ab" for k in "01"],
        "personal": [film("personal_c_0", "the third person")],
        "test": [],
    }


@pytest.mark.parametrize("make", [scrubber, inspector, brush])
def test_a_page_without_a_front_end_carries_the_picture(make):
    view = make()
    assert base64.b64decode(view._repr_mimebundle_()["image/png"]) == view.image.value
    assert shown(view).std() > 5


@pytest.mark.parametrize("make", [scrubber, inspector])
def test_the_frame_slider_moves_the_picture(make):
    view = make()
    before = shown(view)
    view.frame.value = 4
    assert (shown(view) != before).any()
    view.frame.value = 0
    assert (shown(view) == before).all()


def test_the_line_of_time_runs_from_the_first_to_the_last_frame():
    view = scrubber()
    plain = view._timeline.picture.astype(int)

    def column(t):
        changed = np.abs(view._timeline.at(t) - plain).sum((0, 2))
        return changed.argmax()

    assert column(0) == pytest.approx(view._timeline.start, abs=2)
    assert column(11) == pytest.approx(view._timeline.stop, abs=2)
    assert np.diff([column(t) for t in range(12)]).min() > 0


def test_a_curve_of_another_length_is_named():
    with pytest.raises(ValueError, match="'made' of 'yaw' has 3 values for 5 frames"):
        motion_scrubber(grey_frames(5), {"yaw": {"made": np.zeros(3)}})


def test_a_track_opens_at_its_widest_jaw(made_up_track):
    frames = np.zeros((len(made_up_track), 96, 96, 3), np.uint8)
    view = track_scrubber(frames, made_up_track, load_open_model())
    assert view.frame.value == len(made_up_track) - 1


def test_the_memory_calls_up_the_nearest_used_slot_and_its_owner():
    view = inspector()
    assert view.slots[:, 0].tolist() == [0, 1, 2, 2, 0]
    assert 3 not in view.slots  # never written
    assert view.remembered.tolist() == ["anna", "anna", "bert", "bert", "anna"]
    assert view.owners[3] == UNKNOWN
    view.frame.value = 2
    assert "slot 2" in view.words.value and "bert" in view.words.value


def test_a_slot_of_nobody_near_has_no_owner():
    view = memory_inspector(
        grey_frames(1),
        np.ones((1, 2)),
        keys=np.ones((1, 2)),
        values=np.array([[1.0, 0.0]]),
        people={"anna": np.array([0.0, 1.0])},
    )
    assert view.remembered.tolist() == [UNKNOWN]


def test_an_empty_memory_is_said():
    with pytest.raises(ValueError, match="empty"):
        memory_inspector(
            grey_frames(1), np.ones((1, 2)), keys=np.ones((1, 2)), values=np.ones((1, 2)),
            used=np.zeros(1, bool),
        )  # fmt: skip


def test_the_brush_scores_as_the_metric_does():
    view = brush()
    real, still = view.chosen
    assert view.score["hs"] == pytest.approx(head_pose_similarity(real, still))
    view.bins.value, view.reach.value = 20, 15
    limits = (-np.radians(15), np.radians(15))
    right = head_pose_similarity(real, still, bins=20, range_rad=limits)
    assert view.score["hs"] == pytest.approx(right)
    assert view.score["bins"] == 20 and view.score["range_high_deg"] == 15


def test_the_brush_changes_with_range_stretch_and_what_is_compared():
    view = brush()
    pictures, scores = [shown(view)], [view.score["hs"]]
    for move in (("reach", 10), ("stretch", (1.0, 2.0)), ("kind", "same")):
        getattr(view, move[0]).value = move[1]
        pictures.append(shown(view))
        scores.append(view.score["hs"])
    assert len(set(scores)) == 4 and scores[-1] == 1
    assert all((a != b).any() for a, b in itertools.pairwise(pictures))
    assert len(view.chosen[0]) == 25


def test_a_stretch_of_no_length_keeps_a_frame():
    view = brush()
    view.stretch.value = (2.0, 2.0)
    assert len(view.chosen[0]) == 1
    assert 0 <= view.score["hs"] <= 1


def test_a_corpus_is_browsed_by_split_person_and_clip(recordings):
    view = corpus_browser(recordings)
    assert view.split.options == ("general", "personal")
    assert view.person.options == ("general_a", "general_b")
    before = shown(view)
    view.frame.value = 0
    assert (shown(view) != before).any()
    view.person.value = "general_b"
    assert view.clip.options == ("general_b_0", "general_b_1")
    view.clip.value = "general_b_1"
    assert view.recording.text == "person b clip 1" == view.words.value
    view.split.value = "personal"
    assert view.recording.name == "personal_c_0"
    assert "third" in view.words.value
    assert base64.b64decode(view._repr_mimebundle_()["image/png"]) == view.image.value


def test_a_corpus_without_recordings_is_said():
    with pytest.raises(ValueError, match="no recording"):
        corpus_browser({"general": []})


def test_the_word_at_a_time_is_marked():
    words = (("big", 0.0, 0.5), ("<boat>", 0.5, 1.0))
    assert transcript("", words, 0.7) == "big <b style='color:#d62728'>&lt;boat&gt;</b>"
    assert transcript("a & b", (), 0.0) == "a &amp; b"
