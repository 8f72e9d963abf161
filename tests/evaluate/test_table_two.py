"""Table 2's measures, both conventions side by side."""

import numpy as np
import pytest

from repro.evaluate.image import psnr, psnr_atvg, ssim
from repro.evaluate.landmarks import MOUTH_478
from repro.evaluate.measure import Measure, measure_table
from repro.evaluate.table_two import table_two

NAMED = {"crop": "head", "network": "landmarker"}


def clip(frames: int = 3, side: int = 32, seed: int = 0):
    rng = np.random.default_rng(seed)
    real = rng.integers(40, 200, (frames, side, side, 3)).astype(np.uint8)
    noise = rng.normal(0, 30, real.shape)
    made = np.clip(real + noise, 0, 255).astype(np.uint8)
    points = rng.uniform(0, side, (frames, 478, 2))
    return real, made, points


def by_convention(measures: list[Measure]) -> dict[tuple[str, bool], Measure]:
    return {(m.name, m.convention.startswith("atvg")): m for m in measures}


def test_both_conventions_stand_side_by_side():
    real, made, points = clip()
    moved = points.copy()
    moved[:, MOUTH_478[:10], 0] += 2
    moved[:, MOUTH_478[10:], 0] -= 2
    found = by_convention(table_two(real, made, points, moved, **NAMED))
    assert len(found) == 6
    pairs = list(zip(real, made, strict=True))
    assert found["PSNR", False].value == pytest.approx(np.mean([psnr(a, b) for a, b in pairs]))
    wrapped = np.mean([psnr_atvg(a, b) for a, b in pairs])
    assert found["PSNR", True].value == pytest.approx(wrapped)
    assert found["PSNR", True].value > found["PSNR", False].value + 3  # it wraps
    assert found["SSIM", False].value == pytest.approx(np.mean([ssim(a, b) for a, b in pairs]))
    assert found["LMD", False].value == pytest.approx(2 * 256 / 32)
    assert found["LMD", True].value == pytest.approx(20 * 2)
    assert {m.crop for m in found.values()} == {"head, 32 x 32 px"}
    assert found["LMD", True].network == "landmarker"


def test_frames_without_a_face_count_for_pictures_alone():
    real, made, points = clip()
    lost = points.copy()
    lost[1] = np.nan
    found = by_convention(table_two(real, made, points, lost, **NAMED))
    assert (found["LMD", False].frames, found["LMD", False].undetected) == (2, 1)
    assert (found["PSNR", False].frames, found["PSNR", False].undetected) == (3, 0)


def test_clips_that_do_not_match_are_a_mistake():
    real, made, points = clip()
    with pytest.raises(ValueError, match="2 generated frames for 3"):
        table_two(real, made[:2], points, points, **NAMED)
    with pytest.raises(ValueError, match="square"):
        table_two(real[:, :16], made[:, :16], points, points, **NAMED)


def test_a_table_has_a_row_for_each_measure_of_each_method():
    real, made, points = clip()
    measures = table_two(real, made, points, points, **NAMED)
    table = measure_table({"ours": measures, "copy": measures[:1]})
    assert list(table["method"]) == ["ours"] * 6 + ["copy"]
    assert {"crop", "alignment", "network", "undetected", "convention"} <= set(table.columns)
    assert table["value"].iloc[0] == measures[0].value
