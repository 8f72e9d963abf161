"""Settings of the learners of expression and head motion (Chen et al. 2020, section 3)."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from repro import FPS


class AnimateSpeechSettings(BaseModel):
    """How sound becomes expression and head motion.

    The paper gives the sound's chunks, tau, the PCA's and the feature's size, the noise and Adam's
    numbers. Widths of other layers, batches, steps and the loss's weight it does not; those here
    are this package's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # What is heard
    sound: Literal["wave", "mfcc"] = "wave"
    """Seven chunks of 40 ms around each frame: samples, or their MFCCs (a small stand-in)."""
    sample_rate: int = Field(50_000, ge=8000, multiple_of=1000)
    """Of the samples, Hz."""
    noise_low_db: int = 6
    noise_high_db: int = 30
    noise_step_db: int = Field(3, ge=1)
    """Signal-to-noise ratios that the expression is learned from."""

    # Networks
    components: int = Field(20, ge=1, le=204)
    """Of the landmarks' PCA."""
    reference_frames: int = Field(64, ge=2)
    """Tau: how much of a video tells a person's way of moving the head."""
    channels: tuple[int, int] = (16, 32)
    """Of the two 2-D convolutions over each frame's sound."""
    feature: int = Field(256, ge=1)
    """Size of the sound's feature, which the person's linear layer takes."""
    kernel: int = Field(5, ge=1)
    """Frames, odd, that a temporal convolution sees; the second one sees every other frame."""
    reference_dim: int = Field(64, ge=1)
    """Size of the encoded reference: landmarks, or sound and motion of a frame."""
    hidden: int = Field(256, ge=1)
    """Width of the perceptron that gives the person's layer."""
    judge_hidden: int = Field(64, ge=1)
    """Width of the discriminator."""

    # Optimisation
    lr: float = Field(2e-4, gt=0)
    betas: tuple[float, float] = (0.5, 0.999)
    expression_batch: int = Field(256, ge=1)
    """Frames."""
    expression_steps: int = Field(20_000, ge=1)
    motion_batch: int = Field(32, ge=1)
    """People, each with a reference and with other speech of theirs."""
    motion_frames: int = Field(128, ge=2)
    """Length of that speech."""
    motion_steps: int = Field(20_000, ge=1)
    lambda_adversarial: float = Field(1.0, ge=0)

    # Beside the paper
    motion_shift: float = Field(0.0, ge=0)
    """How far, in deviations, the heads of a training's people are put elsewhere, in both clips
    alike: a few hundred people's poses are otherwise learned by heart, by their voices."""

    frames_at_use: int | None = Field(None, ge=2)
    """How many of a person's frames tell, at use, how the head moves; None: tau. Any number fits
    the encoder, and a head is known better by 12 s than by the 2.6 s of tau."""

    # What is learned from: people who are performed and not filmed, each in two clips
    people: int = Field(1000, ge=1)
    person_s: float = Field(8.0, ge=1.0)
    """Length of each clip of theirs."""
    held_out_voices: int = Field(4, ge=2, multiple_of=2)
    """Voices that nobody of them has, half of them low."""
    test_people: int = Field(48, ge=2)
    """Who are tested on, with held-out voices."""
    test_s: float = Field(16.0, ge=1.0)
    """Length of each clip of theirs."""

    @property
    def seen_frames(self) -> int:
        """How many frames of a person are looked at, at use."""
        return self.frames_at_use or self.reference_frames

    @model_validator(mode="after")
    def _fits(self) -> "AnimateSpeechSettings":
        if self.kernel % 2 == 0:
            raise ValueError("kernel must be odd")
        if self.noise_high_db < self.noise_low_db:
            raise ValueError("noise_high_db must not be below noise_low_db")
        if max(self.reference_frames, self.motion_frames) > round(self.person_s * FPS):
            raise ValueError("reference_frames and motion_frames must fit into person_s")
        if self.reference_frames > round(self.test_s * FPS):
            raise ValueError("reference_frames must fit into test_s")
        return self
