"""A person cut out of a photo: how much of each pixel is theirs, and what may stand behind them."""

import cv2
import numpy as np
from scipy.ndimage import binary_fill_holes, distance_transform_edt

WORK_PX = 256
"""Longer side of the picture that is looked at: finer detail tells little and takes long."""

CERTAIN, POSSIBLE = 0.03, 0.35
"""The person certainly reaches to so far inside the head's outline, and hardly beyond so far
outside it above the chin; head widths."""

MARGIN, SOFTNESS = 0.03, 0.012
"""The first cut runs so far outside the outline that was found, the second so far inside, both this
softly; head widths. Background that moves with a head is seen less than hair that stays behind."""

ROUNDS = 4
FILL_RADIUS_PX = 6


def cut_out(picture: np.ndarray, head: np.ndarray, chin_row: float) -> np.ndarray:
    """How much of each pixel is the person's: (H, W, 2) float32 in [0, 1].

    First as far as they may reach, then as far as they certainly do. By the colours of what is
    surely head and of what surely is not (GrabCut, Rother et al. 2004).

    Parameters
    ----------
    picture : (H, W, 3) uint8
    head : (H, W) bool, the fitted head without its hair
    chin_row : below it are neck and shoulders, of which nothing is known
    """
    scale = WORK_PX / max(picture.shape[:2])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(head.astype(np.uint8), small.shape[1::-1], interpolation=cv2.INTER_AREA) > 0
    width = max(int(inside.any(0).sum()), 1)
    away, deep = distance_transform_edt(~inside), distance_transform_edt(inside)
    below = np.arange(len(small))[:, None] > chin_row * scale
    columns = np.flatnonzero(inside.any(0))
    beside = np.abs(np.arange(small.shape[1]) - columns.mean())[None] if len(columns) else 0
    labels: np.ndarray = np.full(inside.shape, cv2.GC_PR_BGD, np.uint8)
    labels[(away < 0.5 * POSSIBLE * width) | (below & (beside < 0.6 * width))] = cv2.GC_PR_FGD
    labels[(away > POSSIBLE * width) & ~below] = cv2.GC_BGD
    labels[deep > CERTAIN * width] = cv2.GC_FGD
    if not ((labels == cv2.GC_FGD).any() and (labels == cv2.GC_BGD).any()):
        return np.dstack([head, head]).astype(np.float32)
    cv2.setRNGSeed(0)  # its clustering draws from OpenCV's own generator
    models = np.zeros((1, 65)), np.zeros((1, 65))
    whole = (0, 0, 0, 0)  # not read: the labels say where
    cv2.grabCut(small[..., ::-1].copy(), labels, whole, *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
    person = _one_piece(np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)), inside)
    size = picture.shape[1::-1]
    soft = cv2.resize(person.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(soft, (0, 0), 0.5 / scale)  # the steps of the small picture
    outside = distance_transform_edt(soft < 0.5) - distance_transform_edt(soft >= 0.5)
    reach = np.array([MARGIN, -MARGIN]) - (outside * scale / width)[..., None]
    return np.clip(reach / (2 * SOFTNESS) + 0.5, 0, 1).astype(np.float32)


def _one_piece(person: np.ndarray, head: np.ndarray) -> np.ndarray:
    """The part that hangs together with the head, without thin threads and holes."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    person = cv2.morphologyEx(person.astype(np.uint8), cv2.MORPH_OPEN, disc) > 0
    _, pieces = cv2.connectedComponents((person | head).astype(np.uint8))
    own = np.unique(pieces[head])
    return binary_fill_holes(np.isin(pieces, own[own > 0]))


def filled_behind(picture: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) uint8 whose hidden pixels (H, W) bool run on from the others (Telea)."""
    return cv2.inpaint(picture, hidden.astype(np.uint8), FILL_RADIUS_PX, cv2.INPAINT_TELEA)
