"""Tables 3 and 5 of Song et al. 2020, and the pictures' part of Table 6, on the corpus at hand.

The networks paint held-out frames from these frames' own landmarks: what is measured is the
picture, not the motion. PSNR and SSIM are over the noise's rectangle, where alone pixels are
made; the paper does not say over what its own are. Its Inception score needs the classes of a
network trained on ImageNet, for which there is no open stand-in: that column stays empty.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from repro.edit.blend import soft_mask
from repro.edit.completion import Completed, Completer
from repro.edit.completion_losses import PerceptualNetwork
from repro.edit.completion_train import train_completion
from repro.edit.deflicker import deflicker
from repro.edit.masked import mouth_rectangle
from repro.edit.target import EditedTarget
from repro.edit.video import edited_frames
from repro.edit.video_settings import EditVideoSettings
from repro.edit.windows import Footage
from repro.errors import UserError
from repro.evaluate.image import SSIM_WINDOW_PX, psnr, ssim
from repro.evaluate.measure import NONE, Measure
from repro.evaluate.steadiness import pixel_flicker

RECTANGLE = "the rectangle that was hidden"
MASK = "where the blending mask is over one half"
WHOLE = "the whole frame"


def painted_measures(
    made: Sequence[Completed], real: Iterable[np.ndarray], *, whole: bool = False
) -> list[Measure]:
    """PSNR and SSIM of painted frames, over what was hidden or over the whole frame.

    Parameters
    ----------
    made : T completed frames
    real : T frames (H, W, 3) uint8 of the same moments
    whole : measure the complete frames (Table 5)
    """
    pairs = [
        (frame, truth) if whole else (_inside(frame, rectangle), _inside(truth, rectangle))
        for (frame, rectangle), truth in zip(made, real, strict=True)
    ]
    crop, count = WHOLE if whole else RECTANGLE, len(pairs)
    return [
        Measure(
            "PSNR", float(np.mean([psnr(a, b) for a, b in pairs])), "dB", count, 0, crop, NONE,
            NONE, "mean over frames; RGB, float, data range 255",
        ),
        Measure(
            "SSIM", float(np.mean([ssim(a, b) for a, b in pairs])), "1", count, 0, crop, NONE,
            NONE, f"mean over frames; RGB, uniform window of {SSIM_WINDOW_PX} px",
        ),
    ]  # fmt: skip


def _inside(frame: np.ndarray, rectangle: tuple[int, int, int, int]) -> np.ndarray:
    left, top, right, bottom = rectangle
    return frame[top:bottom, left:right]


def table_three(
    learned: Sequence[Footage],
    tested: Sequence[Footage],
    lengths: Sequence[int],
    settings: EditVideoSettings,
    *,
    seed: int,
    perceptual: PerceptualNetwork | None,
    device: str = "cpu",
) -> pd.DataFrame:
    """Table 3: one generator for all people ("Joint") against one for each ("Split").

    The joint generator is trained for as many steps as the others together, so both styles pass
    over each person's frames as often.

    Parameters
    ----------
    learned, tested : N people's footage to learn from, and the same people's held-out footage
    lengths : frames of each person that are learned from, a column of the paper's table each

    Returns
    -------
    a row for each length, style and person: frames_learned, style, person, networks, parameters
    (of all networks of that style), and ``Measure``'s fields

    Raises
    ------
    UserError
        Fewer than two people, or footage shorter than a length.
    """
    if len(learned) < 2 or len(learned) != len(tested):
        raise UserError(
            "Table 3 compares generators of several people: give footage of two at least, and "
            "held-out footage of each."
        )
    shortest = min(len(person) for person in learned)
    if max(lengths) > shortest:
        raise UserError(
            f"Table 3 is to learn from {max(lengths)} frames of each person, but the shortest "
            f"footage has {shortest}: lower talk.frames or record more."
        )
    rows = []
    for length in lengths:
        people = [person[:length] for person in learned]
        for style, groups in (("Split", [[p] for p in people]), ("Joint", [people])):
            completers = [
                train_completion(
                    group,
                    _for_people(settings, len(group)),
                    seed=seed,
                    perceptual=perceptual,
                    device=device,
                )[0]
                for group in groups
            ]
            about = {
                "frames_learned": length,
                "style": style,
                "networks": len(completers),
                "parameters": sum(_parameters(completer) for completer in completers),
            }
            for k, person in enumerate(tested):
                completer = completers[k % len(completers)]
                for measure in painted_measures(_retraced(completer, person), person.frames):
                    rows.append({**about, "person": person.name, **vars(measure)})
    return pd.DataFrame(rows)


def _for_people(settings: EditVideoSettings, people: int) -> EditVideoSettings:
    """The same passes over each person's frames, however many people share the network."""
    if settings.steps is None:
        return settings
    return settings.model_copy(update={"steps": settings.steps * people})


