"""Drawing one person: albedo, region and camera kept together (Yi et al. 2020, section 3.3)."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from repro.face.model import PARTS, MorphableModel
from repro.reconstruct.track import FaceTrack
from repro.render.albedo import detailed_albedo, most_neutral_frame
from repro.render.composite import composite, feathered
from repro.render.mouth import seen_mouth_albedo
from repro.render.region import FaceRegion, drawn_region
from repro.render.shade import Rendering, render_face
from repro.render.texture import Texture, frame_texture


class RenderSettings(BaseModel):
    """How faces are drawn (Yi et al. 2020, section 3.3)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    albedo: Literal["low_frequency", "detailed"] = "low_frequency"
    """The paper: low-frequency in the personal mapping, detailed in the general one."""
    background: Literal["paper", "nearest", "smooth"] = "paper"
    """How backgrounds are matched ("smooth": beside the paper); see ``repro.render.background``."""
    frames_per_key: int = Field(10, ge=2)
    """With the paper's backgrounds: at least so many frames for each key frame; the authors' 10.
    With 80 the target video plays at about its own pace between them."""
    supersample: int = Field(2, ge=1, le=4)
    """Samples per pixel along each axis."""
    feather_px: float = Field(6.0, ge=0)
    """Width over which the face fades into the frame it is laid on."""
    threads: int = Field(2, ge=1)
    """Of the rasteriser."""
    rasteriser: Literal["numba", "pytorch3d"] = "numba"
    """pytorch3d is an optional package, for GPUs."""


@dataclass(frozen=True)
class FaceRenderer:
    """Draws a person's face with any expression, pose and light.

    The model's lashes are left out: as solid strips they look painted on.

    albedo (V, 3) float32; texture: the detailed albedo, or None for the low-frequency one
    """

    model: MorphableModel
    track: FaceTrack
    albedo: np.ndarray
    texture: Texture | None
    region: FaceRegion
    settings: RenderSettings

    @classmethod
    def of(
        cls,
        model: MorphableModel,
        track: FaceTrack,
        frames: np.ndarray,
        *,
        settings: RenderSettings,
    ) -> "FaceRenderer":
        """Take the albedo as the settings say, the detailed one from frames (T, H, W, 3) uint8.

        The frames are the first of the track.
        """
        coefficients = track.coefficients[: len(frames)]
        albedo, texture = model.albedo(coefficients.texture), None
        if settings.albedo == "detailed":
            best = most_neutral_frame(coefficients.expression, coefficients.pose)
            frame, light = np.asarray(frames[best]), coefficients.light[best]
            shape = track.posed(model, coefficients.expression[best], coefficients.pose[best])
            albedo = detailed_albedo(
                [frame], shape[None], track.camera, light[None], model, albedo, best_frame=0
            )
            texture = frame_texture(frame, shape, track.camera, light, model)
        bald = without_lashes(model)
        region = drawn_region(bald)
        if settings.albedo == "detailed":
            albedo = seen_mouth_albedo(bald, track, frames, albedo, region)
        return cls(bald, track, albedo, texture, region, settings)

    def draw(self, expression: np.ndarray, pose: np.ndarray, light: np.ndarray) -> Rendering:
        """The face alone for expression (64,), pose (6,) and light (27,)."""
        return render_face(
            self.model,
            self.track.posed(self.model, expression, pose),
            self.albedo,
            light,
            self.track.camera,
            supersample=self.settings.supersample,
            texture=self.texture,
            threads=self.settings.threads,
            rasteriser=self.settings.rasteriser,
            **self.region.options,
        )

    def over(
        self,
        background: np.ndarray,
        expression: np.ndarray,
        pose: np.ndarray,
        light: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The face laid over a frame (H, W, 3) uint8, and its coverage (H, W) float32."""
        rendering = self.draw(expression, pose, light)
        coverage = feathered(rendering.coverage, feather_px=self.settings.feather_px)
        return composite(Rendering(rendering.image, coverage), background), coverage


def without_lashes(model: MorphableModel) -> MorphableModel:
    """The same model with no triangles for the lashes."""
    kept = ~np.isin(np.asarray(PARTS)[model.part], ("left_lashes", "right_lashes"))
    return replace(model, triangles=model.triangles[kept], part=model.part[kept])
