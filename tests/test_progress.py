"""What a training run remembers of its steps and looks."""

import numpy as np

from repro.checkpoint import Checkpoint, Progress, broken


def test_steps_and_looks_become_curves_of_their_own():
    done = Progress()
    assert done.record({"l1": 0.5, "gan": 1.0}) == []
    assert done.record({"l1": 0.25}) == []
    done.record_look({"l1": 7.0})
    losses, looks = done.curves()
    assert done.step == 2
    np.testing.assert_array_equal(losses["l1"], np.float32([0.5, 0.25]))
    assert losses["gan"].tolist() == [1.0]
    assert {name: values.tolist() for name, values in looks.items()} == {"step": [2], "l1": [7]}


def test_of_a_step_that_is_no_number_nothing_is_kept():
    done = Progress()
    assert done.record({"l1": 0.5, "gan": float("nan"), "warp": float("inf")}) == ["gan", "warp"]
    assert (done.step, done.losses) == (0, {})


def test_a_broken_training_says_where_its_last_good_state_is(tmp_path):
    path = tmp_path / "run.ckpt"
    told = str(broken("the refiner", "it is all grey", Progress(7), Checkpoint(path)))
    assert told == "Training of the refiner broke after step 7: it is all grey."
    path.touch()
    assert str(path) in str(broken("the refiner", "it is all grey", Progress(7), Checkpoint(path)))
