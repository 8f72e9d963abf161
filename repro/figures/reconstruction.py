"""Pictures of a reconstruction (notebook 02): shape, albedo, light, errors, coefficients.

Synthetic people carry their truth: it stands beside whatever it can be compared with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from scipy.spatial.transform import Rotation

from repro import FPS
from repro.corpus.truth import Truth
from repro.evaluate.lips import correlation
from repro.face import landmarks as lm
from repro.face.light import irradiance
from repro.face.model import MorphableModel
from repro.face.pose import apply_pose
from repro.figures.basics import sheet
from repro.reconstruct.track import FaceTrack
from repro.render import view
from repro.render.face import FaceRenderer
from repro.render.rasterise import rasterise
from repro.render.shade import render_face

ACTIONS = (
    "jawOpen", "eyeBlinkLeft", "eyeBlinkRight", "mouthPucker", "mouthSmileLeft",
    "mouthPressLeft", "mouthLowerDownLeft", "browInnerUp",
)  # fmt: skip
"""Expressions whose curves are shown, where the model has them."""

GRID_M = 0.010
"""Distance of the lines that are drawn on the face."""

_GREY = 0.82


def seconds(t: int) -> str:
    """A frame's time, to stand above it."""
    return f"{t / FPS:.1f} s"


def close_up(picture: np.ndarray, track: FaceTrack, *, margin: float = 0.12) -> np.ndarray:
    """The part of a frame, or of one drawn larger, in which the face is over the whole clip.

    ``margin``: room around the landmarks, of their extent.
    """
    zoom = len(picture) / track.camera.height
    low, high = track.landmarks.min((0, 1)), track.landmarks.max((0, 1))
    half = (0.5 + margin) * (high - low).max()
    (left, top), (right, bottom) = (
        np.clip((low + high) / 2 + sign * half, 0, track.camera.height) * zoom for sign in (-1, 1)
    )
    return picture[round(top) : round(bottom), round(left) : round(right)]


# Shape


def grid_over(
    frame: np.ndarray, model: MorphableModel, track: FaceTrack, t: int, *, zoom: int = 3
) -> np.ndarray:
    """The fitted mesh over its frame, as lines that are 1 cm apart on the mean face.

    The lines move with the skin: on every frame and every person each runs over the same places.

    Parameters
    ----------
    frame : (H, W, 3) uint8, frame ``t`` of the track

    Returns
    -------
    (zoom * H, zoom * W, 3) uint8
    """
    camera = track.camera
    large = replace(
        camera,
        focal_px=zoom * camera.focal_px,
        cx=zoom * camera.cx,
        cy=zoom * camera.cy,
        width=zoom * camera.width,
        height=zoom * camera.height,
    )
    c = track.coefficients
    raster = rasterise(track.posed(model, c.expression[t], c.pose[t]), model.triangles, large)
    shown = raster.triangle >= 0
    corners = model.triangles[np.maximum(raster.triangle, 0)]
    weights = raster.barycentric[..., None]
    place = (model.mean[corners, :2] * weights).sum(-2) / GRID_M
    step = np.hypot(*np.gradient(place, axis=(0, 1))).clip(1e-6)  # lines apart, per pixel
    line = np.abs(place - np.round(place)) / step  # pixels to the nearest line
    ink = np.clip(1.4 - line.min(-1), 0, 1) * (step.max(-1) < 0.3)  # too dense near the outline
    skin = (model.skin_mask[corners] * raster.barycentric).sum(-1) * shown
    alpha = (0.75 * ink * (skin > 0.5))[..., None]
    picture = np.repeat(np.repeat(frame, zoom, 0), zoom, 1)
    return np.round(picture * (1 - alpha) + alpha * np.array([60, 255, 190])).astype(np.uint8)


def meshes(
    model: MorphableModel, shapes: Mapping[str, np.ndarray], *, yaw_deg: float = 30
) -> Figure:
    """Model-space shapes (V, 3) by name, without colour: from the front, and turned."""
    studio, turned = view.Studio.of(model), view.studio_pose(yaw_deg=yaw_deg)
    rows = {
        "front": [studio.picture(shape) for shape in shapes.values()],
        f"turned {yaw_deg:g}°": [studio.picture(shape, pose=turned) for shape in shapes.values()],
    }
    return sheet(rows, titles=list(shapes))


