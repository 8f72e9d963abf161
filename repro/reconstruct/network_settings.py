"""Settings of the coefficient network (Yi et al. 2020, section 3.1; Deng et al. 2019)."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ReconstructNetworkSettings(BaseModel):
    """How the network is built and trained.

    Sizes, alignment and the weights of the self-supervised terms are, by default, those of Deng et
    al. 2019 and their public PyTorch code. What stands under "with ground truth" has no
    counterpart there: the open corpus knows its people exactly.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Network
    block: Literal["basic", "bottleneck"] = "bottleneck"
    layers: tuple[int, int, int, int] = (3, 4, 6, 3)
    """Blocks in each of the trunk's stages: this is ResNet-50."""
    width: int = Field(64, ge=4)
    """Channels of the first stage; each further one has twice as many."""
    pooled: int = Field(1, ge=1)
    """Places along each axis that the last feature map is averaged to before the heads; more than
    1 keeps apart where in the crop a feature stands (not the paper's)."""

    # Alignment
    input_px: int = Field(224, ge=32)
    """Side of the crop that the network sees."""
    crop_m: float = Field(0.2196, gt=0.05, lt=1)
    """What that side measures at the face, in metres: 224 px at 102 px a decimetre."""

    # Data
    frames_per_clip: int = Field(100, ge=1)
    """Frames, evenly spread, taken of each clip."""
    portrait_people: int = Field(0, ge=0)
    """Further synthetic people to learn from, filmed for a few single frames each; 0 for none."""
    portrait_frames: int = Field(10, ge=1)
    """Frames of each."""
    held_out: float = Field(0.1, ge=0, lt=0.5)
    """Share of the people kept for validation."""

    # Augmentation
    shift: float = Field(0.045, ge=0)
    """Largest shift of the crop, as a share of its side (10 of 224 px)."""
    zoom: float = Field(0.1, ge=0, lt=0.5)
    """Largest change of scale."""
    rotation_deg: float = Field(10.0, ge=0)
    """Largest turn of the crop, either way."""
    degrade: float = Field(0.3, ge=0, le=1)
    """How often each of blur, noise, compression and (a third as often) grey strikes."""

    # Optimisation
    batch: int = Field(32, ge=2)
    steps: int = Field(60_000, ge=1)
    lr: float = Field(1e-4, gt=0)
    """Learning rate at its peak: it rises over the first 5 % and falls as a cosine to zero."""
    weight_decay: float = Field(0.0, ge=0)
    validate_every: int = Field(1000, ge=1)
    """Steps between looks at the held-out people; the best network is kept."""
    patience: int | None = Field(None, ge=1)
    """Stop after so many looks without an improvement."""
    max_seconds: float | None = Field(None, gt=0)
    """Stop training after this long; how far it came then depends on the machine."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """bf16 counts on GPUs and on processors that are quick at it; others calculate in fp32."""

    # Self-supervision: weights of Deng et al.'s code
    unlabelled_share: float = Field(0.25, ge=0, le=1)
    """Share of each batch that is learned from without its ground truth, where both kinds exist."""
    picture_weight: float = Field(10.0, ge=0)
    """Of all that follows, beside the terms with ground truth, which are larger numbers."""
    weight_landmarks: float = Field(1.6e-3, ge=0)
    """Of squared pixels, at 224 px."""
    weight_photometric: float = Field(1.92, ge=0)
    weight_features: float = Field(0.2, ge=0)
    """Of identity features, where a network for them is given."""
    weight_prior: float = Field(3e-4, ge=0)
    prior_identity: float = Field(1.0, ge=0)
    prior_expression: float = Field(0.8, ge=0)
    prior_texture: float = Field(1.7e-2, ge=0)
    weight_light: float = Field(10.0, ge=0)
    """Of the light's colour."""
    weight_reflectance: float = Field(5.0, ge=0)
    """Of the skin's unevenness."""

    # With ground truth
    truth_expression: float = Field(1.0, ge=0)
    """Of the error in millimetres: mouth, lids, and half as much the whole face."""
    truth_identity: float = Field(0.5, ge=0)
    """Of the error of the neutral face in millimetres."""
    truth_landmarks: float = Field(1.0, ge=0)
    """Of the distance in pixels, at 224 px."""
    truth_pose: float = Field(0.5, ge=0)
    """Of the angle in degrees, and of the distance in centimetres."""
    truth_albedo: float = Field(5.0, ge=0)
    """Of the error in colour, of 1."""
    truth_light: float = Field(5.0, ge=0)
    """Of the error in irradiance, of 1."""
