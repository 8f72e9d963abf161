"""A synthetic person's portrait, filmed once for all tests that need a face."""

from typing import NamedTuple

import cv2
import numpy as np
import pytest

from repro.corpus.figure import build_figure
from repro.corpus.film import film_camera, render_frame
from repro.corpus.noise import noise_table
from repro.corpus.people import draw_person
from repro.corpus.settings import CorpusSettings
from repro.corpus.shade import Backdrop
from repro.face.model import load_open_model
from repro.face.pose import apply_pose

PORTRAIT_PX = 360


class Portrait(NamedTuple):
    """A picture (360, 360, 3) uint8 and the true landmarks (478, 2); valid (478,)."""

    image: np.ndarray
    points: np.ndarray
    valid: np.ndarray

    @property
    def face_px(self) -> float:
        return float(np.ptp(self.points[self.valid, 0]))

    def placed(self, face_px: float, at: tuple[int, int], size: tuple[int, int]):
        """The portrait with a face so wide at a place of a larger picture, and its points."""
        width, height = size
        side = round(PORTRAIT_PX * face_px / self.face_px)
        small = cv2.resize(self.image, (side, side), interpolation=cv2.INTER_AREA)
        picture = cv2.resize(self.image[:40, :40], (width, height))
        (left, top), (right, bottom) = np.clip([at, np.add(at, side)], 0, [width, height])
        part = small[top - at[1] : bottom - at[1], left - at[0] : right - at[0]]
        picture[top:bottom, left:right] = part
        return picture, self.points * (side / PORTRAIT_PX) + at

    def error_percent(self, points: np.ndarray, true: np.ndarray) -> float:
        """Median distance, % of the inter-pupil distance."""
        pupils = np.linalg.norm(true[468] - true[473])
        return 100 * float(np.median(np.linalg.norm(points - true, axis=-1)[self.valid]) / pupils)


def _portrait(seed: int, yaw_deg: float) -> Portrait:
    settings = CorpusSettings(image_px=PORTRAIT_PX, supersample=1)
    model, table = load_open_model(), noise_table()
    person = draw_person(seed)
    figure = build_figure(model, person, table)
    room = Backdrop.of(np.full((PORTRAIT_PX, PORTRAIT_PX, 3), 0.4, np.float32))
    rest = np.zeros(64, np.float32)
    pose = np.concatenate([[0, np.deg2rad(yaw_deg), 0], person.pose_style.place_m])
    image, _ = render_frame(figure, rest, pose.astype(np.float32), room, table, settings)
    points = model.landmarks(model.vertices(person.identity, rest))
    seen = film_camera(settings).project(apply_pose(points, pose.astype(np.float32)))
    return Portrait((np.clip(image, 0, 1) * 255).astype(np.uint8), seen, model.landmark_valid)


@pytest.fixture(scope="session")
def portrait() -> Portrait:
    """A person who looks into the camera."""
    return _portrait(0, 0.0)


@pytest.fixture(scope="session")
def turned_portrait() -> Portrait:
    """The same person, the head turned by 45 degrees."""
    return _portrait(0, 45.0)


@pytest.fixture(scope="session")
def other_portrait() -> Portrait:
    """Another person, who looks into the camera."""
    return _portrait(1, 0.0)
