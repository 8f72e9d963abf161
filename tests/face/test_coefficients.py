import numpy as np
import pytest

from repro.face.coefficients import SIZE, Coefficients


def random_vectors(frames=4):
    vectors = np.random.default_rng(0).normal(size=(frames, SIZE)).astype(np.float32)
    vectors[:, :80], vectors[:, 144:224] = vectors[0, :80], vectors[0, 144:224]
    return vectors


def test_vectors_are_read_back():
    vectors = random_vectors()
    np.testing.assert_allclose(Coefficients.from_vectors(vectors).vectors(), vectors, atol=1e-6)


def test_the_order_is_that_of_deep3dfacereconstruction():
    read = Coefficients.from_vectors(np.arange(SIZE, dtype=np.float32)[None])
    assert read.identity[0] == 0 and read.expression[0, 0] == 80 and read.texture[0] == 144
    np.testing.assert_array_equal(read.pose[0], [224, 225, 226, 254, 255, 256])
    assert read.light[0, 0] == 227


def test_a_slice_keeps_the_person():
    whole = Coefficients.from_vectors(random_vectors(9))
    part = whole[2:5]
    assert len(part) == 3
    np.testing.assert_array_equal(part.identity, whole.identity)
    np.testing.assert_array_equal(part.pose, whole.pose[2:5])


def test_vectors_of_another_size_are_refused():
    with pytest.raises(ValueError, match="257"):
        Coefficients.from_vectors(np.zeros((3, 200)))
