"""The 257 numbers that describe a face in a frame (Yi et al. 2020, section 3.1)."""

from dataclasses import dataclass, replace

import numpy as np

IDENTITY, EXPRESSION, TEXTURE, LIGHT, POSE = 80, 64, 80, 27, 6
SIZE = IDENTITY + EXPRESSION + TEXTURE + LIGHT + POSE  # 257


@dataclass(frozen=True)
class Coefficients:
    """Coefficients of one person over T frames, float32.

    Identity and texture are shared by the clip; the others change per frame.

    identity   (80,)    standard deviations of the identity basis
    expression (T, 64)  weights of the expression basis
    texture    (80,)    standard deviations of the texture basis
    light      (T, 27)  spherical harmonics, see ``repro.face.light``
    pose       (T, 6)   pitch, yaw, roll (radians), translation (metres), see ``repro.face.pose``
    """

    identity: np.ndarray
    expression: np.ndarray
    texture: np.ndarray
    light: np.ndarray
    pose: np.ndarray

    def __len__(self) -> int:
        """Frames."""
        return len(self.expression)

    def __getitem__(self, frames: slice) -> "Coefficients":
        """The same person for some of the frames."""
        return replace(
            self,
            expression=self.expression[frames],
            light=self.light[frames],
            pose=self.pose[frames],
        )

    def vectors(self) -> np.ndarray:
        """(T, 257) in the order of Deep3DFaceReconstruction.

        identity 0:80, expression 80:144, texture 144:224, angles 224:227, light 227:254,
        translation 254:257.
        """
        t = len(self)
        return np.concatenate(
            [
                np.broadcast_to(self.identity, (t, IDENTITY)),
                self.expression,
                np.broadcast_to(self.texture, (t, TEXTURE)),
                self.pose[:, :3],
                self.light,
                self.pose[:, 3:],
            ],
            axis=1,
        ).astype(np.float32)

    @classmethod
    def from_vectors(cls, vectors: np.ndarray) -> "Coefficients":
        """Read (T, 257); identity and texture become their mean over the frames.

        Raises
        ------
        ValueError
            Vectors of another length.
        """
        v = np.asarray(vectors, np.float32)
        if v.ndim != 2 or v.shape[1] != SIZE:
            raise ValueError(f"expected (T, {SIZE}) coefficients, got {v.shape}")
        return cls(
            identity=v[:, :80].mean(0),
            expression=v[:, 80:144],
            texture=v[:, 144:224].mean(0),
            light=v[:, 227:254],
            pose=np.concatenate([v[:, 224:227], v[:, 254:257]], axis=1),
        )
