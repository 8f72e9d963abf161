"""Names for some of the 478 points of the landmarker (MediaPipe face mesh with irises)."""

import numpy as np

COUNT = 478

RIGHT_PUPIL, LEFT_PUPIL = 468, 473
"""The person's own right and left; the right eye stands at the image's left."""

NOSE_TIP, CHIN, FOREHEAD = 1, 152, 10

OUTER_LIPS = np.array(
    [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185]
)
INNER_LIPS = np.array(
    [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191]
)
LIPS = np.concatenate([OUTER_LIPS, INNER_LIPS])

INNER_LIP_PAIRS = np.array([[13, 14], [82, 87], [312, 317], [81, 178], [311, 402]])
"""Upper and lower points that meet when the lips close, centre first."""

EYELID_PAIRS = np.array([[159, 145], [158, 153], [160, 144], [386, 374], [385, 380], [387, 373]])
"""Upper and lower lid points: three of the right eye, three of the left."""

EYELIDS = np.array(
    [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7]
    + [362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382]
)

STEADY = np.array([33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 10, 151, 9, 8])
"""Points of brow, eye corners and nose that hardly move with expression."""


def inter_pupil_distance(points: np.ndarray) -> np.ndarray:
    """Distance (...,) between the pupils of landmarks (..., 478, 2), in their unit."""
    difference = points[..., RIGHT_PUPIL, :2] - points[..., LEFT_PUPIL, :2]
    return np.linalg.norm(difference, axis=-1)


def lip_gap(points: np.ndarray) -> np.ndarray:
    """Mean opening (...,) of the three middle inner-lip pairs of (..., 478, D), in their unit."""
    upper, lower = INNER_LIP_PAIRS[:3].T
    return np.linalg.norm(points[..., upper, :] - points[..., lower, :], axis=-1).mean(-1)
