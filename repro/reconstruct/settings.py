"""Settings of the reconstruction."""

from pydantic import BaseModel, ConfigDict


class ReconstructSettings(BaseModel):
    """How a clip is turned into coefficients."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    crop_px: int = 256
    """Size of the square crop in which every later stage works."""
    crop_margin: float = 1.75
    """Side of the crop over the size of the face's bounding box."""
    focal_over_crop: float = 3.0
    """Focal length over the side of the crop: one clip cannot tell it, so it is fixed."""
    iterations: int = 250
    """Steps of Adam over the whole clip."""
    shape_offset: bool = True
    """Add one fixed 3-D offset per landmark to what identity can say (not the paper's)."""
    weight_identity: float = 0.02
    weight_expression: float = 0.15
    weight_smooth: float = 2.0
    """Second difference of the expression over time."""
    weight_pose_smooth: float = 0.3
    weight_gap: float = 3.0
    """Opening of lips and lids, beside the points' own places."""
    max_missing: float = 0.5
    """A clip with a larger share of frames without a face is refused."""
