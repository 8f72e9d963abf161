"""The hybrid embedding: K references into weights and appearance (Chen et al. 2020, section 4.2).

The paper draws the blocks (figure 4) and leaves their sizes open. Letters: B samples, K references,
C = ``embedding_channels``, h = w the side of the feature maps, a quarter of the references' once
these are halved ``reference_halvings`` times. Ours are: the maps of Eq. 3 have C channels, as the
features they weigh; ConvGate gates each reference by itself, so that any K fits one set of weights;
Eq. 7's softmax goes over the places, and the product is summed over them.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from repro.animate.settings import AnimateSettings


class Encoded(NamedTuple):
    """References as far as they can be encoded before the wanted landmarks are known.

    keys                   (B, K, C, h, w), E_A of the reference landmarks; None without attention
    images, landmarks      (B, K, C, h, w), the features of the two modalities: q', refined by each
                           other, or q without attention
    image_gate, landmark_gate  (B, C, h, w), their ConvGates; None without attention
    """

    keys: Tensor | None
    images: Tensor
    landmarks: Tensor
    image_gate: Tensor | None
    landmark_gate: Tensor | None

    def repeated(self, count: int) -> "Encoded":
        """One person's (B = 1) for several wanted frames; nothing is copied."""

        def spread(features: Tensor) -> Tensor:
            return features.expand(count, *features.shape[1:])

        gates = (self.keys, self.image_gate, self.landmark_gate)
        keys, image, landmark = (None if x is None else spread(x) for x in gates)
        return Encoded(keys, spread(self.images), spread(self.landmarks), image, landmark)


class Embedded(NamedTuple):
    """What the references say about one wanted frame.

    appearance  (B, C, s, s), e_y: the decoder's start
    codes       N of (B, C), coarsest layer first, from which each layer's weights are made
    """

    appearance: Tensor
    codes: list[Tensor]


class Embedding(nn.Module):
    """E_A, E_I, E_L and the first two blocks of E_F."""

    def __init__(self, settings: AnimateSettings):
        super().__init__()
        wide = settings.embedding_channels
        self.halvings = settings.reference_halvings
        self.activation = _encoder(1, wide) if settings.attention else None
        self.image, self.landmark = _encoder(3, wide), _encoder(1, wide)
        self.hybrid = Hybrid(wide) if settings.attention else None
        downs = settings.levels - 1 - settings.reference_halvings - 2
        self.image_vector, self.landmark_vector = _vector(wide, downs), _vector(wide, downs)
        self.image_blocks = nn.ModuleList(_convolution(wide) for _ in range(settings.levels))
        self.landmark_block = nn.Sequential(_convolution(wide), nn.Conv2d(wide, wide, 1))

    def encode(self, references: Tensor, sketches: Tensor) -> Encoded:
        """Encode references (B, K, 3, S, S) and their sketches (B, K, 1, S, S), both in [0, 1]."""
        batch, count = references.shape[:2]
        frames = self._shrunk(references.flatten(0, 1)) * 2 - 1
        lines = self._shrunk(sketches.flatten(0, 1))
        images, landmarks = self.image(frames), self.landmark(lines)  # (B K, C, h, w)

        def grouped(features: Tensor) -> Tensor:
            return features.unflatten(0, (batch, count))

        if self.hybrid is None or self.activation is None:
            return Encoded(None, grouped(images), grouped(landmarks), None, None)
        refined = [grouped(features) for features in self.hybrid(images, landmarks)]
        gates = (self.hybrid.image_gate, self.hybrid.landmark_gate)
        features = (grouped(images), grouped(landmarks))
        gated = [gate(feature) for gate, feature in zip(gates, features, strict=True)]
        return Encoded(grouped(self.activation(lines)), *refined, *gated)

    def forward(self, encoded: Encoded, sketch: Tensor) -> Embedded:
        """Put the references together for wanted sketches (B, 1, S, S)."""
        weights = self.weights(encoded, sketch)
        image = combined(encoded.images, weights, encoded.image_gate)
        landmark = combined(encoded.landmarks, weights, encoded.landmark_gate)
        appearance, lines = self.image_vector(image), self.landmark_vector(landmark)  # e_y, e_l
        logits = self.landmark_block(lines)
        places = logits.flatten(2).softmax(dim=-1)  # (B, C, s s)
        codes, x = [], appearance
        for block in self.image_blocks:
            x = block(x)
            codes.append((places * x.flatten(2)).sum(-1))
        return Embedded(appearance, codes)

    def weights(self, encoded: Encoded, sketch: Tensor) -> Tensor | None:
        """Chen et al. 2020, Eq. 3: alpha (B, K, C, h, w), which sums to one over K.

        None without attention.
        """
        if self.activation is None or encoded.keys is None:
            return None
        query = self.activation(self._shrunk(sketch))
        return attention_weights(encoded.keys, query)

    def _shrunk(self, pictures: Tensor) -> Tensor:
        return nnf.avg_pool2d(pictures, 2**self.halvings) if self.halvings else pictures


