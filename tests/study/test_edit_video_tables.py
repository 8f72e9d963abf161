import numpy as np
import pytest

from repro.edit.blend import soft_mask
from repro.edit.completion import Completed, Completer, seeded_network
from repro.edit.masked import FOLDS, JAW, mouth_rectangle
from repro.edit.target import EditedTarget
from repro.edit.video_settings import EditVideoSettings
from repro.edit.windows import Footage
from repro.errors import UserError
from repro.face.landmarks import COUNT, LEFT_PUPIL, LIPS, RIGHT_PUPIL
from repro.study import edit_video

SETTINGS = EditVideoSettings(
    ngf=4, levels=3, ndf=4, discriminator_layers=1, batch=1, steps=1, context=0.1,
    keep_outside=True, lambda_adversarial=0.0, blend_grow=0.1,
)  # fmt: skip


pytestmark = pytest.mark.usefixtures("one_thread")


def footage(name: str, frames: int = 4, seed: int = 0) -> Footage:
    points = np.tile(np.array([32.0, 20.0], np.float32), (frames, COUNT, 1))
    points[:, RIGHT_PUPIL], points[:, LEFT_PUPIL] = [22, 20], [42, 20]
    turn = np.linspace(0, 2 * np.pi, len(LIPS))
    points[:, LIPS] = np.stack([32 + 8 * np.cos(turn), 42 + 4 * np.sin(turn)], axis=-1)
    points[:, JAW] = np.stack([np.linspace(20, 44, len(JAW)), np.full(len(JAW), 52)], -1)
    points[:, FOLDS] = [32, 34]
    pictures = np.random.default_rng(seed).integers(90, 110, (frames, 64, 64, 3), dtype=np.uint8)
    return Footage(pictures, points, name)


def test_only_what_was_hidden_is_measured():
    real = np.full((2, 16, 16, 3), 100, np.uint8)
    made = real.copy()
    made[:, 0, 0] = 0  # outside the rectangle
    made[:, 4:12, 4:12] += 10
    completed = [Completed(frame, (4, 4, 12, 12)) for frame in made]
    psnr, _ = edit_video.painted_measures(completed, real)
    assert psnr.value == pytest.approx(10 * np.log10(255**2 / 100))
    whole, _ = edit_video.painted_measures(completed, real, whole=True)
    squared = (64 * 100 + 100**2) / 256
    assert whole.value == pytest.approx(10 * np.log10(255**2 / squared))


def test_table_three_has_the_papers_form():
    people = [footage("one"), footage("two", seed=1)]
    rows = edit_video.table_three(people, people, [2, 4], SETTINGS, seed=0, perceptual=None)
    assert len(rows) == 2 * 2 * 2 * 2  # lengths, styles, people, measures
    count = sum(p.numel() for p in seeded_network(SETTINGS, seed=0).parameters())
    assert set(rows.loc[rows["style"] == "Split", "parameters"]) == {2 * count}
    assert set(rows.loc[rows["style"] == "Joint", "parameters"]) == {count}
    printed = edit_video.three_as_printed(rows)
    assert printed["style"].tolist() == ["Split", "Joint"]
    assert set(printed.columns) == {
        "style",
        *(f"{name}, {length} frames" for name in ("PSNR", "SSIM") for length in (2, 4)),
    }
    chosen = rows.query("style == 'Joint' and name == 'PSNR' and frames_learned == 4")
    assert printed.loc[1, "PSNR, 4 frames"] == pytest.approx(chosen["value"].mean())


def test_each_person_is_painted_by_their_own_split_network(monkeypatch):
    people = [footage("one"), footage("two", seed=1)]
    used = []

    def paint(completer, person):
        used.append((completer.people, person.name))
        return [Completed(frame, (16, 16, 48, 48)) for frame in person.frames]

    monkeypatch.setattr(edit_video, "_retraced", paint)
    edit_video.table_three(people, people, [4], SETTINGS, seed=0, perceptual=None)
    joint = ("one", "two")
    assert used == [(("one",), "one"), (("two",), "two"), (joint, "one"), (joint, "two")]


def test_table_three_refuses_what_it_cannot_compare():
    one = footage("one")
    with pytest.raises(UserError, match="several people"):
        edit_video.table_three([one], [one], [2], SETTINGS, seed=0, perceptual=None)
    with pytest.raises(UserError, match="shortest"):
        edit_video.table_three([one, one], [one, one], [9], SETTINGS, seed=0, perceptual=None)


def test_table_five_has_both_variants_over_the_whole_frame():
    people = [footage("one")]
    rows = edit_video.table_five(people, people, SETTINGS, seed=0, perceptual=None)
    assert rows["variant"].tolist() == ["full face"] * 2 + ["mouth"] * 2
    assert set(rows["crop"]) == {edit_video.WHOLE}
    values = rows.set_index(["variant", "name"])["value"]
    # The mouth alone leaves the rest of the frame as it is.
    assert values["mouth", "PSNR"] > values["full face", "PSNR"]
    assert np.isfinite(rows["value"]).all()


def test_flicker_rows_hold_the_real_frames_own_motion():
    person = footage("one", frames=5)
    completer = Completer(seeded_network(SETTINGS, seed=0).eval(), SETTINGS, "none", ("one",))
    rows = edit_video.deflicker_rows(completer, person, SETTINGS).set_index(["method", "name"])
    values = rows["value"]
    assert values["real", "second difference of the error"] == 0
    assert values["real", "PSNR"] == np.inf
    assert values["with", "second difference"] < values["without", "second difference"]


def test_the_papers_tables_are_as_printed():
    four = edit_video.published_four().set_index("pose")
    assert four.loc["front", "generated, real %"] == pytest.approx(65.8)
    assert four.loc["all poses", "filmed, real %"] == pytest.approx(70.6)
    assert (four["ratio"] < 1).all() and four["generated, mean"].between(1, 5).all()
    three, five = edit_video.published_three(), edit_video.published_five()
    assert three.set_index("style").loc["Joint", "PSNR, 15 min"] == 31.072
    assert three.set_index("style").loc["Split", "SSIM, 2 min"] == 0.868
    assert five.set_index("method").loc["Song et al.", "FID"] == 9.01
    assert five["IS"].isna().sum() == 3


def test_beyond_the_mask_bytes_count_and_beneath_it_none():
    person = footage("one")
    points = person.landmarks
    edited = EditedTarget(np.arange(4), np.zeros((4, 64), np.float32), points, points)
    made = person.frames.copy()
    made[:, 40:44, 30:34] += 50  # in the mouth
    assert edit_video.outside_psnr(made, person.frames, edited, SETTINGS) == np.inf
    made[:, :2] += 5
    soft = soft_mask(
        points[0], points[0],
        mouth_rectangle(points[0], points[0], margin=SETTINGS.mask_margin, image=(64, 64)),
        (64, 64), SETTINGS,
    )  # fmt: skip
    expected = 10 * np.log10(255**2 / (25 * 2 * 64 / (soft == 0).sum()))
    found = edit_video.outside_psnr(made, person.frames, edited, SETTINGS)
    assert found == pytest.approx(expected)
