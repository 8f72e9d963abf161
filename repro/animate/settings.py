"""Settings of the 3D-aware generative network (Chen et al. 2020, sections 4 and 5)."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from repro.refine.settings import RefineSettings

QUARTERED = 2
"""How often the reference encoders halve their input."""


class AnimateSettings(BaseModel):
    """How frames of a person are made from K reference frames, landmarks and head motion.

    The paper gives the size of the frames, K, tau, the coefficients of Eq. 8, the two scales of
    discriminators and the optimiser; widths, depths and the number of steps are ours. What stands
    under "beside the paper" is off by default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # What the network sees
    image_px: int = Field(256, ge=32)
    """Side of the square frames."""
    references: int = Field(8, ge=1)
    """K, the reference frames of a person whose video is made."""
    references_drawn: tuple[int, ...] = Field((1, 8, 32), min_length=1)
    """The numbers of references among which each step of training draws its own."""
    tau: int = Field(64, ge=2)
    """References come from a stretch of so many frames."""
    harder_match: float = Field(0.5, ge=0, le=1)
    """Share of the training samples whose matched frame is not the nearest of the references but
    any other; the paper raises the cost of Eq. 2 without saying how far."""

    # The ablations of figure 10 and table 3
    projected: bool = True
    """The 3D-aware module of section 4.1; without it there is no projected image."""
    attention: bool = True
    """The hybrid embedding of section 4.2; without it the references' features are averaged."""
    composition: Literal["nonlinear", "matting"] = "nonlinear"
    """Section 4.3, or the image matting that it is compared with."""
    warping: bool = True
    """Whether projected and matched image are warped before they are composed."""

    # Networks
    ngf: int = Field(32, ge=2)
    """Channels of the decoder at full resolution; doubled per level up to 8 times as many."""
    levels: int = Field(6, ge=3)
    """N, layers of the decoder; the first works at 1 / 2^(N - 1) of the side."""
    embedding_channels: int = Field(128, ge=4)
    """Channels of the reference features q and of e_y and e_l."""
    sketch_channels: int = Field(16, ge=1)
    """Channels of the landmarks' features, whose convolutions have learned weights theta_S."""
    flow_channels: int = Field(32, ge=2)
    """Channels of the flow networks' first level."""
    ndf: int = Field(64, ge=1)
    """Channels of the discriminators' first layer."""
    discriminator_layers: int = Field(3, ge=1)
    """Layers of stride 2 in each discriminator: 3 see patches of 70 pixels, 2 of 34."""
    scales: int = Field(2, ge=1)
    """Discriminators, each for frames half as large as the one before."""
    reference_halvings: int = Field(0, ge=0)
    """How often references are halved before they are embedded (beside the paper: cheaper)."""

    # Eq. 8
    lambda_gan: float = Field(1.0, ge=0)
    lambda_features: float = Field(10.0, ge=0)
    """lambda_FM, of the feature matching."""
    lambda_perceptual: float = Field(10.0, ge=0)
    """lambda_PCT."""
    lambda_warp: float = Field(10.0, ge=0)
    """lambda_W, of the flow loss."""

    # Optimisation
    lr: float = Field(2e-4, gt=0)
    beta1: float = 0.5
    batch: int = Field(8, ge=1)
    steps: int = Field(200_000, ge=1)

    # Beside the paper
    lambda_l1: float = Field(0.0, ge=0)
    """L1 between made and real frames."""
    lambda_detail: float = Field(0.0, ge=0)
    """L1 between the bands of their Laplacian pyramids."""
    hide_mouth: bool = False
    """The mesh's own mouth is cut out of the projected image: it has the expression of another
    frame, and is copied where little is learned."""
    match_mouth: float = Field(0.0, ge=0)
    """Beside Eq. 2's head motion, how much the mouth's opening counts for the matched frame:
    times the square of the difference, in distances of the outer corners of the eyes."""
    weight_mouth: float = Field(1.0, ge=1)
    """Weight of the pixels about the lips in these two terms, where others have 1."""
    adversarial_from: float = Field(0.0, ge=0, le=1)
    """Share of the steps after which the discriminators take part; they cost less without them."""
    farthest_feature: float = Field(0.0, ge=0)
    """The decoder's normalised features are cut off so many standard deviations from their mean: a
    place far from all others becomes a coloured speck in every frame. 0 cuts nothing off."""
    mirrored: bool = False
    """Half of the training samples are mirrored: twice as many people."""
    colour_jitter: float = Field(0.0, ge=0, lt=1)
    """Random gain of each colour channel, either way, of all pictures of a training sample."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """bf16 counts on GPUs and on processors that are quick at it; others calculate in fp32."""
    average_decay: float = Field(0.0, ge=0, lt=1)
    """Decay of the running average of the generator's weights that is kept in the end."""
    lr_decay_from: float = Field(1.0, ge=0, le=1)
    """Share of the steps after which the learning rate falls linearly to zero."""
    held_out_people: int = Field(0, ge=0)
    """So many people, the last, are not learned from but looked at."""
    look_every: int = Field(200, ge=1)
    """Steps between two looks."""

    # Whom to learn from, beside the clips of the corpus
    portrait_people: int = Field(0, ge=0)
    """Synthetic people filmed for a few frames each: few-shot is learned over many people."""
    portrait_frames: int = Field(10, ge=2)
    """Frames of each."""

    @model_validator(mode="after")
    def _sizes_fit(self) -> "AnimateSettings":
        step = 2 ** (self.levels - 1)
        if self.image_px % step or self.image_px < 2 * step:
            raise ValueError(
                f"image_px {self.image_px} cannot be halved {self.levels - 1} times to 2 pixels "
                "or more: lower levels"
            )
        if self.levels - 1 < self.reference_halvings + QUARTERED:
            raise ValueError(
                f"with reference_halvings {self.reference_halvings} there must be at least "
                f"{self.reference_halvings + QUARTERED + 1} levels"
            )
        if min(self.references_drawn) < 1:
            raise ValueError("references_drawn: at least one reference is needed")
        return self

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the decoder's layers, coarsest first."""
        return tuple(self.ngf * min(2**k, 8) for k in range(self.levels - 1, -1, -1))

    @property
    def judge(self) -> RefineSettings:
        """The shared discriminator's sizes: it sees a sketch, as a grey picture, and a frame."""
        return RefineSettings(
            window=1,
            ndf=self.ndf,
            discriminator_layers=self.discriminator_layers,
            precision=self.precision,
        )
