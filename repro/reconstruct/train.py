"""Training of the coefficient network (Yi et al. 2020, section 3.1; Deng et al. 2019).

On the open corpus, whose truth is known, and on faces without truth by the picture alone.
"""

import hashlib
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from repro.errors import UserError
from repro.fabric import fabric_on, in_bf16
from repro.face.model import MorphableModel
from repro.face.pose import euler_angles
from repro.reconstruct.alignment import to_network
from repro.reconstruct.augment import make_batch
from repro.reconstruct.network import (
    ANGLES_PART,
    EXPRESSION_PART,
    LIGHT_PART,
    PLACE_PART,
    CoefficientNetwork,
)
from repro.reconstruct.network_checkpoint import NetworkHistory, load_run, save_run
from repro.reconstruct.network_settings import ReconstructNetworkSettings
from repro.reconstruct.objective import IdentityFeatures, Objective
from repro.reconstruct.samples import Samples, padded_px

Progress = Callable[[int, int, float], None]
"""Called after every step: steps done, steps planned, loss."""

_WARM_UP = 0.05
_CLIP_NORM = 10.0
_EVALUATION_BATCH = 64
_FLOORS = (
    (ANGLES_PART, 0.1), (LIGHT_PART, 0.05), (PLACE_PART, 0.01), (EXPRESSION_PART, 0.03),
)  # fmt: skip
"""Least spread of each part's coefficients: still ones are not blown up, and not frozen."""
_LEAST = 0.3
"""Of identity and texture, in standard deviations."""


