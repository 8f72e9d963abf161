"""How near a reconstruction comes to the truth that a synthetic clip carries.

What one picture cannot tell is taken out, and only that: the size of the face with its distance
and the focal length, and where exactly a head's zero lies.
"""

import numpy as np
from scipy.spatial import cKDTree

from repro.corpus.lips import lip_edges
from repro.corpus.truth import Truth
from repro.evaluate.lips import correlation
from repro.face import landmarks as lm
from repro.face.camera import Camera
from repro.face.light import irradiance
from repro.face.mesh import vertex_normals
from repro.face.model import MorphableModel
from repro.face.pose import apply_pose
from repro.reconstruct.track import FaceTrack

AXES = ("pitch", "yaw", "roll")
SEALED_M = 0.001
"""Lips are fitted closed where their edges are at most so far apart."""
MOUTH_REACH_M = 0.015
"""How far around the red of the lips the mouth reaches."""


def against_truth(track: FaceTrack, truth: Truth, model: MorphableModel) -> dict[str, float]:
    """Errors of a track of T frames against the first T frames of the truth.

    Parameters
    ----------
    model : the one that both speak of

    Returns
    -------
    By name; all that the functions of this module give, and

    * ``landmark_error_percent``, ``landmark_error_p95_percent``: distances of the fitted model's
      landmarks from the true ones in the source picture, all frames and points that do not slide
      over the surface together, % of the distance between the true pupils
    * ``lip_gap_r``: correlation of the gap between the lips' landmarks, in model space;
      ``lips_closed_share``: see ``closed_share``
    * ``jaw_open_r``, ``blink_r``: of the weights of jawOpen, and of the eyeBlink of the worse eye
    * ``neutral_error_mm``, ``mean_face_error_mm``: mean distance of the facial skin's vertices of
      the neutral face from the true ones after the best rigid move, without scale, for the fit
      and for the model's mean face; ``neutral_scaled_error_mm``, ``mean_face_scaled_error_mm``:
      the same with the best scale, which a picture does not tell from the distance
    * ``albedo_r_red``, ``_green``, ``_blue`` and their mean ``albedo_r``: correlation over the
      facial skin's vertices of the low-frequency albedo with the true one, which has creases and
      spots that the basis has not; ``mean_face_albedo_r``: the same of the model's mean albedo
    * ``light_r``: correlation of the irradiance (mean of the channels, mean light of the clip) on
      the facial skin of a mean face that looks into the camera
    """
    c, frames = track.coefficients, len(track)
    vertices = track.vertices(model)
    heads = apply_pose(model.landmarks(vertices), c.pose)
    true_heads = true_landmarks(truth, model, frames)
    zero = np.zeros(c.expression.shape[1], np.float32)
    face = model.skin_mask > 0.5
    neutral = model.vertices(truth.identity, zero)[face]
    fitted, mean_face = track.vertices(model, zero)[face], model.mean[face]
    albedo = model.albedo(c.texture)[face]
    seen = track.crop.to_source(track.camera.project(heads))
    return {
        **pose_errors(c.pose, truth),
        **place_errors(heads, true_heads, source_camera(track), truth.camera),
        **landmark_errors(seen, truth, model),
        **mouth_motion_errors(c.expression, truth.expression[:frames], model),
        **_action_correlations(c.expression, truth.expression[:frames], model),
        "lip_gap_r": correlation(truth.lip_gap_m[:frames], lm.lip_gap(model.landmarks(vertices))),
        "lips_closed_share": closed_share(
            lip_edges(model).aperture(vertices), truth.lip_aperture_m[:frames]
        ),
        "neutral_error_mm": shape_error_mm(fitted, neutral),
        "mean_face_error_mm": shape_error_mm(mean_face, neutral),
        "neutral_scaled_error_mm": shape_error_mm(fitted, neutral, scaled=True),
        "mean_face_scaled_error_mm": shape_error_mm(mean_face, neutral, scaled=True),
        **_albedo_correlations(albedo, truth.albedo[face]),
        "mean_face_albedo_r": _albedo_correlations(model.texture_mean[face], truth.albedo[face])[
            "albedo_r"
        ],
        "light_r": _light_correlation(c.light.mean(0), truth.light, model),
    }


