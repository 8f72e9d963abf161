"""Two 2-D convolutions over the sound of a frame, flattened (Chen et al. 2020, section A.1)."""

import torch
from torch import Tensor, nn

from repro.animate.sound import window_shape
from repro.animate.speech_settings import AnimateSpeechSettings


class ChunkEncoder(nn.Module):
    """The sound x_{t-3:t+4} of a frame -> numbers.

    Of samples, the first layer's kernels last 4 ms and advance by 1 ms, the second's take eight
    such steps and advance by four. Of MFCCs the first layer's take the four steps of a chunk and
    four coefficients, without overlap; the second's are 3 x 3.

    Attributes
    ----------
    size : of what comes out

    Buffers
    -------
    mean, scale (C,) of MFCCs, (1,) of samples
    """

    def __init__(self, settings: AnimateSpeechSettings):
        super().__init__()
        first, second = settings.channels
        rows, columns = window_shape(settings)
        if settings.sound == "mfcc":
            layers = (
                nn.Conv2d(1, first, 4, stride=4),
                nn.Conv2d(first, second, 3, stride=(2, 1), padding=1),
            )
        else:
            ms = settings.sample_rate // 1000
            layers = (
                nn.Conv2d(1, first, (3, 4 * ms), stride=(2, ms), padding=(1, 0)),
                nn.Conv2d(first, second, (3, 8), stride=(2, 4), padding=(1, 0)),
            )
        self.convolutions = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU())
        with torch.no_grad():
            self.size = self.convolutions(torch.zeros(1, 1, rows, columns)).numel()
        self.mean: Tensor
        self.scale: Tensor
        channels = columns if settings.sound == "mfcc" else 1
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("scale", torch.ones(channels))

    def set_scale(self, windows: Tensor) -> None:
        """Take means and spreads from some windows (n, R, C)."""
        values = windows.reshape(-1, len(self.mean))
        self.mean.copy_(values.mean(0))
        self.scale.copy_(values.std(0) + 1e-6)

    def forward(self, windows: Tensor) -> Tensor:
        """Numbers (..., size) of windows (..., R, C)."""
        scaled = (windows - self.mean) / self.scale
        flat = self.convolutions(scaled.reshape(-1, 1, *windows.shape[-2:])).flatten(1)
        return flat.view(*windows.shape[:-2], self.size)
