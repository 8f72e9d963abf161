"""Settings of the refinement (Yi et al. 2020, section 3.4)."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class RefineSettings(BaseModel):
    """How rendered frames are refined. The defaults are the paper's or its authors' code's.

    What stands under "beside the paper" is off by default; the profiles turn some of it on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    image_px: int = Field(256, ge=16)
    """Side of the square frames."""
    window: int = Field(3, ge=1)
    """Rendered frames that the networks see: t - window + 1 ... t."""

    # Networks
    ngf: int = Field(64, ge=1)
    """Channels of the generator's first level; doubled per level up to 8 times as many."""
    levels: int = Field(8, ge=2)
    """Levels of the U-Net; each halves the image."""
    ndf: int = Field(64, ge=1)
    """Channels of the discriminator's first layer."""
    discriminator_layers: int = Field(3, ge=1)
    """Layers of stride 2: 3 see patches of 70 pixels, 2 of 34, 1 of 16."""

    # Eq. 4
    lambda_gan: float = 1.0
    lambda_l1: float = 100.0
    lambda_attention: float = 2.0
    """2 when fine-tuning; the authors' code takes 0.1 in general training."""
    lambda_smooth: float = 1e-5

    # Optimisation
    lr: float = Field(2e-4, gt=0)
    fine_tune_lr: float = Field(1e-4, gt=0)
    """Learning rate when training starts from another refiner."""
    beta1: float = 0.5
    batch: int = Field(1, ge=1)
    epochs: int = Field(60, ge=1)
    """Passes over all frames, where ``steps`` is not given."""
    steps: int | None = Field(None, ge=1)
    """Steps of optimisation: the budget that gives the same result on any machine."""

    # Memory
    memory_slots: int = Field(30_000, ge=1)
    spatial_dim: int = Field(512, ge=1)
    """Size of the spatial features (the keys)."""
    nearest: int = Field(256, ge=1)
    """Nearest keys among which the triplet loss looks for its positive and negative."""
    identity_threshold: float = 0.98
    """Identity features with a larger cosine similarity are of the same person."""
    triplet_margin: float = 0.3
    """The authors' code's; the paper of the memory network (Yoo et al. 2019) has 0.1."""
    age_noise: int = Field(4, ge=0)
    """Ages are compared with uniform noise of up to this many steps either way."""
    read_smoothing_frames: int = Field(5, ge=1)
    """Odd number of adjacent frames whose retrieved features are averaged (no number is given
    in the paper)."""
    use_memory: bool = True
    """Off for the ablation of section 4.2: neither identity feature nor memory."""

    # Beside the paper: what is trained on
    crop_px: int | tuple[int, int] | None = None
    """Work in a box of this side, or of this height and width, that follows the face, instead of
    in the whole frame."""
    crop_jitter_px: int = Field(0, ge=0)
    """Random shift of the training crops either way."""
    hold_outside_px: int | None = Field(None, ge=0)
    """Hold the attention at 1 (keep the rendered frame) farther than this from the face mask."""
    hold_feather_px: float = Field(3.0, gt=0)
    """Softness of that edge (standard deviation)."""

    # Beside the paper: the networks
    colour_residual: bool = False
    """Colour = blurred rendered frame + the last block's output, so training starts near the
    input; fine detail of the rendering passes by attention alone."""
    full_resolution_channels: int = Field(0, ge=0)
    """Channels of one more 3 x 3 block at full resolution that sees the input window again."""

    residual_gain: float = Field(0.0, ge=0)
    """Where above 0, the discriminator sees, beside the rendered window, the judged frame's
    difference from the rendered one, times this, in place of the frame. It is the same knowledge,
    but what tells real from refined is no longer a hundredth of the input's range."""

    # Beside the paper: the losses
    weight_face: float = Field(1.0, gt=0)
    """Weight of the face's pixels in the L1 term, where others have 1."""
    weight_detail: float = Field(1.0, gt=0)
    """The same for the pixels in the boxes of mouth and eyes."""
    gan_inside_face: bool = False
    """Judge only patches inside the face mask: all others are real in both images."""
    lambda_gradient: float = Field(0.0, ge=0)
    """L1 between the Laplacian pyramids' bands of refined and real frames."""
    lambda_texture: float = Field(0.0, ge=0)
    """L1 between the local strength of those bands, wherever in a cell the detail stands."""
    lambda_features: float = Field(0.0, ge=0)
    """L1 between the discriminator's features of refined and real frames."""

    # Beside the paper: running
    precision: Literal["fp32", "bf16"] = "fp32"
    """bf16 counts on GPUs and on processors that are quick at it; others calculate in fp32."""
    max_seconds: float | None = Field(None, gt=0)
    """Stop training after this long; how far it came then depends on the machine."""
    average_decay: float = Field(0.0, ge=0, lt=1)
    """Decay of the running average of the generator's weights that is kept in the end."""
    lr_decay_from: float = Field(1.0, ge=0, le=1)
    """Share of the steps after which the learning rate falls linearly to zero."""

    # Beside the paper: looks at held-out frames during training
    held_out_share: float = Field(0.0, ge=0, le=0.5)
    """Share of each person's frames, the last, that is not learned from but looked at."""
    look_every: int = Field(100, ge=1)
    """Steps between two looks; each keeps a sheet, and stops a training that has collapsed."""
    patience: int | None = Field(None, ge=1)
    """Stop after so many looks without a nearer one, and keep the weights of the nearest."""

    @model_validator(mode="after")
    def _sizes_fit(self) -> "RefineSettings":
        for side in self.box_px:
            if side % 2**self.levels or side < 2**self.levels:
                raise ValueError(f"a side of {side} px cannot be halved {self.levels} times")
            if side > self.image_px:
                raise ValueError(f"crop_px {side} is larger than image_px {self.image_px}")
        if self.read_smoothing_frames % 2 == 0:
            raise ValueError("read_smoothing_frames must be odd")
        return self

    @property
    def box_px(self) -> tuple[int, int]:
        """Height and width of the box in which the networks work."""
        crop = self.crop_px or self.image_px
        return (crop, crop) if isinstance(crop, int) else crop