# Albedo


def albedos(
    model: MorphableModel,
    draws: Mapping[str, FaceRenderer],
    truth: Truth | None = None,
    *,
    size_px: int = 320,
) -> Figure:
    """The albedo of one person alone, seen from the front at rest: shape and light left out.

    Parameters
    ----------
    draws : the person's renderers, by the name of their albedo
    truth : whose albedo is shown beside them
    """
    camera, pose = view.studio_camera(size_px, zoom=1.2), view.studio_pose()
    rest = np.zeros(64, np.float32)

    def picture(draw: FaceRenderer, vertices: np.ndarray, albedo, texture) -> np.ndarray:
        drawn = render_face(
            draw.model, apply_pose(vertices, pose), albedo, view.EVEN, camera,
            supersample=2, texture=texture,
            visible=draw.region.triangles, weight=draw.region.weight,
        )  # fmt: skip
        return view.on_ground(drawn, ground=0.5)

    pictures = {
        name: picture(draw, draw.track.vertices(model, rest), draw.albedo, draw.texture)
        for name, draw in draws.items()
    }
    if truth is not None:
        draw = next(iter(draws.values()))
        pictures["true"] = picture(draw, model.vertices(truth.identity, rest), truth.albedo, None)
    row = {"albedo": list(pictures.values())}
    return sheet(row, titles=list(pictures), width_in=3.2 * len(pictures))


# Light


def light_sphere(light: np.ndarray, *, size_px: int = 160, albedo: float = 0.7) -> np.ndarray:
    """A grey-white sphere (size, size, 3) uint8 under light (27,), seen by the camera.

    What stands at a place of the sphere is the colour of skin that faces the same way, over the
    skin's albedo. The sphere is somewhat grey so that bright light does not saturate.
    """
    x, y = (np.mgrid[:size_px, :size_px][::-1] + 0.5) / size_px * 2 - 1
    radius = np.hypot(x, y)
    z = -np.sqrt(np.clip(1 - radius**2, 0, None))
    lit = albedo * irradiance(np.stack([x, y, z], -1), np.asarray(light, np.float64))
    edge = np.clip((1 - radius) * size_px / 2 + 0.5, 0, 1)[..., None]
    return np.round(255 * (np.clip(lit, 0, 1) * edge + (1 - edge))).astype(np.uint8)


def light_spheres(
    frames: Sequence[np.ndarray],
    track: FaceTrack,
    numbers: Sequence[int],
    true: np.ndarray | None = None,
) -> Figure:
    """Frames (H, W, 3) uint8 by number, the light fitted to them, and the clip's true one (27,).

    Above each sphere: the correlation of its brightness with the true one's over the visible half.
    """
    fitted = track.coefficients.light
    rows = {
        "frame": [close_up(frames[t], track) for t in numbers],
        "fitted light": [light_sphere(fitted[t]) for t in numbers],
    }
    captions = {}
    if true is not None:
        rows["true light"] = [light_sphere(true)] * len(numbers)
        normals = np.random.default_rng(0).normal(size=(2000, 3))
        normals[:, 2] = -np.abs(normals[:, 2])
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        grey = irradiance(normals, true).mean(-1)
        alike = [correlation(grey, irradiance(normals, fitted[t]).mean(-1)) for t in numbers]
        captions["fitted light"] = [f"r = {r:.2f}" for r in alike]
    return sheet(rows, titles=[seconds(t) for t in numbers], captions=captions)


# Errors