def attention_weights(keys: Tensor, query: Tensor) -> Tensor:
    """Eq. 3: softmax over the references of keys (B, K, C, h, w) times the query (B, C, h, w)."""
    return (keys * query[:, None]).softmax(dim=1)


def combined(features: Tensor, weights: Tensor | None, gated: Tensor | None) -> Tensor:
    """Eq. 6: the weighted sum over the references, and what the ConvGate gives.

    features, weights (B, K, C, h, w), gated (B, C, h, w); without weights, the mean.
    """
    if weights is None:
        return features.mean(dim=1)
    summed = (weights * features).sum(dim=1)
    return summed if gated is None else summed + gated


class Hybrid(nn.Module):
    """The information exchange between images and landmarks, and the ConvGates (figure 4)."""

    def __init__(self, channels: int):
        super().__init__()
        self.exchange = nn.Sequential(
            nn.Conv2d(2 * channels, channels, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(channels, channels, 1),
            nn.LeakyReLU(0.2),
        )
        self.image = nn.Conv2d(2 * channels, channels, 1)
        self.landmark = nn.Conv2d(2 * channels, channels, 1)
        self.image_gate, self.landmark_gate = ConvGate(channels), ConvGate(channels)

    def forward(self, images: Tensor, landmarks: Tensor) -> tuple[Tensor, Tensor]:
        """Refined features of both, from features (B K, C, h, w) of both."""
        shared = self.exchange(torch.cat([images, landmarks], dim=1))
        return (
            self.image(torch.cat([images, shared], dim=1)),
            self.landmark(torch.cat([landmarks, shared], dim=1)),
        )


class ConvGate(nn.Module):
    """Features of K references into one, each reference weighed by what it shows itself.

    Two bottleneck layers, as in the paper; they see one reference at a time, where the paper's
    stack all K along the channels and so hold for one K alone.
    """

    def __init__(self, channels: int):
        super().__init__()
        narrow = max(channels // 4, 1)
        self.gate = nn.Sequential(
            nn.Conv2d(channels, narrow, 1), nn.LeakyReLU(0.2), nn.Conv2d(narrow, channels, 1)
        )

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, h, w) of (B, K, C, h, w): the mean weighted by gates in (0, 1)."""
        gates = self.gate(features.flatten(0, 1)).sigmoid().view_as(features)
        return (gates * features).mean(dim=1)


def _encoder(before: int, channels: int) -> nn.Sequential:
    """Two convolutions that halve their input, and one at a quarter of its size."""
    half = max(channels // 2, 1)
    return nn.Sequential(
        nn.Conv2d(before, half, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(half, channels, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(channels, channels, 3, padding=1),
    )


def _vector(channels: int, downs: int) -> nn.Sequential:
    """Aggregated features q to e: as small as the decoder's first layer."""
    layers: list[nn.Module] = [nn.LeakyReLU(0.2), _convolution(channels)]
    for _ in range(downs):
        layers += [nn.Conv2d(channels, channels, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(channels, channels, 3, padding=1))


def _convolution(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.LeakyReLU(0.2))
