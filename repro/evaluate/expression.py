"""Error of expression coefficients (E_exp, Song et al. 2020, Eq. 5)."""

import numpy as np

from repro.evaluate.measure import NONE, Measure


def expression_error(true: np.ndarray, generated: np.ndarray, *, face_model: str) -> list[Measure]:
    """E_exp in its two readings.

    Eq. 5 divides by "the number of expression parameters" and sums ||e^(i) - e(i)||_2 over their
    index: the mean absolute error of a parameter. Their loss (Eq. 3) takes the norm of a frame's
    whole vector instead, and their published values fit either. Both depend on the face model's
    units, so only figures on the same model compare.

    Parameters
    ----------
    true, generated : (T, E) coefficients
    face_model : its name, printed with the numbers
    """
    true, generated = np.asarray(true, np.float64), np.asarray(generated, np.float64)
    if true.shape != generated.shape or true.ndim != 2:
        raise ValueError(f"expected two arrays (T, E), got {true.shape}, {generated.shape}")
    error = generated - true
    readings = {
        "Eq. 5 as written: mean over parameters and frames of the absolute error": abs(error),
        "as in the loss, Eq. 3: mean over frames of the vector's L2 norm": np.linalg.norm(
            error, axis=1
        ),
    }
    return [
        Measure(
            "E_exp",
            float(values.mean()) if values.size else float("nan"),
            f"weights of {face_model}",
            len(error),
            0,
            NONE,
            NONE,
            NONE,
            f"Song et al., {reading}; {error.shape[1]} parameters",
        )
        for reading, values in readings.items()
    ]