def photometric_errors(
    frames: Sequence[np.ndarray],
    track: FaceTrack,
    numbers: Sequence[int],
    drawn: Mapping[str, Sequence[tuple[np.ndarray, np.ndarray]]],
    *,
    largest: float = 30,
) -> Figure:
    """How far rendered faces are from the frames they were fitted to, pixel by pixel.

    Parameters
    ----------
    frames : (H, W, 3) uint8 by number
    drawn : name -> for each of the numbers the frame with the face over it, and the face's mask
    largest : difference, of 255 levels, at the end of the colour scale
    """
    scale = Normalize(0, largest)
    rows = {"frame": [close_up(frames[t], track) for t in numbers]}
    captions = {"frame": [seconds(t) for t in numbers]}
    for name, pictures in drawn.items():
        rows[name], captions[name] = [], []
        for t, (picture, mask) in zip(numbers, pictures, strict=True):
            frame = frames[t]
            error = np.abs(picture.astype(np.float32) - frame).mean(-1)
            inside = mask.astype(bool)
            dimmed = np.repeat(127 + 0.5 * frame.mean(-1, keepdims=True), 3, -1).astype(np.uint8)
            colours = (255 * colormaps["magma"](scale(error))[..., :3]).astype(np.uint8)
            rows[name].append(close_up(np.where(inside[..., None], colours, dimmed), track))
            captions[name].append(f"mean {error[inside].mean():.1f}" if inside.any() else "")
    figure = sheet(rows, captions=captions, width_in=10)
    return _with_bar(figure, scale, "magma", "difference from the frame (levels of 255)")


