"""Speech made nobody's in particular (Song et al. 2020, section 3.2.1, figure 3).

Speaker adaptation as in speech recognition, with the parameters given by a network instead of EM:
one affine map of the spectrum, the same in all of a window's frames, brings every speaker to a
"global speaker".
"""

import torch
from torch import Tensor, nn

from repro.edit.speech_settings import EditSpeechSettings

COEFFICIENTS = 12
_START = 0.2
"""Deviation of the matrices' elements at the start. The shares start at zero, so that the map
starts at the identity and its gradient is not small."""


class IdRemoval(nn.Module):
    """Eq. 1: x' = W (x; 1), W = I + sum_j lambda_j W_j; lambda from the window by LSTM + FC.

    x is taken in units of its spread, which differs between coefficients. As W is affine, that is
    the same family of maps.

    ``components`` (k, 12, 13) are the W_j; their last columns shift the spectrum.

    Buffers
    -------
    mean, scale (12,)
    """

    def __init__(self, settings: EditSpeechSettings):
        super().__init__()
        self.stack = settings.stack
        k, dim = settings.components, settings.id_lstm_dim
        self.lstm = nn.LSTM(COEFFICIENTS * self.stack, dim, batch_first=True)
        self.connected = nn.Linear(dim, k)
        nn.init.zeros_(self.connected.weight)
        nn.init.zeros_(self.connected.bias)
        self.components = nn.Parameter(_START * torch.randn(k, COEFFICIENTS, COEFFICIENTS + 1))
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(COEFFICIENTS))
        self.register_buffer("scale", torch.ones(COEFFICIENTS))

    def shares(self, windows: Tensor) -> Tensor:
        """Lambda (B, k) of MFCC windows (B, S, 12)."""
        scaled = (windows - self.mean) / self.scale
        _, (hidden, _) = self.lstm(stacked(scaled, self.stack))
        return self.connected(hidden[-1])

    def forward(self, windows: Tensor, shares: Tensor | None = None) -> Tensor:
        """New MFCC windows (B, S, 12) of MFCC windows (B, S, 12).

        ``shares``: lambda (B, k), by default each window's own.
        """
        shares = self.shares(windows) if shares is None else shares
        scaled = (windows - self.mean) / self.scale
        change = torch.einsum("bk,kdc->bdc", shares, self.components)  # B, 12, 13
        moved = scaled + scaled @ change[..., :-1].mT + change[:, None, :, -1]
        return moved * self.scale + self.mean


def averaged(shares: Tensor, utterance: Tensor) -> Tensor:
    """Lambda (B, k), each the mean over the windows that come from the same utterance (B,)."""
    which, index, counts = utterance.unique(return_inverse=True, return_counts=True)
    sums = shares.new_zeros(len(which), shares.shape[1]).index_add(0, index, shares)
    return (sums / counts[:, None])[index]


def stacked(windows: Tensor, stack: int) -> Tensor:
    """Frames of 10 ms (B, S, 12), several at a time: (B, S / stack, 12 stack)."""
    b, s, c = windows.shape
    used = s - s % stack
    return windows[:, s - used :].reshape(b, used // stack, c * stack)


def identity_loss(logits: Tensor) -> Tensor:
    """Eq. 2: cross-entropy (scalar) of the uniform answer; log(N) at least, where p is uniform.

    Parameters
    ----------
    logits : (B, N) of p(c | x')
    """
    return -torch.log_softmax(logits, 1).mean(1).mean()
