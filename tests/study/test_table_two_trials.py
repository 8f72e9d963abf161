"""Table 2 of a run: what is measured, how people are averaged, where crops lie."""

import numpy as np
import pytest

from repro.evaluate.sync import learn_listener
from repro.face import landmarks as lm
from repro.face.camera import Crop
from repro.study import table_two as study
from repro.study.published import table_two as published
from repro.study.run_videos import folder_name, write_study_videos
from repro.study.videos import read_videos

SIDE, FRAMES, EVERY = 32, 80, 20


def trial(seed: int) -> study.Trial:
    rng = np.random.default_rng(seed)
    real = rng.integers(40, 200, (FRAMES, SIDE, SIDE, 3)).astype(np.uint8)
    level = rng.uniform(0.2, 1, FRAMES)
    points = np.repeat(rng.uniform(5, 25, (1, 478, 2)), FRAMES, axis=0)
    points[:, lm.INNER_LIP_PAIRS[:3, 1]] += np.stack([0 * level, 4 * level], 1)[:, None]
    still = np.repeat(real[:1], FRAMES, axis=0)
    lost = points.copy()
    lost[:8] = np.nan
    share, times = np.repeat(level, 640), np.arange(FRAMES * 640) / 16_000
    tone, hiss = np.sin(2 * np.pi * 400 * times), rng.normal(0, 1, len(times))
    audio = (0.2 * share * tone + 0.05 * (1 - share) * hiss).astype(np.float32)
    return study.Trial(
        f"person_{seed}",
        {study.REFERENCE: still, study.OURS: (real // 2) * 2, study.REAL: real},
        {study.REFERENCE: np.repeat(points[:1], FRAMES, axis=0), study.OURS: lost,
         study.REAL: points},
        audio,
        "face",
    )  # fmt: skip


def test_people_are_averaged_and_undetected_frames_counted():
    rows = study.scores([trial(0), trial(1)], every=EVERY)
    table = study.means(rows)
    ours = table[(table["method"] == study.OURS) & (table["name"] == "PSNR")]
    right = ours[~ours["convention"].str.startswith("atvg")].iloc[0]
    own = rows[(rows["method"] == study.OURS) & (rows["convention"] == right["convention"])]
    assert right["value"] == pytest.approx(own["value"].mean())
    assert right["sd"] == pytest.approx(own["value"].std())
    assert right["frames"] == 2 * FRAMES / EVERY and right["people"] == 2
    lmd = table[(table["method"] == study.OURS) & (table["name"] == "LMD")]
    assert set(lmd["undetected"]) == {2}
    assert set(lmd["network"]) == {study.LANDMARKER}


def test_both_conventions_stand_side_by_side_in_the_order_of_the_methods():
    wide = study.side_by_side(study.means(study.scores([trial(0)], every=EVERY)))
    assert list(wide["method"]) == [study.REFERENCE, study.OURS, study.REAL]
    assert [*wide.columns] == [
        *("method", "PSNR", "PSNR, atvg", "SSIM", "SSIM, atvg", "LMD", "LMD, atvg", "undetected")
    ]
    real = wide.set_index("method").loc[study.REAL]
    assert np.isinf(real["PSNR"]) and real["SSIM"] == pytest.approx(1) and real["LMD"] == 0


def test_the_same_place_is_found_in_another_crop_of_the_same_source():
    crop, outer, other = Crop(10, 20, 50, 25), Crop(5, 5, 200, 100), Crop(-3, 8, 120, 240)
    seen = study.seen_from(crop, outer, other)
    points = np.array([[0.0, 0.0], [25.0, 25.0], [7.0, 3.0]])
    in_source = outer.to_source(crop.to_source(points))
    np.testing.assert_allclose(seen.to_crop(other.to_crop(in_source)), points, atol=1e-9)


def test_still_lips_do_not_go_with_any_sound():
    trials = [trial(0), trial(1)]
    heard = learn_listener((t.audio, study.lip_gap(t.points[study.REAL])) for t in trials)
    table = study.sync_scores(trials, heard).set_index("method")
    assert table.loc[study.REFERENCE, "r"] == pytest.approx(0, abs=1e-9)
    assert np.isnan(table.loc[study.REFERENCE, "offset"])
    assert table.loc[study.REAL, "r"] > 0.3
    assert table.loc[study.REAL, "people"] == 2


def test_faces_that_are_mostly_not_found_get_no_lip_sync():
    one = trial(0)
    one.points[study.OURS][: FRAMES // 2 + 1] = np.nan
    heard = learn_listener([(one.audio, study.lip_gap(one.points[study.REAL]))])
    assert study.OURS not in set(study.sync_scores([one], heard)["method"])


def test_a_study_can_be_made_of_the_videos(tmp_path):
    methods = [study.REFERENCE, study.OURS, study.REAL]
    folder = write_study_videos(tmp_path / "study", [trial(0)], {"motion": "abc"}, methods)
    found = read_videos(folder, original=folder_name(study.REAL))
    assert found.methods == ("ours_g", "reference_frame")
    assert list(found.videos) == ["person_0"]


def test_the_published_table_is_labelled_with_its_corpus():
    table = published()
    assert set(table["corpus"]) == {"LRW"} and set(table["protocol"]) == {"atvg"}
    assert table.set_index("method").loc["Ours-G", "PSNR"] == 30.94
