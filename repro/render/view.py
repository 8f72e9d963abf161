"""A head by itself, as a picture on a plain ground: for looking at shapes, albedos and errors."""

from dataclasses import dataclass

import numpy as np

from repro.face.camera import Camera
from repro.face.light import ambient_light, key_light
from repro.face.model import MorphableModel
from repro.face.pose import apply_pose
from repro.render.face import without_lashes
from repro.render.region import mouth_occlusion
from repro.render.shade import Rendering, render_face

CLAY = 0.78
"""Albedo of a shape without colour."""

STUDIO = key_light(np.array([-0.6, -0.7, -1.0]), ambient=0.5, key=0.5)
"""A lamp beside and above the camera."""

EVEN = ambient_light()
"""Light under which a picture shows the albedo itself."""

PAINT = key_light(np.array([-0.4, -0.6, -1.0]), ambient=0.82, key=0.18)
"""Light that leaves a colour map readable and still shows the shape."""


def studio_camera(size_px: int = 256, *, zoom: float = 1.0) -> Camera:
    """A square camera that a head at ``studio_pose`` fills."""
    return Camera(3.3 * size_px * zoom, size_px / 2, size_px / 2, size_px, size_px)


def studio_pose(*, yaw_deg: float = 0.0) -> np.ndarray:
    """Pose (6,) float32 in front of ``studio_camera``, turned to the image's left by ``yaw_deg``.

    The model's origin is the joint of head and neck, 3 cm below the middle of the head.
    """
    return np.array([0, np.radians(yaw_deg), 0, 0, 0.035, 1.05], np.float32)


@dataclass(frozen=True)
class Studio:
    """A model ready to be drawn by itself.

    model      without its lashes, which look painted on
    occlusion  (V,) float32, factor of the light that reaches the inside of the mouth
    """

    model: MorphableModel
    occlusion: np.ndarray

    @classmethod
    def of(cls, model: MorphableModel) -> "Studio":
        """Prepare a model."""
        bald = without_lashes(model)
        return cls(bald, mouth_occlusion(bald))

    def picture(
        self,
        vertices: np.ndarray,
        albedo: np.ndarray | float = CLAY,
        light: np.ndarray = STUDIO,
        *,
        camera: Camera | None = None,
        pose: np.ndarray | None = None,
        ground: float = 1.0,
        supersample: int = 2,
        threads: int = 1,
    ) -> np.ndarray:
        """Draw the whole head on a plain ground.

        Parameters
        ----------
        vertices : array (V, 3), metres, model space
        albedo : array (V, 3), display RGB, or one grey for all
        light : array (27,)
        camera, pose : from where it is seen (default: ``studio_camera``, ``studio_pose``)
        ground : grey behind the head, in [0, 1]
        supersample, threads : as for ``render_face``

        Returns
        -------
        (H, W, 3) uint8
        """
        drawn = render_face(
            self.model,
            apply_pose(vertices, studio_pose() if pose is None else pose),
            np.broadcast_to(np.asarray(albedo, np.float32), np.shape(vertices)),
            light,
            studio_camera() if camera is None else camera,
            supersample=supersample,
            occlusion=self.occlusion,
            threads=threads,
        )
        return on_ground(drawn, ground)


def on_ground(drawn: Rendering, ground: float = 1.0) -> np.ndarray:
    """A rendering laid over a plain grey in [0, 1]: (H, W, 3) uint8."""
    alpha = drawn.coverage[..., None]
    return (255 * (alpha * (drawn.image - ground) + ground) + 0.5).astype(np.uint8)