def _parameters(completer: Completer) -> int:
    return sum(p.numel() for p in completer.network.parameters())


def _retraced(completer: Completer, person: Footage) -> list[Completed]:
    """Frames whose mouths are hidden and painted again as they were."""
    return list(completer.complete(person.frames, person.landmarks, person.landmarks))


def three_as_printed(rows: pd.DataFrame) -> pd.DataFrame:
    """``table_three`` in the paper's form: a row for each style, PSNR and SSIM by length.

    Means over people.
    """
    means = rows.pivot_table(index="style", columns=["frames_learned", "name"], values="value")
    means.columns = [f"{name}, {length} frames" for length, name in means.columns]
    order = [style for style in ("Split", "Joint") if style in means.index]
    return means.loc[order].reset_index()


def table_five(
    learned: Sequence[Footage],
    tested: Sequence[Footage],
    settings: EditVideoSettings,
    *,
    seed: int,
    perceptual: PerceptualNetwork | None,
    device: str = "cpu",
) -> pd.DataFrame:
    """Table 5: the complete frame made from those before it, beside the painted mouth.

    "Full face" is the paper's variant, without frame and heat map of time t and without
    post-processing, measured over the whole frame; "mouth" is the system itself, before blending.

    Parameters
    ----------
    learned, tested : footage to learn from, and held-out footage of the same people

    Returns
    -------
    a row for each variant and measure: variant, and ``Measure``'s fields; means over people

    Raises
    ------
    UserError
        No held-out footage.
    """
    if not tested:
        raise UserError("Table 5 needs held-out footage of at least one person.")
    rows = []
    for variant, chosen in (("full face", whole_frame(settings)), ("mouth", settings)):
        completer, _ = train_completion(
            learned, chosen, seed=seed, perceptual=perceptual, device=device
        )
        taken = [painted_measures(_retraced(completer, p), p.frames, whole=True) for p in tested]
        for same in zip(*taken, strict=True):
            value = float(np.mean([m.value for m in same]))
            frames = sum(m.frames for m in same)
            rows.append({"variant": variant, **vars(same[0]), "value": value, "frames": frames})
    return pd.DataFrame(rows)


def whole_frame(settings: EditVideoSettings) -> EditVideoSettings:
    """The settings of Table 5's variant."""
    values = settings.model_dump() | {"whole_frame": True, "context": None, "keep_outside": False}
    return EditVideoSettings(**values)


def deflicker_rows(
    completer: Completer, person: Footage, settings: EditVideoSettings
) -> pd.DataFrame:
    """What flicker removal (Eq. 7) does to held-out frames: Table 6's "+DF", pictures only.

    Returns
    -------
    a row for each of "without", "with" and, of the second difference, "real": method, and
    ``Measure``'s fields: PSNR, SSIM, second difference, and that of made less real
    """
    points = person.landmarks
    edited = list(edited_frames(person.frames, points, points, completer, settings))
    masks = [one.soft > 0.5 for one in edited]
    methods = {
        "without": [one.frame for one in edited],
        "with": list(deflicker(edited, settings)),
        "real": list(person.frames),
    }
    rows = []
    for method, made in methods.items():
        for measure in _steadiness(made, person.frames, masks):
            rows.append({"method": method, **vars(measure)})
    return pd.DataFrame(rows)