def pose_errors(pose: np.ndarray, truth: Truth) -> dict[str, float]:
    """Median absolute errors of the head's angles, degrees.

    ``yaw_error_deg`` and so on are about the error's own median over the clip: where a head's zero
    lies is a matter of identity and of the mean face. ``yaw_error_absolute_deg`` are as they come.

    Parameters
    ----------
    pose : (T, 3 or 6) pitch, yaw, roll in radians; frames with NaN do not count
    """
    difference = np.degrees(pose[:, :3] - truth.pose[: len(pose), :3])
    difference = (difference + 180) % 360 - 180
    own = difference - np.nanmedian(difference, axis=0)
    return {
        **{f"{a}_error_deg": _median(abs(own[:, i])) for i, a in enumerate(AXES)},
        **{f"{a}_error_absolute_deg": _median(abs(difference[:, i])) for i, a in enumerate(AXES)},
    }


def true_landmarks(truth: Truth, model: MorphableModel, frames: int) -> np.ndarray:
    """The first frames' landmarks (T, 478, 3) in the true camera's space, metres."""
    vertices = model.vertices(truth.identity, truth.expression[:frames])
    return apply_pose(model.landmarks(vertices), truth.pose[:frames])


def place_errors(
    heads: np.ndarray, true_heads: np.ndarray, camera: Camera, true_camera: Camera
) -> dict[str, float]:
    """How far the face's middle (mean of ``landmarks.STEADY``) is from its true place.

    ``translation_error_mm``: median distance once the fitted place is moved along its ray to the
    true depth. The ray is that of its pixel, so that the focal length does not count.
    ``depth_error_percent``: median deviation of fitted over true depth from its own median over
    the clip, so that only coming nearer and going away counts.

    Parameters
    ----------
    heads, true_heads : (T, 478, 3) landmarks in the space of the two cameras, metres
    camera, true_camera : both of the same picture
    """
    middle, true = (x[:, lm.STEADY].mean(1) for x in (heads, true_heads))
    centre = (true_camera.cx, true_camera.cy)
    slope = (camera.project(middle) - centre) / true_camera.focal_px
    apart = true[:, 2:] * slope - true[:, :2]
    ratio = middle[:, 2] / true[:, 2]
    return {
        "translation_error_mm": 1000 * _median(np.linalg.norm(apart, axis=1)),
        "depth_error_percent": 100 * _median(abs(ratio / np.nanmedian(ratio) - 1)),
    }


def landmark_errors(points: np.ndarray, truth: Truth, model: MorphableModel) -> dict[str, float]:
    """Errors of landmarks (T, 478, 2) in source pixels: see ``against_truth``."""
    true = truth.landmarks[: len(points)]
    apart = np.linalg.norm(points - true, axis=-1)[:, model.landmark_valid]
    percent = 100 * apart / lm.inter_pupil_distance(true)[:, None]
    return {
        "landmark_error_percent": _median(percent),
        "landmark_error_p95_percent": float(np.nanpercentile(percent, 95)),
    }


def mouth_vertices(model: MorphableModel, reach_m: float = MOUTH_REACH_M) -> np.ndarray:
    """Indices (n,) of the vertices of the lips and of the skin around them, none inside the mouth.

    The model's ``lip_mask`` is wide: it goes over the lips' inner side too. So what lies within
    ``reach_m`` of the red of the lips, measured on the mean face, counts as mouth.
    """
    outside = np.zeros(len(model.mean), bool)
    outside[model.part_vertices("skin")] = True
    outside &= model.cavity_mask < 0.5
    red = model.mean[model.lip_mask > 0.5]
    near = cKDTree(red).query(model.mean, distance_upper_bound=reach_m)[0] <= reach_m
    return np.flatnonzero(outside & near)


