"""Settings of the two earlier systems."""

from pydantic import BaseModel, ConfigDict, Field, model_validator


class BaselineSettings(BaseModel):
    """Sizes and training of "You Said That" and ATVG, and what Table 2 is measured on.

    The defaults come near the papers' sizes. One crop and one sound window serve both.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    image_px: int = Field(128, ge=32)
    """Side of the square face crop: ATVG's. "You Said That" takes 112."""
    face_margin: float = Field(1.5, ge=1)
    """Side of the crop over the face's larger side, in the clip's first frame."""

    # Networks
    channels: tuple[int, ...] = (64, 128, 256, 512, 512)
    """Of the image networks' levels; each halves the picture."""
    audio_channels: tuple[int, int, int, int, int] = (64, 128, 256, 256, 512)
    feature_dim: int = Field(256, ge=1)
    """Of a sound window's feature, and of a face's."""
    lstm_dim: int = Field(256, ge=1)
    """ATVG: of the recurrent network from sound to landmarks."""
    components: int = Field(20, ge=1)
    """ATVG: principal components of landmarks."""
    window_frames: int = Field(16, ge=2)
    """ATVG: frames of a training sequence of landmarks."""

    # Optimisation
    batch: int = Field(32, ge=1)
    lr: float = Field(2e-4, gt=0)
    steps: int = Field(200_000, ge=1)
    """Of each network that makes pictures."""
    landmark_steps: int = Field(50_000, ge=1)
    """ATVG: of the network from sound to landmarks."""
    attention_floor: float = Field(0.5, ge=0)
    """ATVG: weight that the pixel-wise loss gives where attention is zero (its beta)."""

    # Beside the papers
    normalise_voice: bool = False
    """Take each MFCC about its mean over the clip, in units of its deviation."""

    # Table 2
    test_frames: int = Field(100, ge=60)
    """Frames of each held-out person that are made and measured, after the reference frame."""

    measured_every: int = Field(1, ge=1)
    """Of those, every so many are measured; lips are followed through all."""

    @model_validator(mode="after")
    def _sides_can_be_halved(self) -> "BaselineSettings":
        if self.image_px % 2 ** len(self.channels):
            raise ValueError(
                f"image_px {self.image_px} cannot be halved {len(self.channels)} times, "
                "once for each of channels"
            )
        return self
