"""One photo in place of a video: the background is the photo itself, turned to the pose wanted.

Yi et al. 2020, section 3.3, by the face profiling of Zhu et al. 2016 (Face alignment across large
poses): the photo is meshed with depth, that of the fitted head where it is seen and a guess around
it; the head's part of the mesh turns with the head, the far part stays, and the anchors between
follow both. Beyond Zhu et al., the person is cut out first, so that the room behind does not bend
with the head: it is filled in and stays. Where the photo would be stretched, since it shows little
of that side of the head, the fitted head shows through, with the colours of its other side.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt

from repro.face.camera import Camera, Crop
from repro.face.coefficients import Coefficients
from repro.face.light import ambient_light
from repro.face.mesh import vertex_normals
from repro.face.model import MorphableModel
from repro.face.pose import apply_pose, rotation_matrix
from repro.reconstruct.crop import cut, source_camera, square_crop
from repro.reconstruct.detect import detect
from repro.reconstruct.reconstruct import fit_track
from repro.reconstruct.settings import ReconstructSettings
from repro.reconstruct.track import FaceTrack
from repro.render.albedo import fill_hidden, sample_pixels, visible_vertices
from repro.render.cutout import cut_out, filled_behind
from repro.render.face import FaceRenderer, without_lashes
from repro.render.hair import PLAIN, strands, with_hair
from repro.render.rasterise import rasterise
from repro.render.shade import Rendering, render_face
from repro.render.texture import Texture

STEP_PX = 2
"""Distance of the mesh's anchors, pixels of the crop."""

HAIR, SURROUNDINGS = 0.22, 0.85
"""What lies beside the head turns with it as far as this, and no more from there; head widths."""

DEPTH_BLUR_PX = 1.5
"""Softens the steps of depth at the head's outline and ears, which would tear the mesh."""

BEHIND_M = 0.35
"""The surroundings lie as far behind the head's outline."""

NECK_TOP_M, NECK_BASE_M = 0.0, 0.04
"""Between so far below the chin, the neck's motion goes from the head's to none."""

GRAZING_COS, FACING_COS = 0.15, 0.4
"""A vertex has the photo's colour, from not at all to wholly, between these cosines of its normal
and the line of sight."""

TORN, SOUND = 0.1, 0.3
"""The fitted head shows through from wholly to not at all between these shares that a pixel of the
photo is of the area it comes to fill."""


