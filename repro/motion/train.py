"""Training of the mapping from audio to motion (Yi et al. 2020, section 3.2, Eq. 2).

First a general mapping on many people's short clips, then a personal one from it on one clip.
"""

import copy
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from repro.fabric import fabric_on
from repro.files import write_json
from repro.motion.checkpoint import MotionHistory
from repro.motion.data import Batch, Example, WindowSet, prepare
from repro.motion.losses import MotionLoss, motion_loss
from repro.motion.mapping import MotionMapping
from repro.motion.motion import Motion
from repro.motion.network import MotionNetwork
from repro.motion.regression import KernelRidge, fit_ridge
from repro.motion.settings import MotionSettings
from repro.weights import write_tensors

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Progress = Callable[[int, int, float], None]
"""Called after every epoch: epochs done, epochs planned, loss."""

_EXPRESSION_FLOOR = 0.02
_POSE_FLOOR = np.array([0.01, 0.01, 0.01, 0.002, 0.002, 0.002])
"""Least spreads of standardised targets (radians, metres): still channels are not blown up."""
_CHANCE = 0.3
"""Correlation that 100 to 300 frames of a mouth have with speech they do not go with (measured:
0.25 at most between six real people and a mapping that is of no use to them)."""

_OWN_MEAN = 0.3
"""Of the difference between a person's mean expression and what a general mapping answers on
average, how much is believed: the rest is a reconstruction's error, which takes build for
expression (synthetic people: against their truth the mapping errs least with 0.2 to 0.5)."""