def _steadiness(
    made: Sequence[np.ndarray], real: np.ndarray, masks: Sequence[np.ndarray]
) -> Iterator[Measure]:
    triples = list(zip(made, real, masks, strict=True))
    shown = [(_box(a, mask), _box(b, mask)) for a, b, mask in triples]
    values: dict[str, tuple[np.floating | float, str]] = {
        "PSNR": (np.mean([psnr(a, b, mask=mask) for a, b, mask in triples]), "dB"),
        "SSIM": (np.mean([ssim(a, b) for a, b in shown]), "1"),
        "second difference": (pixel_flicker(made, masks), "grey levels of 255"),
        "second difference of the error": (
            pixel_flicker((np.subtract(a, b, dtype=np.float32) for a, b, _ in triples), masks),
            "grey levels of 255",
        ),
    }
    for name, (value, unit) in values.items():
        yield Measure(name, float(value), unit, len(triples), 0, MASK, NONE, NONE, "mean")


def _box(frame: np.ndarray, mask: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return frame[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def outside_psnr(
    made: Iterable[np.ndarray],
    target: np.ndarray,
    edited: EditedTarget,
    settings: EditVideoSettings,
) -> float:
    """PSNR (dB) of edited frames beyond the blending mask against the target's; inf where equal.

    Parameters
    ----------
    made : T frames (H, W, 3) uint8, before encoding
    target : (M, H, W, 3) uint8
    """
    image, squares = target.shape[1:3], [0.0, 0]
    frames = zip(made, edited.frames(target), edited.original, edited.wanted, strict=True)
    for picture, own, original, new in frames:
        rectangle = mouth_rectangle(original, new, margin=settings.mask_margin, image=image)
        beyond = soft_mask(original, new, rectangle, image, settings) == 0
        squares[0] += float(np.square(picture[beyond] - own[beyond].astype(float)).sum())
        squares[1] += 3 * int(beyond.sum())
    if squares[0] == 0:
        return float("inf")
    return float(10 * np.log10(255**2 * squares[1] / squares[0]))


def published_video_tables() -> dict[str, Any]:
    """Tables 3, 4 and 5 as printed, from ``data/song2020_video.json``."""
    text = (files("repro.study") / "data" / "song2020_video.json").read_text(encoding="utf-8")
    record: dict[str, Any] = json.loads(text)
    return record


def published_three() -> pd.DataFrame:
    """The paper's Table 3 in the form of ``three_as_printed``, by minutes of footage."""
    printed = published_video_tables()["table_3"]
    rows = []
    for style in ("Split", "Joint"):
        row: dict[str, object] = {"style": style}
        for minutes, (first, second) in zip(printed["minutes"], printed[style], strict=True):
            row |= {f"PSNR, {minutes} min": first, f"SSIM, {minutes} min": second}
        rows.append(row)
    return pd.DataFrame(rows)


def published_five() -> pd.DataFrame:
    """The paper's Table 5: method, PSNR, SSIM, IS, FID."""
    printed = published_video_tables()["table_5"]
    return pd.DataFrame(
        {"method": method, **dict(zip(printed["columns"], values, strict=True))}
        for method, values in printed["rows"].items()
    )


def published_four() -> pd.DataFrame:
    """The paper's Table 4, its percentages added up anew.

    How many marks stand behind a row is not published: there are no intervals.

    Returns
    -------
    a row for each pose of the head: ``pose``; of generated and of filmed videos the mean mark (1,
    absolutely fake, to 5) and the percentage of 4 or 5, called real; the ``ratio`` of the latter
    """
    rows = []
    for pose, both in published_video_tables()["table_4"]["percent"].items():
        row: dict[str, object] = {"pose": pose}
        for kind, percent in both.items():
            row[f"{kind}, mean"] = float(np.average(np.arange(1, 6), weights=percent))
            row[f"{kind}, real %"] = sum(percent[3:])
        rows.append(row)
    found = pd.DataFrame(rows)
    return found.assign(ratio=found["generated, real %"] / found["filmed, real %"])
