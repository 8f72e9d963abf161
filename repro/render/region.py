"""Which part of the model is drawn over the target's frame, and which only hides what is behind."""

from dataclasses import dataclass

import numpy as np

from repro.face.model import PARTS, MorphableModel

DRAWN_PARTS = (
    "tongue",
    "left_eye",
    "right_eye",
    "upper_teeth",
    "lower_teeth",
    "left_lashes",
    "right_lashes",
)
"""Parts drawn whole; of the skin only the face and its cavities; the rest only hides."""

MOUTH_PARTS = ("tongue", "upper_teeth", "lower_teeth")

MOUTH_FRONT_M, MOUTH_FADE_M = 0.010, 0.030
"""The light in the mouth fades from this depth behind the lips, to 1/e over this way more."""

INNER_LIPS_68 = slice(60, 68)
"""The inner lip contour among the 68 landmarks."""


@dataclass(frozen=True)
class FaceRegion:
    """The facial part of a model, as ``render_face`` takes it.

    triangles (F,) bool     drawn; the others (neck, ears, scalp) only hide
    weight    (V,) float32  opacity: fades out towards the edge of the face
    occlusion (V,) float32  factor of the light that reaches the inside of the mouth
    """

    triangles: np.ndarray
    weight: np.ndarray
    occlusion: np.ndarray

    @property
    def options(self) -> dict[str, np.ndarray]:
        """Keyword arguments for ``render_face``."""
        return {"visible": self.triangles, "weight": self.weight, "occlusion": self.occlusion}


def drawn_region(model: MorphableModel) -> FaceRegion:
    """What is drawn of a model: facial skin, eyes, lashes, teeth, tongue and the mouth's inside."""
    return FaceRegion(face_triangles(model), face_weight(model), mouth_occlusion(model))


def face_triangles(model: MorphableModel) -> np.ndarray:
    """Bool (F,): triangles of the face region; the others are only occluders."""
    names = part_names(model)
    skin = names == "skin"
    touched = (face_weight(model)[model.triangles] > 0).any(1)
    return np.isin(names, DRAWN_PARTS) | (skin & touched)


def face_weight(model: MorphableModel) -> np.ndarray:
    """Opacity (V,) float32: ``skin_mask`` on the face, 1 in its cavities and on other parts."""
    weight = np.maximum(model.skin_mask, np.asarray(model.cavity_mask) > 0).astype(np.float32)
    weight[model.triangles[np.isin(part_names(model), DRAWN_PARTS)]] = 1
    return weight


def mouth_occlusion(
    model: MorphableModel, *, front_m: float = MOUTH_FRONT_M, fade_m: float = MOUTH_FADE_M
) -> np.ndarray:
    """Factor (V,) float32 of the light inside the mouth of the mean face; 1 elsewhere.

    Light falls off exponentially with the depth behind the inner lips; it stands for the shadow
    that spherical-harmonics light has no notion of. Fixed per vertex: it does not brighten as the
    mouth opens.
    """
    lips = model.mean[model.landmark68[INNER_LIPS_68]]
    reach = np.ptp(lips[:, 0])
    near_mouth = np.linalg.norm(model.mean[:, :2] - lips[:, :2].mean(0), axis=1) < reach
    mouth = near_mouth & (np.asarray(model.cavity_mask) > 0)
    mouth[model.triangles[np.isin(part_names(model), MOUTH_PARTS)]] = True
    depth = np.maximum(model.mean[:, 2] - lips[:, 2].min() - front_m, 0)
    return np.where(mouth, np.exp(-depth / fade_m), 1).astype(np.float32)


def part_names(model: MorphableModel) -> np.ndarray:
    """The part's name (F,) of each triangle."""
    return np.asarray(PARTS)[model.part]
