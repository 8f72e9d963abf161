"""What the studies of sections 4.2 and A measure of a model: its pictures, and its motion."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from repro.evaluate.expression import expression_error
from repro.evaluate.identity import csim, face_features
from repro.evaluate.image import SSIM_WINDOW_PX
from repro.evaluate.lips import correlation, lip_gap
from repro.evaluate.measure import NONE, Measure
from repro.evaluate.pictures import picture_scores
from repro.evaluate.pose import ANGLES, convention, head_pose_similarity
from repro.evaluate.steadiness import angle_jitter_deg, pixel_flicker
from repro.face.model import MorphableModel
from repro.motion.motion import Motion
from repro.reconstruct.track import FaceTrack
from repro.refine.identity import IdentityNetwork
from repro.study.head_pose import in_own_range

IDENTITY_EVERY = 5
"""Every so many tested frames the identity network looks at one."""

MASK = "rendered face"


@dataclass(frozen=True)
class Metric:
    """How a number is to be read.

    name    of its ``Measure``
    better  "higher", "lower", or "one": the nearer to 1 the better
    """

    name: str
    better: Literal["higher", "lower", "one"]

    def loss(self, values: np.ndarray) -> np.ndarray:
        """How bad values are, in the metric's unit: the lower the better."""
        values = np.asarray(values, np.float64)
        if self.better == "higher":
            return -values
        return values if self.better == "lower" else np.abs(values - 1)


FACE_PSNR = Metric("face PSNR", "higher")
SSIM = Metric("SSIM", "higher")
SHARPNESS = Metric("sharpness ratio", "one")
CSIM = Metric("CSIM", "higher")
ERROR_FLICKER = Metric("flicker of the error", "lower")
HS = Metric("HS", "higher")
HS_OWN_RANGE = Metric("HS, own range", "higher")
POSE_JITTER = Metric("pose second difference", "lower")
LIP_GAP_R = Metric("lip gap r", "higher")
EXPRESSION_ERROR = Metric("E_exp", "lower")
BACKGROUND_FLICKER = Metric("background flicker", "lower")

PICTURE_METRICS = FACE_PSNR, SSIM, SHARPNESS, CSIM, ERROR_FLICKER
MOTION_METRICS = HS, HS_OWN_RANGE, POSE_JITTER, LIP_GAP_R, EXPRESSION_ERROR, BACKGROUND_FLICKER
METRICS = {metric.name: metric for metric in (*PICTURE_METRICS, *MOTION_METRICS)}


def picture_measures(
    made: Sequence[np.ndarray],
    real: Sequence[np.ndarray],
    masks: Sequence[np.ndarray],
    landmarks: np.ndarray,
    network: IdentityNetwork,
) -> list[Measure]:
    """How near refined frames are to the real ones that they retrace.

    Parameters
    ----------
    made, real : T frames (H, W, 3) uint8 of the same moments
    masks : T masks (H, W) bool of the rendered face
    landmarks : (T, 478, 2) pixels, of the real frames; both faces are aligned by them
    network : whose features CSIM compares
    """
    count, (height, width) = len(made), np.shape(made[0])[:2]
    crop = f"face crop, {width} x {height} px"
    scores = picture_scores({"made": made, "real": real}, masks, real="real").iloc[0]
    error = (np.subtract(a, b, dtype=np.float32) for a, b in zip(made, real, strict=True))
    some = np.arange(0, count, IDENTITY_EVERY)
    features = [
        face_features(network, [frames[int(t)] for t in some], landmarks[some])
        for frames in (real, made)
    ]

    def measure(metric: Metric, value: float, unit: str, how: str, where: str = MASK) -> Measure:
        return Measure(metric.name, float(value), unit, count, 0, where, NONE, NONE, how)

    return [
        measure(FACE_PSNR, scores["face_psnr"], "dB", "mean over frames; RGB, data range 255"),
        measure(SSIM, scores["ssim"], "1", f"RGB, window {SSIM_WINDOW_PX} px", crop),
        measure(
            SHARPNESS, scores["sharpness_ratio"], "1", "variance of the Laplacian over the real one"
        ),
        csim(*features, network=network.name, crop=crop),
        measure(
            ERROR_FLICKER, pixel_flicker(error, masks), "grey levels of 255",
            "mean absolute second difference over time of made less real",
        ),
    ]  # fmt: skip


@dataclass(frozen=True)
class Spoken:
    """What was made of one held-out sound, beside what the person did to it; T frames.

    true        as reconstructed
    regressed   as the mapping hears it (Eq. 1)
    shown       as it is drawn: the head's pose is that of the background
    background  (T,) int, which of the person's frames is shown
    """

    true: Motion
    regressed: Motion
    shown: Motion
    background: np.ndarray


def motion_measures(
    spoken: Sequence[Spoken], track: FaceTrack, model: MorphableModel
) -> list[Measure]:
    """How near the motion made of sounds is to the person's own; the sounds count as one.

    Parameters
    ----------
    track : of the person, whose shape the lips' opening is measured on
    """
    true, made = (
        np.concatenate([getattr(s, which).pose[:, :3] for s in spoken])
        for which in ("true", "shown")
    )
    second = [angle_jitter_deg(s.regressed.pose[:, i]) for s in spoken for i in range(len(ANGLES))]
    gaps = [
        np.concatenate([
            lip_gap(track.shape_landmarks(model, getattr(s, which).expression)) for s in spoken
        ])
        for which in ("true", "shown")
    ]  # fmt: skip
    expression = [
        np.concatenate([getattr(s, which).expression for s in spoken])
        for which in ("true", "shown")
    ]
    bins = convention()

    def measure(metric: Metric, value: float, unit: str, how: str) -> Measure:
        return Measure(metric.name, float(value), unit, len(true), 0, NONE, NONE, NONE, how)

    histogram = f"Eq. 6, {bins['bins']} bins over"
    return [
        measure(
            HS, head_pose_similarity(true, made), "1", f"{histogram} ±{bins['range_high_deg']:g}°"
        ),
        measure(HS_OWN_RANGE, in_own_range(true, made), "1", f"{histogram} the pair's own range"),
        measure(
            POSE_JITTER, float(np.mean(second)), "degrees",
            "root mean square second difference of the regressed angles, mean of the three",
        ),
        measure(LIP_GAP_R, correlation(*gaps), "1", "Pearson's r of the lips' opening"),
        expression_error(*expression, face_model=model.name)[0],
    ]  # fmt: skip


def background_flicker(
    frames: np.ndarray, masks: np.ndarray, shown: Sequence[np.ndarray]
) -> Measure:
    """How restless what stands beside the face is.

    Parameters
    ----------
    frames : (M, H, W, 3) uint8 of the person
    masks : (M, H, W), nonzero on the face in them
    shown : for each sound the numbers (T,) of the frames that are its backgrounds
    """
    values = [
        pixel_flicker((frames[k] for k in numbers), (~(masks[k] > 0) for k in numbers))
        for numbers in shown
    ]
    count = sum(len(numbers) for numbers in shown)
    return Measure(
        BACKGROUND_FLICKER.name, float(np.mean(values)), "grey levels of 255", count, 0,
        "beside the rendered face", NONE, NONE, "mean absolute second difference over time",
    )  # fmt: skip
