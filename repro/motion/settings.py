"""Settings of the mapping from audio to expression and pose (Yi et al. 2020, section 3.2)."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class MotionSettings(BaseModel):
    """How sound becomes motion. The defaults are the paper's or its authors' code's.

    What stands under "beside the paper" is off by default; the profiles turn some of it on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Networks
    mfcc_frames: Literal[28] = 28
    """Frames of 10 ms in a sound window."""
    mfcc_coefficients: Literal[12] = 12
    """What ``repro.speech.features.mfcc_windows`` gives of each."""
    encoder_channels: tuple[int, int, int, int, int] = (64, 128, 256, 256, 512)
    """Channels of the encoder's five 3 x 3 convolutions; pooled after the second and the last."""
    encoder_hidden: int = Field(2048, ge=1)
    encoder_dim: int = Field(256, ge=1)
    lstm_dim: int = Field(256, ge=1)
    lstm_layers: int = Field(3, ge=1)

    # Eq. 2
    lambda_pose: float = Field(0.2, ge=0)
    lambda_continuity: float = Field(0.01, ge=0)
    fine_tune_lambda_expression_continuity: float = Field(1e-4, ge=0)
    """Weight of the expression's own continuity term when fine-tuning (the authors' code's)."""

    # Optimisation
    window_frames: int = Field(16, ge=2)
    """Frames of a training window."""
    stride_frames: int = Field(1, ge=1)
    """Frames between the starts of training windows (no number is given in the paper)."""
    batch: int = Field(16, ge=1)
    lr: float = Field(1e-4, gt=0)
    epochs: int = Field(50, ge=1)
    """Passes over the general corpus (no number is given in the paper)."""
    fine_tune_lr: float = Field(1e-4, gt=0)
    fine_tune_epochs: int = Field(100, ge=1)

    # Beside the paper: what is learned from and learned
    normalise_voice: bool = False
    """Give each clip's MFCCs zero mean and unit variance: voices and microphones differ."""
    standardise_targets: bool = False
    """Measure each expression coefficient and each axis of the pose in its own spread."""
    held_out: float = Field(0.0, ge=0, lt=0.5)
    """Share of the frames, at each clip's end, that are kept to choose the epoch."""
    patience_epochs: int | None = Field(None, ge=1)
    """Stop when the loss on held-out windows has not fallen for so long."""

    vertex_loss: bool = False
    """Measure errors of expression in the mouth's vertices (``losses.vertex_metric``)."""

    # Beside the paper: more than the data give
    performed_people: int = Field(0, ge=0)
    """Further synthetic people whose speech and true motion the general mapping's perceptron
    learns from, without being filmed (``repro.motion.performed``)."""
    performed_s: float = Field(4.0, ge=1.0)
    """Seconds that each of them speaks."""
    time_jitter: bool = False
    """Start windows between video frames too, with the motion interpolated there."""
    mfcc_noise: float = Field(0.0, ge=0)
    """Noise added to the MFCCs, in their standard deviations."""
    channel_jitter: float = Field(0.0, ge=0)
    """A constant added to each coefficient of a window: another microphone."""
    voice_jitter: float = Field(0.0, ge=0, lt=0.5)
    """Largest change of a vocal tract's length (bilinear warp of the frequency axis)."""
    dropout: float = Field(0.0, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)

    # Beside the paper: the mapping
    members: int = Field(1, ge=1)
    """Personal networks, trained from the same general one, whose motions are averaged."""
    perceptron_units: int = Field(0, ge=0)
    """Units of each hidden layer of a perceptron beside the general network
    (``repro.motion.perceptron``); 0 for none."""
    perceptron_steps: int = Field(1700, ge=1)
    perceptron_lr: float = Field(1.5e-3, gt=0)
    perceptron_share: float = Field(0.0, ge=0, le=1)
    """Its share in the general mapping's expression; the personal linear regression sees it too."""
    keep_perceptron: bool = False
    """Keep its answer in the personal mapping's expression, with the share that the person's own
    frames bear out: their correlation with it, beyond what comes by chance."""
    ridge_share: float = Field(0.0, ge=0, le=1)
    """Share of closed-form regressions in the personal mapping's expression."""
    kernel_share: float = Field(0.0, ge=0, le=1)
    """Share of the regression with Gaussian kernels in them; the rest is linear."""
    stitching: Literal["sequence", "overlap"] = "sequence"
    """Run the LSTM on through a clip, or average overlapping windows as long as the training's."""

    # Beside the paper: running
    processes: int = Field(1, ge=1)
    """GPUs, or processes on a CPU, that share each batch; they show no progress."""
    lr_decay_from: float = Field(1.0, ge=0, le=1)
    """Share of the steps after which the learning rate falls linearly to zero."""
    max_seconds: float | None = Field(None, gt=0)
    """Stop training after this long; how far it came then depends on the machine."""

    @model_validator(mode="after")
    def _options_have_what_they_need(self) -> "MotionSettings":
        if not self.perceptron_units:
            for name in ("perceptron_share", "keep_perceptron", "performed_people"):
                if getattr(self, name):
                    raise ValueError(f"{name} needs perceptron_units")
        if self.kernel_share and not self.ridge_share:
            raise ValueError("kernel_share needs ridge_share")
        if self.patience_epochs is not None and not self.held_out:
            raise ValueError("patience_epochs needs held_out windows to watch")
        return self
