"""The memory of identities: (spatial feature, identity feature) pairs.

Yi et al. 2020, section 3.4, after the memory network of Yoo et al. 2019 ("Coloring with limited
data", section 3.1). Similarity of both kinds of feature is the cosine.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf


class Written(NamedTuple):
    """Where pairs went.

    slots     (B,) slots written, in the pairs' order
    replaced  (B,) whether the pair took the slot's place; else the slot's key moved towards it
    """

    slots: list[int]
    replaced: list[bool]


class IdentityMemory(nn.Module):
    """A table of M slots, all of them buffers, saved with the refiner.

    keys    (M, S) float32, unit spatial features
    values  (M, D) float32, unit identity features
    ages    (M,)   int64, updates since the slot was last written
    used    (M,)   bool
    """

    keys: Tensor
    values: Tensor
    ages: Tensor
    used: Tensor

    def __init__(
        self,
        slots: int,
        *,
        spatial_dim: int,
        identity_dim: int,
        nearest: int = 256,
        identity_threshold: float = 0.98,
        margin: float = 0.3,
        age_noise: int = 4,
    ):
        super().__init__()
        self.nearest = nearest
        self.identity_threshold = identity_threshold
        self.margin = margin
        self.age_noise = age_noise
        self.register_buffer("keys", torch.zeros(slots, spatial_dim))
        self.register_buffer("values", torch.zeros(slots, identity_dim))
        self.register_buffer("ages", torch.zeros(slots, dtype=torch.int64))
        self.register_buffer("used", torch.zeros(slots, dtype=torch.bool))

    def similarities(self, queries: Tensor) -> Tensor:
        """Cosine (B, M) of unit queries (B, S) with each key; -inf for unused slots."""
        return (queries @ self.keys.T).masked_fill(~self.used, -torch.inf)

    def triplet_loss(self, queries: Tensor, identities: Tensor) -> Tensor:
        """Threshold triplet loss: mean over B of max(s_n - s_p + margin, 0).

        Among the nearest keys, s_p is the similarity of the nearest whose identity is the same
        (cosine above the threshold) and s_n of the nearest whose identity is another; a query
        without both counts zero.

        queries (B, S), identities (B, D); gradients flow to the queries.
        """
        queries, identities = nnf.normalize(queries, dim=1), nnf.normalize(identities, dim=1)
        near = min(self.nearest, int(self.used.sum()))
        if near == 0:
            return queries.sum() * 0
        similarity, slots = self.similarities(queries).topk(near, dim=1)  # (B, k), descending
        same = (self.values[slots] @ identities[:, :, None])[..., 0] > self.identity_threshold
        both = same.any(dim=1) & (~same).any(dim=1)
        positive = similarity.masked_fill(~same, -torch.inf).amax(dim=1)
        negative = similarity.masked_fill(same, -torch.inf).amax(dim=1)
        losses = (negative - positive + self.margin).clamp(min=0)
        return torch.where(both, losses, torch.zeros_like(losses)).mean()

    @torch.no_grad()
    def update(
        self, queries: Tensor, identities: Tensor, *, generator: torch.Generator | None = None
    ) -> Written:
        """Write B pairs, one after another.

        Where the nearest key's identity is the same, that key becomes normalise(key + query) and
        its age 0. Otherwise the pair replaces the oldest slot (ages compared with noise; unused
        slots first). All other slots grow older by one.
        """
        queries, identities = nnf.normalize(queries, dim=1), nnf.normalize(identities, dim=1)
        written = [
            self._write(query, identity, generator)
            for query, identity in zip(queries, identities, strict=True)
        ]
        return Written([slot for slot, _ in written], [new for _, new in written])

    def _write(
        self, query: Tensor, identity: Tensor, generator: torch.Generator | None
    ) -> tuple[int, bool]:
        nearest = int(self.similarities(query[None])[0].argmax())
        known = bool(self.used[nearest]) and bool(
            self.values[nearest] @ identity > self.identity_threshold
        )
        if known:
            slot = nearest
            self.keys[slot] = nnf.normalize(self.keys[slot] + query, dim=0)
        else:
            slot = self._oldest(generator)
            self.keys[slot], self.values[slot], self.used[slot] = query, identity, True
        self.ages[self.used] += 1
        self.ages[slot] = 0
        return slot, not known

    def _oldest(self, generator: torch.Generator | None) -> int:
        if not bool(self.used.all()):
            return int((~self.used).to(torch.uint8).argmax())  # the first unused slot
        n = self.age_noise
        noise = torch.randint(-n, n + 1, self.ages.shape, generator=generator)
        return int((self.ages + noise.to(self.ages.device)).argmax())

    @torch.no_grad()
    def read(self, queries: Tensor) -> Tensor:
        """Identity features (B, D) stored with the keys nearest to the queries (B, S).

        An empty memory gives zeros.
        """
        nearest = self.similarities(nnf.normalize(queries, dim=1)).argmax(dim=1)
        return self.values[nearest]
