"""Finding faces of any size, from 40 pixels to larger than the picture.

The landmarker's detector looks at a picture of 128 pixels, in which it sees faces of a seventh of
the picture and more. Smaller ones are looked for in overlapping parts, ever smaller; larger ones in
the picture with a border around it.
"""

from collections.abc import Iterator

import cv2
import numpy as np

from repro.face.camera import Crop
from repro.reconstruct.landmarker import Face, Searcher, square, view

SMALLEST_PX = 40
"""Size of the smallest face looked for."""
_SEEN_SHARE = 0.17
"""Size of the smallest face that is seen, of the picture's."""
_LONGEST_PX = 1280
"""A larger picture is shrunk before the whole of it is searched."""
_LEAST_PX, _MOST_PX = 256, 512
_MARGIN = 1.6
"""Side of the picture with its border, over its longer side."""


def faces_in_whole(searcher: Searcher, image: np.ndarray) -> list[Face]:
    """Faces in an image (H, W, 3) uint8 that are large enough to be seen at one look."""
    height, width = image.shape[:2]
    scale = min(1.0, _LONGEST_PX / max(height, width))
    if scale == 1:
        return searcher.find(image)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    grow = np.array([width / size[0], height / size[1]], np.float32)
    return [face._replace(points=face.points * grow) for face in searcher.find(small)]


def faces_in_view(searcher: Searcher, image: np.ndarray, crop: Crop) -> list[Face]:
    """Faces in a crop of an image, in pixels of the image."""
    return [
        face._replace(points=crop.to_source(face.points).astype(np.float32))
        for face in searcher.find(view(image, crop))
    ]


def faces_anywhere(searcher: Searcher, image: np.ndarray) -> list[Face]:
    """Faces in an image (H, W, 3) uint8, the largest kind that there are.

    The whole is searched first, then ever smaller parts, until a face is found.
    """
    found = faces_in_whole(searcher, image)
    if found:
        return found
    for crops in _levels(image.shape[1], image.shape[0]):
        for crop in crops:
            found += [f for f in faces_in_view(searcher, image, crop) if not same_place(f, found)]
        if found:
            break
    return found


def same_place(face: Face, others: list[Face]) -> bool:
    """Whether a face lies over one of the others."""
    return any(
        np.linalg.norm(face.centre - o.centre) < 0.4 * max(face.size, o.size) for o in others
    )


def _levels(width: int, height: int) -> Iterator[list[Crop]]:
    """The picture with a border, then overlapping squares that cover it, smaller and smaller."""
    longer = max(width, height)
    middle = np.array([width / 2, height / 2])
    yield [square(middle, _MARGIN * longer, least_px=_LEAST_PX, most_px=_MOST_PX)]
    smallest = SMALLEST_PX / _SEEN_SHARE
    halvings = int(np.ceil(np.log2(longer / smallest))) if longer > smallest else 0
    for k in range(1, halvings + 1):
        side = longer * (smallest / longer) ** (k / halvings)
        yield [
            square(np.array([x, y]), side, least_px=_LEAST_PX, most_px=_MOST_PX)
            for y in _stops(height, side)
            for x in _stops(width, side)
        ]


def _stops(length: int, side: float) -> np.ndarray:
    """Middles of parts that overlap by half or more and cover a length."""
    if side >= length:
        return np.array([length / 2])
    count = int(np.ceil((length - side) / (side / 2))) + 1
    return np.linspace(side / 2, length - side / 2, count)