@dataclass(frozen=True)
class Photo:
    """A photo ready to be turned.

    picture    (2S, 2S, 3) uint8, twice the crop's width and height about its middle
    person     (2S, 2S, 2) float32 in [0, 1], how much of each pixel is theirs: see ``cut_out``
    hair       (2S, 2S) float32 in [0, 1], how much is theirs and not the fitted head's
    behind     (S, S, 3) uint8, the crop without the person
    anchors    (A, 3) float32, metres, camera space: the mesh as photographed
    places     (A, 2) float32, where each stands in ``picture``, pixels
    triangles  (F, 3) int32
    follow     (A,) float32 in [0, 1]: how far an anchor moves with the head
    head       what shows through where the photo is stretched
    pose       (6,) of the head in the photo
    camera     of the square crop
    """

    picture: np.ndarray
    person: np.ndarray
    hair: np.ndarray
    behind: np.ndarray
    anchors: np.ndarray
    places: np.ndarray
    triangles: np.ndarray
    follow: np.ndarray
    head: "HeadColours"
    pose: np.ndarray
    camera: Camera

    @classmethod
    def of(
        cls, image: np.ndarray, track: FaceTrack, model: MorphableModel, *, t: int = 0
    ) -> "Photo":
        """Mesh a photo (H, W, 3) uint8 in which frame ``t`` of a track is the face."""
        crop = track.crop
        wide = Crop(
            crop.left - crop.side / 2, crop.top - crop.side / 2, 2 * crop.side, 2 * crop.size
        )
        picture = cut(image, wide)
        half, c = crop.size / 2, track.camera
        camera = Camera(c.focal_px, c.cx + half, c.cy + half, wide.size, wide.size)
        one = track.coefficients[t : t + 1]
        pose, vertices = one.pose[0], track.vertices(model, one.expression[0])
        seen = _Seen.of(vertices, pose, model, camera)
        chin = camera.project(apply_pose(vertices[model.landmark68[8]][None], pose))[0, 1]
        person = cut_out(picture, seen.head, chin)
        worn = with_hair(
            vertices, pose, model, camera,
            person=person[..., 1], head=seen.head, chin_row=chin,
        )  # fmt: skip
        seen = _Seen.of(worn, pose, model, camera)
        inner = slice(crop.size // 2, crop.size // 2 + crop.size)
        behind = filled_behind(picture[inner, inner], person[inner, inner, 0] > 0)
        at = np.append(np.arange(0, wide.size, STEP_PX), wide.size)
        x, y = (a.ravel() for a in np.meshgrid(at, at))
        i, j = (np.minimum(a, wide.size - 1) for a in (y, x))
        z = seen.depth[i, j]
        ray = np.stack([(x - camera.cx) / camera.focal_px, (y - camera.cy) / camera.focal_px], 1)
        triangles = _grid_triangles(len(at))
        reach = cv2.dilate(person[..., 0], np.ones((2 * STEP_PX + 1, 2 * STEP_PX + 1)))[i, j] > 0
        return cls(
            picture,
            person,
            cv2.GaussianBlur(person[..., 1] * ~seen.head, (0, 0), 1.0),
            behind,
            np.concatenate([ray * z[:, None], z[:, None]], 1).astype(np.float32),
            np.stack([x, y], 1).astype(np.float32),
            triangles[reach[triangles].any(1)],
            seen.follow[i, j].astype(np.float32),
            HeadColours.of(picture, person, worn, one, model, camera),
            pose,
            c,
        )

    def turned(self, pose: np.ndarray, *, threads: int = 1) -> np.ndarray:
        """The crop (S, S, 3) uint8 with the head at a pose (6,)."""
        turn = rotation_matrix(np.asarray(pose[:3], np.float64))
        back = rotation_matrix(np.asarray(self.pose[:3], np.float64))
        moved = (self.anchors - self.pose[3:]) @ back @ turn.T + pose[3:]
        anchors = self.anchors + self.follow[:, None] * (moved - self.anchors)
        mesh = rasterise(anchors, self.triangles, self.camera, threads=threads)
        corners, weights = self.triangles[mesh.triangle], mesh.barycentric[..., None]
        place = ((self.places[corners] * weights).sum(2) - 0.5).astype(np.float32)
        colour, wide, certain, hair = (
            cv2.remap(layer, place[..., 0], place[..., 1], cv2.INTER_LINEAR)
            for layer in (self.picture, self.person[..., 0], self.person[..., 1], self.hair)
        )
        head = self.head.at(pose, self.camera, threads=threads)
        under = head.coverage[..., None]
        ground = self.behind + under * (255 * head.image - self.behind)
        through = head.coverage * (1 - hair) * (1 - _step(TORN, SOUND, area_scale(place)))
        share = (wide + head.coverage * (certain - wide)) * (1 - through)
        share = (share * (mesh.triangle >= 0))[..., None]
        return (ground + share * (colour - ground) + 0.5).astype(np.uint8)


@dataclass(frozen=True)
class HeadColours:
    """The fitted head, coloured as in the photo, and as its other side where that is hidden.

    model     without its lashes
    vertices  (V, 3), model space, as in the photo
    colours   (V, 3) float32, display RGB
    strands   of hair, see there
    weight    (V,) float32, opacity: the neck fades out, for it hardly turns
    """

    model: MorphableModel
    vertices: np.ndarray
    colours: np.ndarray
    strands: Texture
    weight: np.ndarray

    @classmethod
    def of(
        cls,
        picture: np.ndarray,
        person: np.ndarray,
        vertices: np.ndarray,
        one: Coefficients,
        model: MorphableModel,
        camera: Camera,
    ) -> "HeadColours":
        """Read them from a picture (H, W, 3) uint8 of which ``person`` (H, W, 2) is cut out."""
        posed = apply_pose(vertices, one.pose[0])
        normals = vertex_normals(posed, model.triangles)
        sight = -posed / np.linalg.norm(posed, axis=1, keepdims=True)
        place = camera.project(posed)
        trust = _step(GRAZING_COS, FACING_COS, (normals * sight).sum(1))
        trust *= sample_pixels(person[..., 1:], place)[:, 0]
        trust *= visible_vertices(posed, model.triangles, camera)
        own = sample_pixels(picture / 255, place)
        colours = fill_hidden(own, trust, model, _ground_colour(own, trust, model, one))
        fine = strands(picture, person[..., 1], trust, vertices, one.pose[0], model, camera)
        bald = without_lashes(model)
        return cls(bald, vertices, colours, fine, _head_share(vertices, model))

    def at(self, pose: np.ndarray, camera: Camera, *, threads: int) -> Rendering:
        """Draw it at a pose (6,)."""
        posed, plain = apply_pose(self.vertices, pose), np.full_like(self.colours, PLAIN)
        smooth, fine = (
            render_face(
                self.model, posed, colours, ambient_light(), camera,
                supersample=2, weight=self.weight, texture=texture, threads=threads,
            )
            for colours, texture in ((self.colours, None), (plain, self.strands))
        )  # fmt: skip
        return Rendering(np.minimum(smooth.image * fine.image / PLAIN, 1), smooth.coverage)


def _ground_colour(
    own: np.ndarray, trust: np.ndarray, model: MorphableModel, one: Coefficients
) -> np.ndarray:
    """The low-frequency albedo (V, 3), but on the scalp the colour that is seen there."""
    colour = model.albedo(one.texture)
    scalp = np.asarray(model.scalp_mask)
    share = scalp * trust
    if share.sum() > 0:
        seen = (share[:, None] * own).sum(0) / share.sum()
        colour = colour + scalp[:, None] * (seen - colour)
    return colour


@dataclass(frozen=True)
class _Seen:
    """What is known of every pixel of a photo (H, W).

    depth   metres; follow: share of the head's motion
    head    bool, where the fitted head is
    """

    depth: np.ndarray
    follow: np.ndarray
    head: np.ndarray

    @classmethod
    def of(
        cls, vertices: np.ndarray, pose: np.ndarray, model: MorphableModel, camera: Camera
    ) -> "_Seen":
        """Vertices (V, 3) of the person in model space, pose (6,) in the photo."""
        posed = apply_pose(vertices, pose)
        raster = rasterise(posed, model.triangles, camera)
        head = raster.triangle >= 0
        corners, weights = model.triangles[raster.triangle[head]], raster.barycentric[head]
        follow = np.zeros(head.shape)
        follow[head] = (_head_share(vertices, model)[corners] * weights).sum(1)
        away, nearest = distance_transform_edt(~head, return_indices=True)
        width = max(int(head.any(0).sum()), 1)
        depth = _smoothed_outside(raster.depth[tuple(nearest)], head, width)
        follow = _smoothed_outside(follow[tuple(nearest)], head, width)
        gone = _step(HAIR * width, SURROUNDINGS * width, away)
        depth = cv2.GaussianBlur(depth + BEHIND_M * gone, (0, 0), DEPTH_BLUR_PX)
        return cls(depth, follow * (1 - gone), head)


def area_scale(place: np.ndarray) -> np.ndarray:
    """Pixels of the photo that each pixel (H, W) shows, for their places (H, W, 2) in it."""
    (down_x, right_x), (down_y, right_y) = (np.gradient(place[..., k]) for k in range(2))
    return cv2.GaussianBlur(np.abs(right_x * down_y - right_y * down_x), (0, 0), 1.0)


def _head_share(vertices: np.ndarray, model: MorphableModel) -> np.ndarray:
    """1 on the head, falling to 0 down the neck: (V,) float32 for vertices in model space.

    What lies behind counts as higher, as the neck leans.
    """
    height = vertices[:, 1] + 0.25 * (vertices[:, 2] + 0.03)
    chin = vertices[model.landmark68[8], 1]
    return (1 - _step(chin + NECK_TOP_M, chin + NECK_BASE_M, height)).astype(np.float32)


def single_image_frames(
    photo: Photo,
    draw: FaceRenderer,
    expression: np.ndarray,
    pose: np.ndarray,
    light: np.ndarray,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Frames of a person of whom there is one photo, one after another.

    Parameters
    ----------
    draw : the person's renderer, its detailed albedo from the photo
    expression : (T, 64)
    pose : (T, 6), the photo's own give or take 30 degrees
    light : (27,), of the photo

    Yields
    ------
    (S, S, 3) uint8, and the mask of the face (S, S) uint8
    """
    for t, now in enumerate(pose):
        background = photo.turned(now, threads=draw.settings.threads)
        frame, coverage = draw.over(background, expression[t], now, light)
        yield frame, (coverage > 0.5).astype(np.uint8)


def photo_track(
    image: np.ndarray, model: MorphableModel, settings: ReconstructSettings, *, name: str
) -> tuple[FaceTrack, np.ndarray]:
    """Reconstruct the face in a photo (H, W, 3) uint8: a track of one frame, and its crop.

    ``name``: of the photo, for messages.

    Raises
    ------
    UserError
        No face in it.
    """
    found = detect(iter([image]), name=name)
    crop = square_crop(found.points, settings)
    height, width = image.shape[:2]
    camera = source_camera(crop, width, height, settings).seen_through(crop)
    frames = cut(image, crop)[None]
    return fit_track(found, frames, camera, crop, model, settings), frames[0]


def _smoothed_outside(values: np.ndarray, head: np.ndarray, width: float) -> np.ndarray:
    """Values (H, W) that keep to themselves on the head and run smoothly beside it."""
    soft = cv2.GaussianBlur(values, (0, 0), 0.06 * width)
    return np.where(head, values, soft)


def _grid_triangles(side: int) -> np.ndarray:
    """Triangles (F, 3) int32 of a grid of ``side`` x ``side`` points."""
    i, j = (a.ravel() for a in np.mgrid[: side - 1, : side - 1])
    a = i * side + j
    b, c, d = a + 1, a + side, a + side + 1
    return np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)]).astype(np.int32)


def _step(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
