"""Settings of the video side of Song et al. 2020 (section 3.3 and appendix B)."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from repro.refine.settings import RefineSettings


class EditVideoSettings(BaseModel):
    """How the mouth region of a target video is made anew. Defaults follow the paper.

    Of sizes and coefficients the paper gives the window, the 75 million parameters of the
    generator and the form of every formula; the other numbers are ours. Lengths marked "pupils"
    are shares of the distance between the pupils. What stands under "beside the paper" is off.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # What the networks see
    window: int = Field(7, ge=2)
    """Frames and heat maps that the generator sees: t - window + 1 ... t."""
    whole_frame: bool = False
    """Table 5: frame and heat map of time t are withheld, and the complete frame is made."""
    mask_margin: float = Field(0.15, ge=0)
    """How far the rectangle of noise reaches over the points of the mouth region (pupils)."""
    heatmap_sigma_px: float = Field(1.5, gt=0)
    """Standard deviation of the Gaussians about the landmarks."""

    # Networks
    ngf: int = Field(75, ge=1)
    """Channels of the U-Net's first level; doubled per level up to 8 times as many. With eight
    levels 75 gives the paper's 75 million parameters."""
    levels: int = Field(8, ge=2)
    """Levels of the U-Net; each halves the image."""
    ndf: int = Field(64, ge=1)
    """Channels of the discriminator's first layer."""
    discriminator_layers: int = Field(3, ge=1)
    """Layers of stride 2: 3 see patches of 70 pixels, 2 of 34, 1 of 16."""

    # Eq. 4
    lambda_l1: float = Field(100.0, ge=0)
    lambda_adversarial: float = Field(1.0, ge=0)
    lambda_perceptual: float = Field(10.0, ge=0)
    lambda_variation: float = Field(0.1, ge=0)
    lambda_penalty: float = Field(1.0, ge=0)

    # Optimisation
    lr: float = Field(2e-4, gt=0)
    beta1: float = 0.5
    batch: int = Field(1, ge=1)
    epochs: int = Field(60, ge=1)
    """Passes over all frames, where ``steps`` is not given."""
    steps: int | None = Field(None, ge=1)

    # Blending
    blend_grow: float = -0.05
    """The blended region is the hull of the mouth region's points, grown by this (pupils); the
    paper erodes it."""
    blend_feather: float = Field(0.06, gt=0)
    """Softness of its edge (standard deviation, pupils)."""

    # Appendix B
    still_px: float = Field(1.0, ge=0)
    """Algorithm 1's d_th: mouths that move farther in a frame are not smoothed."""
    smooth_strength: float = Field(3.0, gt=0)
    """Algorithm 1's s, per pixel."""
    smooth_by: Literal["centre", "points"] = "centre"
    """What a mouth's motion is in Algorithm 1 and Eq. 7: of its centre, as in the paper, or
    (beside the paper) the mean of its points', which sees lips that open about a resting centre."""
    deflicker: bool = True
    """Eq. 7 on the finished frames."""
    deflicker_levels: float | None = Field(None, gt=0)
    """Beside the paper: where the frame differs from the one before, moved by the flow, by more
    than about so many grey levels, it is change and no flicker, and Eq. 7 leaves it."""

    # Beside the paper: what is trained on
    context: float | None = Field(None, ge=0)
    """Work in a box that reaches so far over the noise (pupils) instead of in the whole frame."""
    box_jitter_px: int = Field(0, ge=0)
    """Random shift of the training boxes either way."""
    other_mouths: bool = False
    """Training masks also cover the mouth of another moment, as they do in an edited video; so
    the rectangle does not tell how far the mouth is open."""

    # Beside the paper: one person's network goes on from everybody's
    general_steps: int | None = Field(None, ge=1)
    """Steps on the corpus' general clips before the person's own; None starts anew."""

    # Beside the paper: networks, losses
    full_resolution_channels: int = Field(0, ge=0)
    """Channels of one more 3 x 3 block at full resolution that sees the input again."""
    keep_outside: bool = False
    """Make only what the noise covers; outside it the frame is given back."""
    adversarial_from: float = Field(0.0, ge=0, le=1)
    """Share of the steps after which the discriminator takes part; they cost less without it."""
    lambda_gradient: float = Field(0.0, ge=0)
    """L1 between the Laplacian pyramids' bands, inside the noise."""
    lambda_texture: float = Field(0.0, ge=0)
    """L1 between the local strength of those bands."""
    weight_lips: float = Field(1.0, gt=0)
    """Weight of the pixels within the outer lips in the L1 terms, where others have 1."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """bf16 counts on GPUs and on processors that are quick at it; others calculate in fp32."""
    average_decay: float = Field(0.0, ge=0, lt=1)
    """Decay of the running average of the generator's weights that is kept in the end."""
    lr_decay_from: float = Field(1.0, ge=0, le=1)
    """Share of the steps after which the learning rate falls linearly to zero."""
    held_out_share: float = Field(0.0, ge=0, le=0.5)
    """Share of each person's frames, the last, that is not learned from but looked at."""
    look_every: int = Field(200, ge=1)
    """Steps between two looks."""

    @model_validator(mode="after")
    def _whole_frame_needs_no_box(self) -> "EditVideoSettings":
        if self.whole_frame and (self.context is not None or self.keep_outside):
            raise ValueError("whole_frame makes the complete frame: leave context and keep_outside")
        return self

    @property
    def frames_in(self) -> int:
        """Frames and heat maps in the generator's input."""
        return self.window - 1 if self.whole_frame else self.window

    @property
    def judge(self) -> RefineSettings:
        """The shared discriminator's sizes: it sees a heat map, a masked frame, and a frame."""
        return RefineSettings(
            window=2,
            ndf=self.ndf,
            discriminator_layers=self.discriminator_layers,
            precision=self.precision,
        )
