"""What the coefficient network minimises, on faces with and without ground truth."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from repro.face.model import PARTS, MorphableModel
from repro.reconstruct import losses
from repro.reconstruct.augment import Batch
from repro.reconstruct.decoder import FaceDecoder
from repro.reconstruct.network import EXPRESSION_PART, IDENTITY_PART, LIGHT_PART, TEXTURE_PART
from repro.reconstruct.network_settings import ReconstructNetworkSettings

IdentityFeatures = Callable[[Tensor], Tensor]
"""A differentiable recognition network: images (B, 3, S, S) in [0, 1] -> features (B, D).

It cuts the face out of the aligned crop as it needs it. Give a torch module frozen and in
evaluation mode; dlib's network, the open stand-in of ``repro.refine.identity``, is none."""

_REFERENCE_PX = 224
_MM, _CM = 1e3, 1e2
_MOUTH_RADIUS_M, _LID_RADIUS_M = 0.03, 0.008
_EYEBALL = 0.1
"""Weight of the eyeballs, which gaze turns, beside the lids'."""


def face_regions(model: MorphableModel) -> dict[str, np.ndarray]:
    """Weights (V,) of the mouth, the eyelids and the whole face on a model's vertices."""
    skin = np.zeros(len(model.mean))
    skin[model.part_vertices("skin")] = 1
    face = np.maximum(model.skin_mask, model.lip_mask)
    lips = model.mean[model.landmark68[48:60]]
    mouth = np.exp(-np.square(_nearest(model.mean, lips) / _MOUTH_RADIUS_M)) * face
    corners = model.mean[model.landmark68[36:48]]
    lids = (_nearest(model.mean, corners) < _LID_RADIUS_M) * skin
    for part in ("left_eye", "right_eye"):
        if np.any(model.part == PARTS.index(part)):
            lids[model.part_vertices(part)] = _EYEBALL
    return {"mouth": mouth, "lids": lids, "face": face}


def _nearest(points: np.ndarray, to: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None] - to[None], axis=2).min(1)


