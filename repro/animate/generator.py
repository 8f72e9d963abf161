"""The 3D-aware generative network: references, landmarks and head motion into frames.

Chen et al. 2020, section 4: hybrid embedding, flow, and composition. The 3D-aware module, which
has nothing to learn here, stands in ``repro.animate.unproject``.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from repro.animate.composition import Decoder, matte
from repro.animate.embedding import Embedding, Encoded
from repro.animate.flow import FlowNetwork, Warped
from repro.animate.settings import AnimateSettings
from repro.animate.views import Views
from repro.fabric import channels_last


class Made(NamedTuple):
    """What the network makes of B wanted frames.

    frame      (B, 3, S, S) in [0, 1]
    projected  the projected image, warped; None without the 3D-aware module
    matched    the matched image, warped
    """

    frame: Tensor
    projected: Warped | None
    matched: Warped


class Generator(nn.Module):
    """All that is learned of the 3D-aware generative network; any number of references fits."""

    def __init__(self, settings: AnimateSettings):
        super().__init__()
        self.nonlinear = settings.composition == "nonlinear"
        self.embedding = Embedding(settings)
        self.projected_flow = FlowNetwork(settings) if settings.projected else None
        self.matched_flow = FlowNetwork(settings)
        images = (1 + settings.projected) if self.nonlinear else 0
        self.decoder = Decoder(settings, images=images)
        channels_last(self)

    def forward(self, references: Tensor, sketches: Tensor, views: Views) -> Made:
        """Make frames from references (B, K, 3, S, S) and their sketches (B, K, 1, S, S).

        Raises
        ------
        ValueError
            There is no reference.
        """
        return self.compose(self.encode(references, sketches), views)

    def encode(self, references: Tensor, sketches: Tensor) -> Encoded:
        """What does not depend on the wanted frames; shapes as for ``forward``.

        Raises
        ------
        ValueError
            No reference frame.
        """
        if not references.shape[1]:
            raise ValueError("at least one reference frame is needed")
        return self.embedding.encode(references, sketches)

    def compose(self, encoded: Encoded, views: Views) -> Made:
        """The wanted frames, given encoded references of as many samples."""
        embedded = self.embedding(encoded, views.sketch)
        whole = torch.ones_like(views.coverage)
        matched = self.matched_flow(views.matched, whole, views.matched_sketch, views.sketch)
        images, projected = [matched], None
        if self.projected_flow is not None:
            projected = self.projected_flow(
                views.projected, views.coverage, views.projected_sketch, views.sketch
            )
            images.append(projected)
        frame = self.decoder(
            *embedded, views.sketch, images if self.nonlinear else []
        )  # fmt: skip
        if not self.nonlinear:
            for image in images:
                frame = matte(frame, image.image, image.attention)
        return Made(frame, projected, matched)


def seeded_generator(settings: AnimateSettings, *, seed: int) -> Generator:
    """An untrained network; no other generator of random numbers is moved."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Generator(settings)
