import numpy as np

from repro.face.model import load_open_model
from repro.render import view


def test_the_whole_head_stands_inside_the_picture_on_its_ground():
    model = load_open_model()
    picture = view.Studio.of(model).picture(model.mean, ground=0.0, camera=view.studio_camera(96))
    assert picture.shape == (96, 96, 3)
    edge = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert not edge.any()
    assert (picture[40:56, 40:56] > 60).all()


def test_even_light_shows_the_albedo_itself():
    model = load_open_model()
    picture = view.Studio.of(model).picture(
        model.mean, 0.5, view.EVEN, camera=view.studio_camera(96), supersample=1
    )
    assert (np.abs(picture[30:50, 40:56].astype(int) - 128) <= 1).all()