def mouth_motion_errors(
    expression: np.ndarray, true: np.ndarray, model: MorphableModel
) -> dict[str, float]:
    """How much of the mouth's motion is wrong, in vertex space: % of how far it truly moves.

    Mean over frames and mouth vertices of |d - d_true| over the mean of |d_true|, where d is the
    displacement by the expression alone, in model space.

    ``mouth_motion_error_percent``: with displacements about their mean over the clip, so that a
    mouth that rests otherwise does not count; ``mouth_displacement_error_percent``: from the
    neutral face.

    Parameters
    ----------
    expression, true : (T, 64); nan comes out where the true mouth does not move
    """
    basis = model.expression_basis[:, mouth_vertices(model)]
    moved, truly = (np.tensordot(x, basis, 1) for x in (expression, true))
    return {
        "mouth_motion_error_percent": _share(moved - moved.mean(0), truly - truly.mean(0)),
        "mouth_displacement_error_percent": _share(moved, truly),
    }


def closed_share(aperture_m: np.ndarray, true_aperture_m: np.ndarray) -> float:
    """Share of the frames whose lips truly touch in which the fitted ones are closed too.

    By the lips' edges: their landmarks lie on the outer face and stay apart on closed lips.

    Parameters
    ----------
    aperture_m, true_aperture_m : (T,) metres between the edges of the lips, 0 or less where they
        touch; fitted closed is at most ``SEALED_M``

    Returns
    -------
    float in [0, 1]; nan where the lips never touch
    """
    closed = true_aperture_m <= 0
    return float((aperture_m[closed] <= SEALED_M).mean()) if closed.any() else float("nan")


def shape_error_mm(shape: np.ndarray, true: np.ndarray, *, scaled: bool = False) -> float:
    """Mean distance in millimetres of vertices (n, 3) from others, once they are brought nearest.

    Parameters
    ----------
    shape, true : metres
    scaled : by turn, move and scale (as the NoW benchmark has it); else by turn and move
    """
    a, b = shape - shape.mean(0), true - true.mean(0)
    u, s, vt = np.linalg.svd(a.T @ b)
    proper = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    scale = (s * proper).sum() / np.square(a).sum() if scaled else 1.0
    turned = scale * a @ (u * proper) @ vt
    return float(np.linalg.norm(turned - b, axis=1).mean() * 1000)


def source_camera(track: FaceTrack) -> Camera:
    """The track's camera for the pixels of the source; its image is as large as the crop."""
    crop, camera = track.crop, track.camera
    cx, cy = crop.to_source(np.array([camera.cx, camera.cy]))
    size = round(crop.side)
    return Camera(camera.focal_px / crop.scale, float(cx), float(cy), size, size)


def seen_landmarks(track: FaceTrack, model: MorphableModel) -> np.ndarray:
    """The fitted model's landmarks (T, 478, 2) in source pixels."""
    heads = apply_pose(model.landmarks(track.vertices(model)), track.coefficients.pose)
    return track.crop.to_source(track.camera.project(heads))


def _action_correlations(
    expression: np.ndarray, true: np.ndarray, model: MorphableModel
) -> dict[str, float]:
    def r(name: str) -> float:
        k = model.expression_names.index(name)
        return correlation(true[:, k], expression[:, k])

    return {
        "jaw_open_r": r("jawOpen"),
        "blink_r": min(r("eyeBlinkLeft"), r("eyeBlinkRight")),
    }


def _albedo_correlations(albedo: np.ndarray, true: np.ndarray) -> dict[str, float]:
    channels = [correlation(true[:, k], albedo[:, k]) for k in range(3)]
    names = ("albedo_r_red", "albedo_r_green", "albedo_r_blue")
    return {"albedo_r": float(np.mean(channels)), **dict(zip(names, channels, strict=True))}


def _light_correlation(light: np.ndarray, true: np.ndarray, model: MorphableModel) -> float:
    normals = vertex_normals(model.mean, model.triangles)[model.skin_mask > 0.5]
    return correlation(*(irradiance(normals, x).mean(-1) for x in (true, light)))


def _share(moved: np.ndarray, truly: np.ndarray) -> float:
    """Mean length of the error (T, n, 3), % of the mean length of the truth."""
    wrong, whole = (np.linalg.norm(x, axis=-1).mean() for x in (moved - truly, truly))
    return 100 * float(wrong / whole) if whole > 0 else float("nan")


def _median(values: np.ndarray) -> float:
    return float(np.nanmedian(values))
