import numpy as np
import pytest
import torch
from made_up_people import SIDE, SMALL, person

from repro.animate.sketch import mouth_opening
from repro.animate.unproject import matching_costs, project
from repro.animate.views import draw_batch, joined, match_costs, planes, sample_of, view_of

PEOPLE = [person("a"), person("b", hue=1.0)]


def drawn(seed, **changes):
    return draw_batch(PEOPLE, SMALL.model_copy(update=changes), np.random.default_rng(seed))


def test_a_batch_has_one_number_of_references_drawn_from_the_settings():
    seen = set()
    for seed in range(12):
        batch = drawn(seed)
        seen.add(batch.references.shape[1])
        assert batch.references.shape == (2, batch.sketches.shape[1], 3, SIDE, SIDE)
        assert batch.sketches.shape[2:] == (1, SIDE, SIDE)
        assert all(view.shape[::2] == (2, SIDE) for view in batch.views)
        assert all(float(x.min()) >= 0 and float(x.max()) <= 1 for x in batch.views)
    assert seen == {1, 3}


def test_people_with_few_frames_give_fewer_references():
    short = [person("a", 3)]
    settings = SMALL.model_copy(update={"references_drawn": (32,), "tau": 64})
    assert draw_batch(short, settings, np.random.default_rng(0)).references.shape[1] == 2


@pytest.mark.parametrize("seed", range(5))
def test_the_target_is_no_reference_and_the_matched_frame_is_one(seed):
    batch = drawn(seed)
    for k in range(2):
        references = list(batch.references[k])
        assert not any(torch.equal(r, batch.frame[k]) for r in references)
        assert any(torch.equal(r, batch.views.matched[k]) for r in references)


@pytest.mark.parametrize("hard", [False, True])
def test_the_match_is_the_nearest_or_on_purpose_another(hard):
    settings = SMALL.model_copy(
        update={"harder_match": float(hard), "references_drawn": (3,), "batch": 1}
    )
    one = [PEOPLE[0]]
    for seed in range(5):
        batch = draw_batch(one, settings, np.random.default_rng(seed))
        numbers = [_which(batch.references[0, k]) for k in range(3)]
        target, matched = _which(batch.frame[0]), _which(batch.views.matched[0])
        costs = matching_costs(one[0].pose[target], one[0].pose[numbers])
        assert (numbers[int(costs.argmin())] == matched) != hard


def _which(picture):
    return next(t for t, f in enumerate(PEOPLE[0].frames) if torch.equal(planes(f), picture))


def test_the_same_seed_draws_the_same():
    a, b = drawn(3), drawn(3)
    assert torch.equal(a.frame, b.frame) and torch.equal(a.references, b.references)
    assert not torch.equal(a.frame, drawn(4).frame)


def test_all_of_a_sample_is_mirrored_and_coloured_together():
    plain = drawn(1)
    varied = drawn(1, mirrored=True, colour_jitter=0.2)
    # What is varied draws further numbers; a sample can still be held against itself.
    for k in range(2):
        references = varied.references[k]
        assert any(torch.equal(r, varied.views.matched[k]) for r in references)
        shown = varied.views.coverage[k, 0] > 0
        apart = (varied.views.projected[k] - varied.frame[k]).abs().mean(0)[shown]
        assert float(apart.median()) < 0.1
    assert plain.frame.shape == varied.frame.shape


def test_views_join():
    references = PEOPLE[0][np.array([1, 4])]
    views = [
        view_of(references, references.mesh(), PEOPLE[0].landmarks[t], PEOPLE[0].pose[t], 0)
        for t in (0, 2, 5)
    ]
    assert all(len(x) == 3 for x in joined(views))


def test_a_sample_marks_the_mouth():
    sample = sample_of(PEOPLE[0][:2], PEOPLE[0], 5, 1, SMALL)
    lips = PEOPLE[0].landmarks[5, 48:60]
    rows, columns = np.nonzero(sample.mouth[0, 0].numpy())
    assert abs(columns.mean() + 0.5 - lips[:, 0].mean()) < 1
    assert abs(rows.mean() + 0.5 - lips[:, 1].mean()) < 1


def test_a_hidden_mouth_is_unknown_where_it_is_and_where_it_is_to_be():
    references, target = PEOPLE[0][np.array([1, 4])], 2
    wanted = PEOPLE[0].landmarks[target] + [3, 0]
    at = references, references.mesh(), wanted, PEOPLE[0].pose[target], 0
    plain, hidden = view_of(*at), view_of(*at, hide_mouth=True)
    gone = (plain.coverage - hidden.coverage)[0, 0].numpy().astype(bool)
    for points in (project(references.mesh(), PEOPLE[0].pose[target]).landmarks, wanted):
        column, row = points[48:60].mean(0).astype(int)
        assert gone[row, column]
    assert 0 < gone.mean() < 0.2
    assert not hidden.projected[0][:, gone].any()
    kept = ~gone
    assert torch.equal(hidden.projected[0][:, kept], plain.projected[0][:, kept])
    assert torch.equal(hidden.matched, plain.matched)
    assert torch.equal(hidden.sketch, plain.sketch)


def test_the_match_is_eq_2_s_unless_the_mouth_counts():
    references, wanted = PEOPLE[0][np.arange(5)], PEOPLE[0][np.arange(5, 8)]
    at = references, wanted.landmarks, wanted.pose
    plain = match_costs(*at, SMALL)
    np.testing.assert_array_equal(plain, matching_costs(wanted.pose, references.pose))
    counted = match_costs(*at, SMALL.model_copy(update={"match_mouth": 1e6}))
    openings = [mouth_opening(person.landmarks) for person in (wanted, references)]
    apart = np.abs(openings[0][:, None] - openings[1])
    np.testing.assert_array_equal(counted.argmin(-1), apart.argmin(-1))
    alone = match_costs(references, wanted.landmarks[0], wanted.pose[0], SMALL)
    np.testing.assert_allclose(alone, plain[0])
