"""Identity features of real frames (Yi et al. 2020, section 3.4, where the network is ArcFace).

ArcFace's weights are an asset to be fetched; the face recognition network of dlib (King 2017),
which comes with a package, stands in. Results name the network that was used.
"""

import importlib.util
from functools import cached_property
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch

from repro.errors import UserError
from repro.refine import dlib_resnet

_TOGETHER = 16
"""Faces that dlib's network sees at once."""

# Landmarks of the 478 (repro.face.landmarks) from which faces are aligned.
_DLIB_POINTS = (263, 362, 33, 133, 2)  # outer and inner corner of each eye, base of the nose
_ARCFACE_POINTS = (468, 473, 1, 61, 291)  # pupils, tip of the nose, corners of the mouth

# Where those points stand in the networks' aligned faces, as fractions of its side.
_DLIB_PADDING = 0.25
_DLIB_TEMPLATE = (
    np.array(
        [
            [0.8595674595992, 0.2134981538014],
            [0.6460604764104, 0.2289674387677],
            [0.1205750620789, 0.2137274526848],
            [0.3340850613712, 0.2290642403242],
            [0.4901123135679, 0.6277975316475],
        ]
    )
    + _DLIB_PADDING
) / (1 + 2 * _DLIB_PADDING)
_ARCFACE_TEMPLATE = (
    np.array(
        [
            [38.2946, 51.6963],
            [73.5318, 51.5014],
            [56.0252, 71.7366],
            [41.5493, 92.3655],
            [70.7299, 92.2041],
        ]
    )
    / 112
)


class IdentityNetwork(Protocol):
    """Anything that turns a face into numbers that tell people apart."""

    name: str
    dim: int

    def features(self, frames: np.ndarray, *, landmarks: np.ndarray, every: int = 1) -> np.ndarray:
        """Unit identity features (T, D) float32 of one person's frames.

        Parameters
        ----------
        frames : (T, H, W, 3) uint8 RGB
        landmarks : (T, 478, 2) float32, pixels of those frames
        every : compute each k-th frame and the last; those between are interpolated
        """
        ...


def similarity_transform(points: np.ndarray, template: np.ndarray) -> np.ndarray:
    """The (2, 3) rotation, scale and shift that brings points (P, 2) nearest to a template."""
    mean_p, mean_t = points.mean(axis=0), template.mean(axis=0)
    p = (points - mean_p) @ np.array([1, 1j])
    t = (template - mean_t) @ np.array([1, 1j])
    turn = (np.conj(p) * t).sum() / (np.abs(p) ** 2).sum()
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.column_stack([linear, mean_t - linear @ mean_p])


def aligned_face(
    frame: np.ndarray, points: np.ndarray, template: np.ndarray, *, side_px: int
) -> np.ndarray:
    """The face (side, side, 3) uint8 of a frame (H, W, 3), its points (P, 2) on the template's.

    ``template`` (P, 2) is in fractions of the side.
    """
    transform = similarity_transform(points, template * side_px)
    return cv2.warpAffine(
        frame,
        transform,
        (side_px, side_px),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def spread(count: int, every: int) -> np.ndarray:
    """Each ``every``-th of ``count`` frames, and the last."""
    return np.unique(np.append(np.arange(0, count, every), count - 1))


def between(features: np.ndarray, at: np.ndarray, count: int) -> np.ndarray:
    """Unit features (count, D) float32 of all frames, linear between features (K, D) at frames."""
    frames = np.arange(count)
    filled = np.stack([np.interp(frames, at, column) for column in features.T], axis=1)
    return (filled / np.linalg.norm(filled, axis=1, keepdims=True)).astype(np.float32)


def _faces(frames, landmarks, *, at, points, template, side_px) -> list[np.ndarray]:
    if len(frames) == 0 or len(frames) != len(landmarks):
        raise ValueError(f"{len(frames)} frames with {len(landmarks)} landmark sets")
    return [
        aligned_face(frames[t], landmarks[t][list(points), :2], template, side_px=side_px)
        for t in at
    ]


class DlibIdentity:
    """dlib's ResNet with 128 numbers (``repro.refine.dlib_resnet``).

    Raises
    ------
    UserError
        The package with its file is missing.
    """

    name = "dlib-resnet-v1"
    dim = dlib_resnet.DIM

    def __init__(self):
        self._file = dlib_network_file()

    @cached_property
    def _network(self) -> dlib_resnet.DlibResNet:
        return dlib_resnet.load_dlib_resnet(self._file)

    def features(self, frames: np.ndarray, *, landmarks: np.ndarray, every: int = 1) -> np.ndarray:
        """See ``IdentityNetwork.features``."""
        at = spread(len(frames), every)
        faces = _faces(
            frames, landmarks, at=at, points=_DLIB_POINTS, template=_DLIB_TEMPLATE,
            side_px=dlib_resnet.SIDE_PX,
        )  # fmt: skip
        planes = torch.from_numpy(np.stack(faces)).permute(0, 3, 1, 2)
        with torch.inference_mode():
            raw = torch.cat([self._network(some.float()) for some in planes.split(_TOGETHER)])
        return between(raw.numpy().astype(np.float64), at, len(frames))


def dlib_network_file() -> Path:
    """The network's file in the package face_recognition_models.

    The package is found but not imported: importing it needs ``pkg_resources``.

    Raises
    ------
    UserError
        The package that carries it is missing.
    """
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            "The package 'face_recognition_models' (identity features) is missing; "
            "run `make .venv`."
        )
    folder = Path(spec.submodule_search_locations[0]) / "models"
    return folder / "dlib_face_recognition_resnet_model_v1.dat"


class ArcFaceIdentity:
    """ArcFace (Deng et al. 2019), the paper's network, from an insightface pack's folder.

    Raises
    ------
    UserError
        The folder has no recognition network; when first asked, that the package insightface is
        missing.
    """

    dim = 512

    def __init__(self, pack: Path):
        files = sorted(pack.glob("w600k_*.onnx")) + sorted(pack.glob("glintr*.onnx"))
        if not files:
            raise UserError(
                f"'{pack}' has no ArcFace network (w600k_*.onnx or glintr*.onnx); "
                "put an insightface pack such as buffalo_l there."
            )
        self._file = files[0]
        self.name = f"arcface-{self._file.stem}"

    @cached_property
    def _network(self):
        try:
            from insightface.model_zoo import get_model
        except ImportError as error:
            raise UserError(
                "The package 'insightface' (ArcFace) is missing; install the extra 'arcface'."
            ) from error
        network = get_model(str(self._file), providers=["CPUExecutionProvider"])
        network.prepare(ctx_id=-1)
        return network

    def features(self, frames: np.ndarray, *, landmarks: np.ndarray, every: int = 1) -> np.ndarray:
        """See ``IdentityNetwork.features``."""
        at = spread(len(frames), every)
        faces = _faces(
            frames,
            landmarks,
            at=at,
            points=_ARCFACE_POINTS,
            template=_ARCFACE_TEMPLATE,
            side_px=112,
        )
        raw = self._network.get_feat([face[..., ::-1] for face in faces])  # it takes BGR
        return between(np.asarray(raw, np.float64), at, len(frames))


def identity_network(arcface_pack: Path | None = None) -> IdentityNetwork:
    """ArcFace where its pack's folder is there, dlib's network otherwise."""
    if arcface_pack is not None and arcface_pack.is_dir():
        return ArcFaceIdentity(arcface_pack)
    return DlibIdentity()
