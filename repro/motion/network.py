"""The networks E and R: windows of sound -> expression and head pose (Yi et al. 2020, Eq. 1).

Layers and sizes are the authors' code's. Around them stand fixed scales (buffers): of the MFCCs,
and of the motion, so that the paper's raw coefficients and standardised ones share the code.
"""

import torch
from torch import Tensor, nn

from repro.face.coefficients import EXPRESSION, POSE
from repro.motion.settings import MotionSettings

State = tuple[Tensor, Tensor]
"""Hidden and cell state (h, c), each (layers, B, lstm_dim)."""


class AudioEncoder(nn.Module):
    """E: a window of MFCCs -> its feature.

    Five 3 x 3 convolutions; 3 x 3 max-pooling after the second (halving the coefficients) and
    after the last (halving both axes); two fully connected layers.
    """

    def __init__(self, settings: MotionSettings):
        super().__init__()
        widths = (1, *settings.encoder_channels)
        layers: list[nn.Module] = []
        for i in range(5):
            layers += [nn.Conv2d(widths[i], widths[i + 1], 3, padding=1), nn.ReLU()]
            if i == 1:
                layers.append(nn.MaxPool2d(3, stride=(1, 2)))
        layers.append(nn.MaxPool2d(3, stride=(2, 2)))
        self.convolutions = nn.Sequential(*layers)
        rows = (settings.mfcc_frames - 2 - 3) // 2 + 1
        columns = ((settings.mfcc_coefficients - 3) // 2 + 1 - 3) // 2 + 1
        self.connected = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(settings.dropout),
            nn.Linear(widths[-1] * rows * columns, settings.encoder_hidden),
            nn.ReLU(),
            nn.Dropout(settings.dropout),
            nn.Linear(settings.encoder_hidden, settings.encoder_dim),
            nn.ReLU(),
        )

    def forward(self, windows: Tensor) -> Tensor:
        """Features (B, encoder_dim) of scaled windows (B, 28, 12)."""
        return self.connected(self.convolutions(windows[:, None]))


class MotionNetwork(nn.Module):
    """R(E(.)): sound -> expression and pose relative to the person's mean pose.

    Buffers
    -------
    mfcc_mean, mfcc_scale               (12,)
    expression_mean, expression_scale   (64,); 0 and 1 for the paper's raw coefficients
    pose_scale                          (6,); 1 for the paper's raw angles and metres
    pose_mean                           (6,) the person's mean pose, zero before fine-tuning:
                                        where a head is depends on the camera, not on the sound
    """

    def __init__(self, settings: MotionSettings):
        super().__init__()
        self.settings = settings
        self.encoder = AudioEncoder(settings)
        self.lstm = nn.LSTM(
            settings.encoder_dim,
            settings.lstm_dim,
            settings.lstm_layers,
            batch_first=True,
            dropout=settings.dropout if settings.lstm_layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(settings.dropout)
        self.expression_head = nn.Linear(settings.lstm_dim, EXPRESSION)
        self.pose_head = nn.Linear(settings.lstm_dim, POSE)
        self.mfcc_mean: Tensor
        self.mfcc_scale: Tensor
        self.expression_mean: Tensor
        self.expression_scale: Tensor
        self.pose_mean: Tensor
        self.pose_scale: Tensor
        for name, size in (
            ("mfcc", settings.mfcc_coefficients),
            ("expression", EXPRESSION),
            ("pose", POSE),
        ):
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_scale", torch.ones(size))

    def forward(self, windows: Tensor, state: State | None = None) -> tuple[Tensor, Tensor, State]:
        """Eq. 1 over T frames.

        Parameters
        ----------
        windows : (B, T, 28, 12) float32, MFCCs
        state : (h, c) of the frame before, or None at the start

        Returns
        -------
        expression (B, T, 64), pose (B, T, 6) relative to ``pose_mean``, state after the last frame
        """
        b, t = windows.shape[:2]
        scaled = (windows - self.mfcc_mean) / self.mfcc_scale
        features = self.encoder(scaled.flatten(0, 1)).view(b, t, -1)  # B, T, encoder_dim
        hidden, state = self.lstm(features, state)  # B, T, lstm_dim
        hidden = self.dropout(hidden)
        expression = self.expression_head(hidden) * self.expression_scale + self.expression_mean
        return expression, self.pose_head(hidden) * self.pose_scale, state