class Objective(nn.Module):
    """All terms of the loss for one morphable model."""

    identity_metric: Tensor
    albedo_metric: Tensor
    landmark_weights: Tensor
    normals: Tensor

    def __init__(
        self,
        model: MorphableModel,
        centre: np.ndarray,
        settings: ReconstructNetworkSettings,
        identity_features: IdentityFeatures | None = None,
    ):
        super().__init__()
        self.settings = settings
        self.identity_features = identity_features
        self.decoder = FaceDecoder(model, centre)
        regions = face_regions(model)
        for name, region in regions.items():
            self._keep(f"{name}_metric", losses.vertex_metric(model.expression_basis, region))
        face = regions["face"]
        self._keep("identity_metric", losses.vertex_metric(model.identity_basis, face))
        albedo = losses.vertex_metric(model.texture_basis, model.skin_mask) / np.sqrt(3)
        self._keep("albedo_metric", albedo)
        self._keep("landmark_weights", losses.landmark_weights(self.decoder.points))
        self._keep("normals", losses.towards_viewer())

    def _keep(self, name: str, array: np.ndarray) -> None:
        self.register_buffer(name, torch.tensor(array, dtype=torch.float32), persistent=False)

    def forward(self, answers: Tensor, batch: Batch, supervised: Tensor) -> dict[str, Tensor]:
        """Each term with its weight, and their sum as "total".

        Parameters
        ----------
        answers : (B, 257) of the network
        supervised : (B,) bool, which faces are judged by their truth; the others by the picture
        """
        terms: dict[str, Tensor] = {}
        judges = (
            (self._by_truth, supervised, 1.0),
            (self._by_picture, ~supervised, self.settings.picture_weight),
        )
        for judge, which, importance in judges:
            if which.any():
                share = importance * float(which.sum()) / len(answers)
                found = judge(answers[which], batch.only(which))
                terms |= {name: share * weight * term for name, (weight, term) in found.items()}
        terms["total"] = torch.stack(list(terms.values())).sum()
        return terms

    def errors(self, answers: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Errors (B,) against the truth of labelled faces.

        mouth, lids, face (expression) and identity in mm, landmarks in pixels at 224 px, angle in
        degrees, place in cm, albedo in colour; light in irradiance
        """
        s = self.settings
        decoded = self.decoder.pose(answers, batch.views)
        answered, true = answers[:, EXPRESSION_PART], batch.vectors[:, EXPRESSION_PART]
        errors = {
            name: _MM * losses.metric_error(answered, true, getattr(self, f"{name}_metric"))
            for name in ("mouth", "lids", "face")
        }
        errors["identity"] = _MM * losses.metric_error(
            answers[:, IDENTITY_PART], batch.vectors[:, IDENTITY_PART], self.identity_metric
        )
        seen = batch.landmarks[:, self.decoder.points]
        errors["landmarks"] = losses.reprojection_error(
            decoded.landmarks, seen, self.landmark_weights
        ) * (_REFERENCE_PX / s.input_px)
        angle = losses.rotation_error(decoded.rotation, batch.rotation)
        errors["angle"] = torch.rad2deg(angle)
        errors["place"] = _CM * ((decoded.place - batch.place).square().sum(1) + 1e-12).sqrt()
        errors["albedo"] = losses.metric_error(
            answers[:, TEXTURE_PART], batch.vectors[:, TEXTURE_PART], self.albedo_metric
        )
        errors["light"] = losses.irradiance_error(decoded.light, batch.light, self.normals)
        return errors

    def _by_truth(self, answers: Tensor, batch: Batch) -> dict[str, tuple[float, Tensor]]:
        s, errors = self.settings, self.errors(answers, batch)
        coloured = batch.coloured.float()
        return {
            "mouth": (s.truth_expression, errors["mouth"].mean()),
            "lids": (s.truth_expression, errors["lids"].mean()),
            "face": (s.truth_expression / 2, errors["face"].mean()),
            "identity": (s.truth_identity, errors["identity"].mean()),
            "landmarks": (s.truth_landmarks, errors["landmarks"].mean()),
            "angle": (s.truth_pose, errors["angle"].mean()),
            "place": (s.truth_pose, errors["place"].mean()),
            "albedo": (s.truth_albedo, (errors["albedo"] * coloured).mean()),
            "light": (s.truth_light, (errors["light"] * coloured).mean()),
        }

    def _by_picture(self, answers: Tensor, batch: Batch) -> dict[str, tuple[float, Tensor]]:
        """Deng et al.'s terms; a grey picture counts like any other."""
        s, decoder = self.settings, self.decoder
        decoded = decoder.pose(answers, batch.views)
        albedo = decoder.albedo(answers)
        vertices = decoder.vertices(answers, decoded)
        colours, skin, facing = decoder.drawn(vertices, albedo, decoded.light, batch.views)
        places = batch.views.project(vertices)
        seen = losses.sampled_colours(batch.images, places)
        scale = _REFERENCE_PX / s.input_px
        found = losses.landmark_loss(
            decoded.landmarks * scale,
            batch.landmarks[:, decoder.points] * scale,
            self.landmark_weights,
            facing,
        )
        prior = losses.prior_loss(
            answers[:, IDENTITY_PART],
            answers[:, EXPRESSION_PART],
            answers[:, TEXTURE_PART],
            weights=(s.prior_identity, s.prior_expression, s.prior_texture),
        )
        terms = {
            "picture_landmarks": (s.weight_landmarks, found),
            "photometric": (s.weight_photometric, losses.photometric_loss(seen, colours, skin)),
            "prior": (s.weight_prior, prior),
            "light_colour": (s.weight_light, losses.light_loss(answers[:, LIGHT_PART])),
            "reflectance": (s.weight_reflectance, losses.reflectance_loss(albedo, decoder.skin)),
        }
        if self.identity_features is not None:
            drawn = decoder.painted(batch.images, vertices, colours, batch.views)
            features = losses.feature_loss(
                self.identity_features(batch.images), self.identity_features(drawn)
            )
            terms["features"] = (s.weight_features, features)
        return terms