def vertex_distance_mm(shape: np.ndarray, true: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Distance (V,) in millimetres of two shapes (V, 3), after the rigid move that fits ``part``.

    ``part`` (V,) bool: the vertices that the move brings nearest to each other.
    """
    a, b = shape - shape[part].mean(0), true - true[part].mean(0)
    turn, _ = Rotation.align_vectors(b[part], a[part])
    return 1000 * np.linalg.norm(turn.apply(a) - b, axis=1)


def shape_errors(
    model: MorphableModel,
    shapes: Mapping[str, np.ndarray],
    true: np.ndarray,
    *,
    largest_mm: float = 5,
) -> Figure:
    """Distance of neutral shapes (V, 3) from the true one, in colours on the true face.

    Ears, neck and scalp, of which the landmarks say nothing, stay grey.
    """
    studio, face = view.Studio.of(model), model.skin_mask > 0.5
    scale, skin = Normalize(0, largest_mm), model.skin_mask[:, None]
    pictures, titles = [], []
    for name, shape in shapes.items():
        distance = vertex_distance_mm(shape, true, face)
        albedo = skin * colormaps["viridis"](scale(distance))[:, :3] + (1 - skin) * _GREY
        for yaw_deg in (0, 30):
            pose = view.studio_pose(yaw_deg=yaw_deg)
            pictures.append(studio.picture(true, albedo, view.PAINT, pose=pose))
        titles += [f"{name}: mean {distance[face].mean():.2f} mm", "turned 30°"]
    figure = sheet({"": pictures}, titles=titles, width_in=min(10.0, 2.5 * len(pictures)))
    return _with_bar(figure, scale, "viridis", "distance from the\ntrue face (mm)")


def _with_bar(figure: Figure, scale: Normalize, colours: str, label: str) -> Figure:
    figure.set_figwidth(figure.get_figwidth() + 1)
    mappable = plt.cm.ScalarMappable(scale, colours)
    figure.colorbar(mappable, ax=figure.axes, label=label, extend="max", shrink=0.8, aspect=40)
    return figure


# Curves


def expression_curves(
    model: MorphableModel,
    track: FaceTrack,
    truth: Truth | None = None,
    *,
    actions: Sequence[str] = ACTIONS,
) -> Figure:
    """Some expression coefficients over time, with the truth's; confidence in each frame below.

    Frames in which no face was found are shaded red. A model without these actions shows its
    first ones.
    """
    names = list(model.expression_names)
    shown = [name for name in actions if name in names] or names[: len(actions)]
    count = len(track)
    time = np.arange(count) / FPS
    figure, axes = plt.subplots(
        len(shown) + 1, 1, figsize=(10, 0.95 * len(shown) + 1.2), sharex=True, layout="constrained"
    )
    for axis, name in zip(axes, shown, strict=False):
        k = names.index(name)
        fitted = track.coefficients.expression[:, k]
        about = name
        if truth is not None:
            true = truth.expression[:count, k]
            axis.plot(time, true, color="0.55", lw=2.2, label="true")
            if np.ptp(true) > 0.05:  # one that hardly moves has no correlation worth a number
                about += f"\nr = {correlation(true, fitted):.2f}"
        axis.plot(time, fitted, color="tab:blue", lw=1.1, label="fitted")
        axis.set_ylabel(about, rotation=0, ha="right", va="center", fontsize=8)
        low, high = axis.get_ylim()
        axis.set_ylim(min(low, -0.05), max(high, 0.4))
        axis.grid(alpha=0.3)
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside upper right", ncol=2, fontsize=8
    )
    _confidence(axes[-1], track)
    return figure


def residual_curve(model: MorphableModel, track: FaceTrack) -> Figure:
    """Landmark residual of every frame: median and 95th percentile, and the mouth's median.

    In % of the distance between the pupils; confidence in each frame below.
    """
    time = np.arange(len(track)) / FPS
    mapped = np.flatnonzero(model.landmark_valid)
    mouth = np.isin(mapped, lm.LIPS)
    figure, (axis, below) = plt.subplots(
        2, 1, figsize=(10, 3.6), sharex=True, height_ratios=[3, 1], layout="constrained"
    )
    middle, high = np.percentile(track.residual, [50, 95], axis=1)
    axis.fill_between(time, middle, high, alpha=0.2, lw=0, label="to the 95th percentile")
    axis.plot(time, middle, lw=1.2, label="median of all points")
    axis.plot(time, np.median(track.residual[:, mouth], 1), lw=1.2, label="median of the mouth")
    axis.set_ylabel("residual\n(% of pupil distance)")
    axis.set_ylim(0)
    axis.grid(alpha=0.3)
    figure.legend(loc="outside upper right", ncol=3, fontsize=8)
    _confidence(below, track)
    return figure


def _confidence(axis, track: FaceTrack) -> None:
    time = np.arange(len(track)) / FPS
    axis.fill_between(time, track.confidence, color="tab:green", alpha=0.35, lw=0)
    for t in np.flatnonzero(~track.found):
        axis.axvspan((t - 0.5) / FPS, (t + 0.5) / FPS, color="tab:red", alpha=0.4, lw=0)
    axis.set_ylim(0, 1.05)
    axis.set_xlim(0, time[-1] if len(time) > 1 else 1 / FPS)
    axis.set_ylabel("confidence", rotation=0, ha="right", va="center", fontsize=8)
    axis.set_xlabel("seconds")
    axis.grid(alpha=0.3)


# The space of faces


def directions(model: MorphableModel, *, count: int = 6, deviations: float = 2) -> Figure:
    """The first directions of identity and texture, each way, and some expressions."""
    studio = view.Studio.of(model)
    rest, zero = np.zeros(64, np.float32), np.zeros(80, np.float32)
    rows, captions = {}, {}
    for sign in (-1, 1):
        name = f"identity {sign * deviations:+g} sd"
        units = sign * deviations * np.eye(80, dtype=np.float32)[:count]
        rows[name] = [studio.picture(model.vertices(unit, rest)) for unit in units]
        captions[name] = [f"{k + 1}" for k in range(count)]
    for sign in (-1, 1):
        name = f"texture {sign * deviations:+g} sd"
        albedo = [model.albedo(sign * deviations * unit) for unit in np.eye(80)[:count]]
        rows[name] = [studio.picture(model.mean, a, view.PAINT) for a in albedo]
        captions[name] = [f"{k + 1}" for k in range(count)]
    names = list(model.expression_names)
    shown = ([name for name in ACTIONS if name in names] or names)[:count]
    moved = [np.eye(64, dtype=np.float32)[names.index(name)] for name in shown]
    rows["expression 1"] = [studio.picture(model.vertices(zero, action)) for action in moved]
    captions["expression 1"] = shown
    return sheet(rows, captions=captions)
