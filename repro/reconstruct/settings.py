"""Settings of the reconstruction."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class ReconstructSettings(BaseModel):
    """How a clip is turned into coefficients."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    crop_px: int = 256
    """Size of the square crop in which every later stage works."""
    crop_margin: float = 1.75
    """Side of the crop over the size of the face's bounding box."""
    focal: Annotated[float, Field(gt=0)] | Literal["usual", "estimated"] = "usual"
    """Focal length in pixels of the video, where it is known; or ``focal_over_crop`` times the
    crop's side; or what the landmarks say of it (``repro.reconstruct.focal``), which is little."""
    focal_over_crop: float = Field(3.0, gt=0.5)
    """Focal length over the side of the crop that is usual."""
    identity_steps: int = 5
    """Gauss-Newton steps for the identity, on key frames."""
    motion_steps: int = 3
    """Gauss-Newton steps for expression and pose, on every frame."""
    shape_offset: bool = True
    """Add one fixed 3-D offset per landmark to what identity can say (not the paper's)."""
    offset_mm: float = 4.0
    """Size at which an offset costs as much as 1 % of the inter-pupil distance in all frames."""
    weight_landmarks: float = 75.0
    """Independent points, 1 % of the inter-pupil distance sure, that the landmarks amount to."""
    weight_gap: float = 25.0
    """The same for the opening of lips and lids, beside the points' own places."""
    weight_identity: float = 10.0
    """The same for what all frames together say of the identity: they err alike."""
    expression_bend: float = 0.5
    """Second difference of a coefficient from frame to frame that is nothing unusual."""
    pose_bend_deg: float = 0.25
    """Second difference of the head's angles likewise."""
    max_missing: float = 0.5
    """A clip with a larger share of frames without a face is refused."""