def train_general(
    clips: Sequence[Example],
    settings: MotionSettings,
    *,
    seed: int,
    performed: Sequence[Example] = (),
    device: str = "cpu",
    metric: np.ndarray | None = None,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> tuple[MotionMapping, MotionHistory]:
    """Train the general mapping on clips of many people.

    Parameters
    ----------
    clips : MFCC windows (T, 28, 12) and Motion of each; the pose is learned relative to its mean
    performed : further ones, of which the perceptron alone learns
    metric : (64, K), what errors of expression are measured after (``losses.vertex_metric``)
    checkpoint : folder that keeps the run's state after every epoch; a run that was cut off goes
        on from there, with the same result
    """
    clips = [(prepare(windows, settings), motion) for windows, motion in clips]
    mapping = MotionMapping.untrained(settings, seed=seed)
    network = mapping.members[0]
    _set_scales(network, clips, settings, sound=True)
    plan = _Plan(settings, seed, settings.lr, settings.epochs, metric, checkpoint)
    history = _train(network, plan, clips, device, progress)
    if mapping.perceptron is not None:
        others = [(prepare(windows, settings), motion) for windows, motion in performed]
        mapping.perceptron.fit([*clips, *others], seed=seed, device=device)
    return mapping.eval(), history


def fine_tune(
    general: MotionMapping,
    windows: np.ndarray,
    motion: Motion,
    *,
    seed: int,
    settings: MotionSettings | None = None,
    device: str = "cpu",
    metric: np.ndarray | None = None,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> tuple[MotionMapping, MotionHistory]:
    """Make a general mapping a person's own, from one clip (300 frames in the paper).

    Parameters
    ----------
    general : what to start from; it is left as it is
    windows, motion : the clip
    settings : as the general mapping's in what shapes the networks; the others may differ
    """
    settings = settings or general.settings
    clips = [(prepare(windows, settings), motion)]
    networks, histories = [], []
    for member in range(settings.members):
        network = MotionNetwork(settings)
        network.load_state_dict(general.members[0].state_dict())
        _set_scales(network, clips, settings, sound=False)
        network.pose_mean.copy_(torch.from_numpy(motion.pose.mean(0)))
        folder = None if checkpoint is None else checkpoint / f"member{member}"
        plan = _Plan(
            settings, seed + member, settings.fine_tune_lr, settings.fine_tune_epochs, metric,
            folder, settings.fine_tune_lambda_expression_continuity,
        )  # fmt: skip
        histories.append(_train(network, plan, clips, device, progress))
        networks.append(network)
    mapping = MotionMapping(networks, settings)
    sound, done = clips[0][0], motion.expression
    answers, known = None, 0.0
    if mapping.perceptron is not None and general.perceptron is not None:
        mapping.perceptron.load_state_dict(general.perceptron.state_dict())
        with torch.no_grad():
            answers = mapping.perceptron(torch.from_numpy(sound)).numpy()
        known = _borne_out(answers, done, metric)
    if settings.ridge_share:
        relied = answers if known or answers is None else np.zeros_like(answers)
        mapping.ridge.copy_(torch.from_numpy(fit_ridge(sound, done, relied)))
        mapping.ridge_fitted.fill_(True)
    if settings.kernel_share:
        mapping.kernels = KernelRidge.fitted(sound, done)
    mapping.answer_share.zero_()
    if settings.keep_perceptron and answers is not None:
        mapping.answer_share.fill_(known)
        mapping.answer_offset.copy_(torch.from_numpy(_OWN_MEAN * (done - answers).mean(0)))
    return mapping.eval(), replace(histories[0], seconds=sum(h.seconds for h in histories))


def _borne_out(answers: np.ndarray, done: np.ndarray, metric: np.ndarray | None) -> float:
    """How far what was done (T, 64) agrees with answers (T, 64): correlation over all, 0 to 1.

    Counted from what comes by chance in a clip of seconds.
    """
    if metric is not None:
        answers, done = answers @ metric, done @ metric
    answers, done = answers - answers.mean(0), done - done.mean(0)
    spread = np.sqrt(np.square(answers).sum() * np.square(done).sum())
    correlation = (answers * done).sum() / max(spread, 1e-12)
    return float(np.clip((correlation - _CHANCE) / (1 - _CHANCE), 0, 1))


def _set_scales(
    network: MotionNetwork, clips: Sequence[Example], settings: MotionSettings, *, sound: bool
) -> None:
    """Means and spreads that stand around the networks."""
    if sound:
        frames = np.concatenate([windows.reshape(-1, windows.shape[-1]) for windows, _ in clips])
        network.mfcc_mean.copy_(torch.from_numpy(frames.mean(0)))
        network.mfcc_scale.copy_(torch.from_numpy(frames.std(0) + 1e-3))
    if settings.standardise_targets:
        expression = np.concatenate([m.expression for _, m in clips])
        pose = np.concatenate([m.pose - m.pose.mean(0) for _, m in clips])
        spread = np.maximum(expression.std(0), _EXPRESSION_FLOOR)
        network.expression_mean.copy_(torch.from_numpy(expression.mean(0)))
        network.expression_scale.copy_(torch.from_numpy(spread))
        network.pose_scale.copy_(torch.from_numpy(np.maximum(pose.std(0), _POSE_FLOOR)))


def _split(clips: Sequence[Example], share: float) -> tuple[list[Example], list[Example]]:
    """Each clip's beginning and, as held out, its end."""
    cuts = [round(len(motion) * (1 - share)) for _, motion in clips]
    first = [(w[:c], m[:c]) for (w, m), c in zip(clips, cuts, strict=True)]
    return first, [(w[c:], m[c:]) for (w, m), c in zip(clips, cuts, strict=True)]


@dataclass(frozen=True)
class _Plan:
    """How one network is trained; ``checkpoint`` as in ``train_general``."""

    settings: MotionSettings
    seed: int
    lr: float
    epochs: int
    metric: np.ndarray | None
    checkpoint: Path | None
    lambda_expression_continuity: float = 0.0


def _train(
    network: MotionNetwork,
    plan: _Plan,
    clips: Sequence[Example],
    device: str,
    progress: Progress | None,
) -> MotionHistory:
    """Train a network where it is, on one device or on several that share each batch."""
    processes = plan.settings.processes
    fabric = fabric_on(device, processes=processes)
    if processes == 1:
        return _Run(fabric, network, plan).train(clips, progress)
    weights, history = fabric.launch(partial(_train_share, network, plan, clips))
    network.load_state_dict({name: torch.from_numpy(values) for name, values in weights.items()})
    return MotionHistory(**history)


def _train_share(
    network: MotionNetwork, plan: _Plan, clips: Sequence[Example], fabric: "Fabric"
) -> tuple[dict[str, np.ndarray], dict]:
    """What one process of several does: weights, and the history's fields.

    Weights are arrays: tensors would lie in memory that goes with the process.
    """
    torch.set_num_threads(1)
    network = copy.deepcopy(network)  # as it came, it lies in memory that the processes share
    history = _Run(fabric, network, plan).train(clips, None)
    return {name: values.numpy() for name, values in network.state_dict().items()}, asdict(history)


class _Run:
    """One training of one network, as one process sees it."""

    def __init__(self, fabric: "Fabric", network: MotionNetwork, plan: _Plan):
        self.fabric, self.network, self.plan = fabric, network, plan
        self.settings, self.seed, self.epochs = plan.settings, plan.seed, plan.epochs
        self.checkpoint = plan.checkpoint
        optimiser = torch.optim.AdamW(
            network.parameters(), plan.lr, weight_decay=self.settings.weight_decay
        )
        self.model, self.optimiser = fabric.setup(network, optimiser)
        metric = plan.metric
        self.metric = None if metric is None else torch.as_tensor(metric, dtype=torch.float32)

    def train(self, clips: Sequence[Example], progress: Progress | None) -> MotionHistory:
        """Train to the end, going on from the checkpoint where there is one."""
        learned: Sequence[Example] = clips
        held_out: list[Example] = []
        if self.settings.held_out:
            learned, held_out = _split(clips, self.settings.held_out)
        windows = WindowSet(learned, self.settings)
        unseen = WindowSet(held_out, self.settings) if held_out else None
        if self.metric is not None:
            self.metric = self._balanced(self.metric, learned).to(self.fabric.device)
        history, best = self._resume()
        begun = time.monotonic() - history.seconds
        while history.epochs < self.epochs and not self._is_done(history):
            history = self._epoch(history, windows, unseen)
            history = replace(history, seconds=time.monotonic() - begun)
            if history.best == history.epochs:
                best = {k: v.clone() for k, v in self.network.state_dict().items()}
            self._keep(history, best)
            if progress is not None:
                progress(history.epochs, self.epochs, history.train["total"][-1])
        self.network.load_state_dict(best)
        self.network.cpu()
        return history

    def _epoch(
        self, history: MotionHistory, windows: WindowSet, unseen: WindowSet | None
    ) -> MotionHistory:
        epoch, steps = history.epochs, history.steps
        rng = np.random.default_rng([self.seed, epoch])
        planned = self.epochs * -(-len(windows) // self.settings.batch)
        rows = []
        self.model.train()
        with torch.random.fork_rng():
            torch.manual_seed(self.seed * 100_003 + epoch)
            for batch in windows.batches(rng):
                self._set_lr(steps / planned)
                self.optimiser.zero_grad()
                part, weight = self._share(batch)
                terms = self._loss(part)
                self.fabric.backward(weight * terms.total)
                self.optimiser.step()
                rows.append([weight * float(term.detach()) for term in terms])
                steps += 1
        train = _appended(history.train, self._mean(rows))
        held_out = history.held_out
        if unseen is not None:
            held_out = _appended(held_out, self._evaluate(unseen))
            best = int(np.argmin(held_out["total"])) + 1
        else:
            best = epoch + 1
        return replace(
            history, epochs=epoch + 1, steps=steps, train=train, held_out=held_out, best=best
        )

    def _share(self, batch: Batch) -> tuple[Batch, float]:
        """Part of a batch that this process learns from, and the weight of its loss.

        Gradients are averaged over the processes: so weighted, that is the mean over the batch.
        """
        rank, count = self.fabric.global_rank, self.fabric.world_size
        part = Batch(*(tensor[rank::count] for tensor in batch))
        size, whole = len(part.windows), len(batch.windows)
        if size == 0:  # more processes than windows; all must take part in every step
            return Batch(*(tensor[:1] for tensor in batch)), 0.0
        return part, size * count / whole

    def _mean(self, rows: list[list[float]]) -> list[list[float]]:
        """Rows of losses, the mean over the processes."""
        whole = self.fabric.all_reduce(torch.tensor(rows, dtype=torch.float64), reduce_op="mean")
        return torch.as_tensor(whole).tolist()

    def _balanced(self, metric: Tensor, clips: Sequence[Example]) -> Tensor:
        """The metric, scaled so that standardised targets keep a mean square of 1 after it."""
        if not self.settings.standardise_targets:
            return metric
        targets = torch.from_numpy(np.concatenate([motion.expression for _, motion in clips]))
        spread = ((targets - targets.mean(0)) @ metric).square().mean().sqrt()
        return metric / spread.clamp(min=1e-6)

    def _loss(self, batch: Batch) -> MotionLoss:
        batch = Batch(*(part.to(self.fabric.device) for part in batch))
        net = self.network
        expression, pose, _ = self.model(batch.windows)
        scale = 1.0 if self.metric is not None else net.expression_scale
        return motion_loss(
            expression / scale,
            pose / net.pose_scale,
            batch.expression / scale,
            batch.pose / net.pose_scale,
            lambda_pose=self.settings.lambda_pose,
            lambda_continuity=self.settings.lambda_continuity,
            lambda_expression_continuity=self.plan.lambda_expression_continuity,
            metric=self.metric,
        )

    @torch.no_grad()
    def _evaluate(self, unseen: WindowSet) -> list[list[float]]:
        self.model.eval()
        return [[float(t) for t in self._loss(batch)] for batch in unseen.batches(None)]

    def _set_lr(self, done: float) -> None:
        start = self.settings.lr_decay_from
        share = (1 - done) / (1 - start) if done > start else 1.0
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.lr * share

    def _is_done(self, history: MotionHistory) -> bool:
        s = self.settings
        late = s.max_seconds is not None and history.seconds >= s.max_seconds
        if self.fabric.broadcast(late):  # their clocks differ, and all must stop together
            return True
        return s.patience_epochs is not None and history.epochs - history.best >= s.patience_epochs

    def _keep(self, history: MotionHistory, best: dict[str, Tensor]) -> None:
        """Write the run's state; the .json is moved into place last and makes it valid."""
        if self.checkpoint is None or not self.fabric.is_global_zero:
            return
        self.checkpoint.mkdir(parents=True, exist_ok=True)
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"best.{k}": v for k, v in best.items()}
        names = [name for name, _ in self.network.named_parameters()]
        for index, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"adam.{names[index]}.{k}": v for k, v in state.items()}
        path = self.checkpoint / f"epoch{history.epochs}.safetensors"
        write_tensors(path, tensors)
        write_json(self.checkpoint / "run.json", {"seed": self.seed, "history": asdict(history)})
        (self.checkpoint / f"epoch{history.epochs - 1}.safetensors").unlink(missing_ok=True)

    def _resume(self) -> tuple[MotionHistory, dict[str, Tensor]]:
        """History and best weights so far; network and optimiser are put where they were."""
        fresh = MotionHistory(0, 0, 0.0, {}, {}, 0), copy.deepcopy(self.network.state_dict())
        about = None if self.checkpoint is None else self.checkpoint / "run.json"
        if about is None or not about.exists():
            return fresh
        kept = json.loads(about.read_text())
        if kept["seed"] != self.seed:
            return fresh
        history = MotionHistory(**kept["history"])
        tensors = load_file(self.checkpoint / f"epoch{history.epochs}.safetensors")
        parts = {
            part: {k.removeprefix(part): v for k, v in tensors.items() if k.startswith(part)}
            for part in ("network.", "best.", "adam.")
        }
        self.network.load_state_dict(parts["network."])
        state = self.optimiser.state_dict()
        state["state"] = {
            index: {
                key: parts["adam."][f"{name}.{key}"] for key in ("step", "exp_avg", "exp_avg_sq")
            }
            for index, (name, _) in enumerate(self.network.named_parameters())
        }
        self.optimiser.load_state_dict(state)
        return history, parts["best."]


def _appended(columns: dict[str, list[float]], rows: list[list[float]]) -> dict[str, list[float]]:
    """History columns with the mean of the rows added."""
    means = np.mean(rows, axis=0)
    return {
        name: [*columns.get(name, []), float(mean)]
        for name, mean in zip(MotionLoss._fields, means, strict=True)
    }