def train_network(
    samples: Samples,
    model: MorphableModel,
    settings: ReconstructNetworkSettings,
    *,
    seed: int,
    device: str = "cpu",
    identity_features: IdentityFeatures | None = None,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> tuple[CoefficientNetwork, NetworkHistory]:
    """Train a network and give back the one that was best on held-out people.

    Faces with truth are judged by it, but for ``settings.unlabelled_share`` of each batch; the
    others by landmarks and colours. Each step draws from a generator of (seed, step), so that a
    resumed run goes on as an uninterrupted one.

    Parameters
    ----------
    samples : from ``repro.reconstruct.samples`` or ``portraits``, for these settings and model
    device : "cpu", "cuda" or "cuda:1"
    identity_features : differentiable recognition network for Deng et al.'s perceptual term
    checkpoint : file that keeps the run's state, written at every look at the held-out people

    Raises
    ------
    UserError
        No faces, faces of another size, a foreign checkpoint, or a loss that is not a number.
    """
    _check(samples, settings)
    run = _Run(samples, model, settings, seed, device, identity_features, checkpoint)
    return run.train(progress)


def learning_rate(step: int, settings: ReconstructNetworkSettings) -> float:
    """Rises over the first 5 % of the steps, then falls as half a cosine to zero."""
    warm_up = max(1, round(_WARM_UP * settings.steps))
    if step < warm_up:
        return settings.lr * (step + 1) / warm_up
    done = (step - warm_up) / max(1, settings.steps - warm_up)
    return settings.lr * 0.5 * (1 + math.cos(math.pi * done))


def split_people(samples: Samples, share: float, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the faces to learn from and of those of held-out people (none of one person)."""
    people = np.unique(samples.person)
    count = min(round(share * len(people)), len(people) - 1)
    if share and len(people) > 1:
        count = max(count, 1)
    kept = np.random.default_rng([seed, 1]).permutation(people)[:count]
    held = np.isin(samples.person, kept)
    return np.nonzero(~held)[0], np.nonzero(held)[0]


class _Run:
    """One training of one network."""

    def __init__(
        self,
        samples: Samples,
        model: MorphableModel,
        settings: ReconstructNetworkSettings,
        seed: int,
        device: str,
        identity_features: IdentityFeatures | None,
        checkpoint: Path | None,
    ):
        self.samples, self.settings, self.seed = samples, settings, seed
        self.checkpoint = checkpoint
        self.recent: dict[str, list[float]] = {}
        self.learned, self.held_out = split_people(samples, settings.held_out, seed=seed)
        self.fabric = fabric_on(device, bf16=in_bf16(settings.precision, device))
        self.network = CoefficientNetwork.untrained(model, settings, seed=seed)
        self.centre = self.network.centre.numpy().copy()
        _set_spread(self.network, samples, self.learned, self.centre)
        self.objective = Objective(model, self.centre, settings, identity_features)
        adam = torch.optim.AdamW(
            self.network.parameters(), settings.lr, weight_decay=settings.weight_decay
        )
        self.run, self.optimiser = self.fabric.setup(self.network, adam)
        self.objective.to(self.fabric.device)
        self.about = _about(samples, model, settings, seed)

    def train(self, progress: Progress | None) -> tuple[CoefficientNetwork, NetworkHistory]:
        """Train to the end, going on from the checkpoint where there is one."""
        s = self.settings
        history, best = self._resume()
        begun = time.monotonic() - history.seconds
        self.run.train()
        while history.steps < s.steps and not self._is_done(history):
            for group in self.optimiser.param_groups:
                group["lr"] = learning_rate(history.steps, s)
            loss = self._step(history)
            history.seconds = time.monotonic() - begun
            ends = history.steps == s.steps or self._is_out_of_time(history)
            if history.steps % s.validate_every == 0 or ends:
                if self._look(history):
                    best = {k: v.clone() for k, v in self.network.state_dict().items()}
                self._keep(history, best)
            if progress is not None:
                progress(history.steps, s.steps, loss)
        self.network.load_state_dict(best)
        return self.network.cpu().eval(), history

    def _step(self, history: NetworkHistory) -> float:
        s = self.settings
        rng = np.random.default_rng([self.seed, history.steps])
        chosen = rng.choice(self.learned, s.batch, replace=len(self.learned) < s.batch)
        batch = make_batch(self.samples, chosen, s, self.centre, rng).to(self.fabric.device)
        hidden = torch.from_numpy(rng.random(s.batch) < s.unlabelled_share)
        supervised = batch.labelled & ~hidden.to(batch.labelled.device)
        self.optimiser.zero_grad()
        terms = self.objective(self.run(batch.images), batch, supervised)
        self.fabric.backward(terms["total"])
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP_NORM)
        self.optimiser.step()
        history.steps += 1
        loss = float(terms["total"].detach())
        if not math.isfinite(loss):
            raise UserError(
                f"Training of the coefficient network broke at step {history.steps}: the loss is "
                "not a finite number; lower lr, or use precision fp32."
            )
        for name, term in terms.items():
            self.recent.setdefault(name, []).append(float(term.detach()))
        return loss

    @torch.no_grad()
    def _look(self, history: NetworkHistory) -> bool:
        """Judge the network on held-out people; whether it is the best so far."""
        for name, values in self.recent.items():
            history.train.setdefault(name, []).append(float(np.mean(values)))
        self.recent = {}
        if not len(self.held_out):
            history.best = history.steps
            return True
        self.run.eval()
        seen: dict[str, list[np.ndarray]] = {}
        for start in range(0, len(self.held_out), _EVALUATION_BATCH):
            chosen = self.held_out[start : start + _EVALUATION_BATCH]
            batch = make_batch(self.samples, chosen, self.settings, self.centre, None)
            batch = batch.to(self.fabric.device)
            answers, known = self.run(batch.images), batch.labelled
            total = self.objective(answers, batch, known)["total"]
            found = {"total": total.expand(len(chosen))}
            if known.any():
                found |= self.objective.errors(answers[known], batch.only(known))
            for name, values in found.items():
                seen.setdefault(name, []).append(values.cpu().numpy())
        totals = {name: float(np.concatenate(values).mean()) for name, values in seen.items()}
        self.run.train()
        for name, value in {**totals, "step": history.steps}.items():
            history.held_out.setdefault(name, []).append(value)
        curve = history.held_out["total"]
        if curve[-1] <= min(curve):
            history.best = history.steps
        return history.best == history.steps

    def _is_out_of_time(self, history: NetworkHistory) -> bool:
        limit = self.settings.max_seconds
        return limit is not None and history.seconds >= limit

    def _is_done(self, history: NetworkHistory) -> bool:
        patience, looks = self.settings.patience, history.held_out.get("step", [])
        worse = sum(step > history.best for step in looks)
        return self._is_out_of_time(history) or (patience is not None and worse >= patience)

    def _keep(self, history: NetworkHistory, best: dict[str, Tensor]) -> None:
        if self.checkpoint is not None:
            save_run(
                self.checkpoint, history, about=self.about, modules={"network": self.network},
                best=best, optimiser=self.optimiser,
            )  # fmt: skip

    def _resume(self) -> tuple[NetworkHistory, dict[str, Tensor]]:
        found = None
        if self.checkpoint is not None:
            found = load_run(
                self.checkpoint, about=self.about, modules={"network": self.network},
                optimiser=self.optimiser,
            )  # fmt: skip
        if found is not None:
            return found
        fresh = {k: v.clone() for k, v in self.network.state_dict().items()}
        return NetworkHistory(), fresh


def _set_spread(
    network: CoefficientNetwork, samples: Samples, learned: np.ndarray, centre: np.ndarray
) -> None:
    """Mean and spread of the coefficients learned from, seen from the network's camera."""
    known = learned[samples.labelled[learned]]
    if len(np.unique(samples.person[known])) < 2:
        return
    parts = []
    for chosen in np.array_split(known, -(-len(known) // _EVALUATION_BATCH)):
        batch = make_batch(samples, chosen, network.settings, centre, None)
        rotation, place = to_network(batch.rotation, batch.place, *batch.views)
        seen = batch.vectors.numpy().copy()
        seen[:, ANGLES_PART] = euler_angles(rotation.numpy())
        seen[:, PLACE_PART] = place.numpy()
        seen[:, LIGHT_PART] = batch.light.numpy()
        parts.append(seen)
    vectors = np.concatenate(parts)
    spread = np.maximum(vectors.std(0), _LEAST)
    for part, floor in _FLOORS:
        spread[part] = np.maximum(vectors[:, part].std(0), floor)
    network.mean.copy_(torch.from_numpy(vectors.mean(0)))
    network.scale.copy_(torch.from_numpy(spread))


def _check(samples: Samples, settings: ReconstructNetworkSettings) -> None:
    if not len(samples):
        raise UserError("There is no face to train the coefficient network on.")
    have, want = samples.images.shape[1], padded_px(settings)
    if have != want:
        raise UserError(
            f"The faces are {have} px wide, but these settings need {want} px; gather them anew."
        )


def _about(
    samples: Samples, model: MorphableModel, settings: ReconstructNetworkSettings, seed: int
) -> str:
    """A name for this run's settings (but its time limit), seed, model and data."""
    digest = hashlib.sha256(model.sha256.encode())
    digest.update(settings.model_copy(update={"max_seconds": None}).model_dump_json().encode())
    digest.update(str(seed).encode())
    for array in (samples.images, samples.landmarks, samples.vectors, samples.labelled):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
