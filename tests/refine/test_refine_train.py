import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from safetensors import safe_open

from repro.checkpoint import Checkpoint
from repro.errors import UserError
from repro.refine import train as train_module
from repro.refine import watch
from repro.refine.generator import Refined
from repro.refine.pairs import PersonPairs, draw_batch, to_tensor
from repro.refine.refine import Refiner
from repro.refine.settings import RefineSettings
from repro.refine.train import planned_steps, train_refiner
from repro.refine.trainer import Trainer

SETTINGS = RefineSettings(
    image_px=32,
    ngf=4,
    ndf=4,
    levels=4,
    discriminator_layers=1,
    batch=2,
    steps=4,
    memory_slots=8,
    spatial_dim=4,
    nearest=4,
    lr=1e-3,
)


pytestmark = pytest.mark.usefixtures("one_thread")


def person(seed=0, frames=6, side=32) -> PersonPairs:
    """A disc that moves; its rendering is darker and lacks stripes."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side]
    tint = rng.uniform(0.6, 1.0, 3)
    real, rendered, masks = [], [], []
    for t in range(frames):
        mask = (rows - side / 2) ** 2 + (columns - side / 2 - t / 2) ** 2 < (side / 4) ** 2
        plain = np.where(mask[..., None], 120 * tint, 60)
        stripes = 50 * (columns // 2 % 2)[..., None] * mask[..., None]
        rendered.append(plain.astype(np.uint8))
        real.append((plain + stripes).astype(np.uint8))
        masks.append(mask)
    return PersonPairs(
        rendered=np.array(rendered),
        real=np.array(real),
        face_mask=np.array(masks),
        detail=np.tile([12, 18, 20, 24], (frames, 1, 1)),
        identity=np.tile(rng.normal(size=8), (frames, 1)).astype(np.float32),
        name=f"person {seed}",
    )


def weights(refiner: Refiner) -> dict[str, torch.Tensor]:
    return refiner.generator.state_dict() | {
        "keys": refiner.memory.keys,
        **refiner.spatial.state_dict(),
    }


def assert_same(one: Refiner, other: Refiner) -> None:
    pairs = zip(weights(one).values(), weights(other).values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def refined(refiner: Refiner, pairs: PersonPairs) -> np.ndarray:
    return np.array(list(refiner.refine_frames(pairs.rendered, masks=pairs.face_mask)))


def test_training_brings_frames_nearer_to_the_real_ones():
    settings = SETTINGS.model_copy(update={"steps": 120, "batch": 4})
    pairs = person()
    refiner, history = train_refiner([pairs], settings, seed=0)
    before = np.abs(pairs.rendered.astype(float) - pairs.real).mean()
    after = np.abs(refined(refiner, pairs).astype(float) - pairs.real).mean()
    assert after < 0.6 * before
    assert history.steps == history.planned == 120
    assert history.losses["l1"].shape == (120,)


def test_the_same_seed_gives_the_same_refiner_and_another_seed_another():
    first, _ = train_refiner([person()], SETTINGS, seed=1)
    again, _ = train_refiner([person()], SETTINGS, seed=1)
    other, _ = train_refiner([person()], SETTINGS, seed=2)
    assert_same(first, again)
    with pytest.raises(AssertionError):
        assert_same(first, other)


def test_training_leaves_the_global_random_state_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train_refiner([person()], SETTINGS, seed=0)
    torch.testing.assert_close(torch.rand(3), expected)


class Interrupted(Exception):
    pass


def test_a_run_that_was_interrupted_goes_on_exactly(tmp_path):
    settings = SETTINGS.model_copy(update={"average_decay": 0.9, "lr_decay_from": 0.5})
    people = [person(0), person(1)]

    def stop(done: int, planned: int) -> None:
        if done == 3:
            raise Interrupted

    checkpoint = Checkpoint(tmp_path / "run.safetensors", every=2)
    with pytest.raises(Interrupted):
        train_refiner(people, settings, seed=0, checkpoint=checkpoint, progress=stop)
    resumed_at = []
    resumed, history = train_refiner(
        people,
        settings,
        seed=0,
        checkpoint=checkpoint,
        progress=lambda done, planned: resumed_at.append(done),
    )
    whole, expected = train_refiner(people, settings, seed=0)
    assert resumed_at == [3, 4]
    assert_same(resumed, whole)
    for name, curve in expected.losses.items():
        np.testing.assert_array_equal(history.losses[name], curve)


def test_a_checkpoint_of_other_data_is_refused(tmp_path):
    checkpoint = Checkpoint(tmp_path / "run.safetensors", every=2)
    train_refiner([person(0)], SETTINGS, seed=0, checkpoint=checkpoint)
    with pytest.raises(UserError, match="other settings, seed or data"):
        train_refiner([person(1)], SETTINGS, seed=0, checkpoint=checkpoint)
    checkpoint.path.write_bytes(b"not safetensors")
    with pytest.raises(UserError, match="damaged"):
        train_refiner([person(0)], SETTINGS, seed=0, checkpoint=checkpoint)


def test_a_time_limit_stops_training_and_the_history_says_how_far_it_came():
    settings = SETTINGS.model_copy(update={"steps": 10_000, "max_seconds": 0.2})
    _, history = train_refiner([person()], settings, seed=0)
    assert 0 < history.steps < history.planned == 10_000


def test_a_loss_that_is_not_finite_stops_training_with_the_step():
    settings = SETTINGS.model_copy(update={"lambda_l1": float("inf")})
    with pytest.raises(UserError, match="after step 1"):
        train_refiner([person()], settings, seed=0)


def test_a_broken_run_names_the_last_good_state_and_leaves_it(tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "run.safetensors", every=1)
    step = Trainer.step

    def breaks(self, batch, index, noise):
        terms = step(self, batch, index, noise)
        return {**terms, "l1": float("nan")} if index == 2 else terms

    monkeypatch.setattr(Trainer, "step", breaks)
    with pytest.raises(UserError, match=r"after step 2: l1 .*last good state is in '.*run"):
        train_refiner([person()], SETTINGS, seed=0, checkpoint=checkpoint)
    monkeypatch.undo()
    resumed_at = []
    train_refiner(
        [person()],
        SETTINGS,
        seed=0,
        checkpoint=checkpoint,
        progress=lambda done, planned: resumed_at.append(done),
    )
    assert resumed_at == [3, 4]


def test_weights_that_are_not_finite_are_never_saved(tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "run.safetensors", every=1)
    step = Trainer.step

    def spoils(self, batch, index, noise):
        terms = step(self, batch, index, noise)
        next(self.generator.parameters()).data[0] = float("nan")
        return terms

    monkeypatch.setattr(Trainer, "step", spoils)
    with pytest.raises(UserError, match="a weight is not a finite number"):
        train_refiner([person()], SETTINGS, seed=0, checkpoint=checkpoint)
    assert not checkpoint.path.exists()


LOOKING = SETTINGS.model_copy(update={"held_out_share": 0.34, "look_every": 2})


def test_a_collapse_stops_training_at_a_look_and_leaves_the_state_before(tmp_path, monkeypatch):
    spreads = iter([0.9, 0.1])
    seen = train_module.look

    def told(generator, held_out, settings):
        found, refined = seen(generator, held_out, settings)
        return replace(found, spread=next(spreads)), refined

    monkeypatch.setattr(train_module, "look", told)
    checkpoint = Checkpoint(tmp_path / "run.safetensors", every=2)
    with pytest.raises(UserError, match=r"step 4: .* collapse: their spread is 0\.10.*last good"):
        train_refiner([person()], LOOKING, seed=0, checkpoint=checkpoint)
    with safe_open(checkpoint.path, framework="pt") as file:
        assert json.loads(file.metadata()["state"])["step"] == 2


def test_frames_that_are_all_alike_are_a_collapse_unless_the_rendered_ones_are_too():
    _, held_out = watch.split_off([person(frames=9)], LOOKING)
    given = torch.rand(held_out.window.shape, generator=torch.Generator().manual_seed(0))
    moving, real = held_out._replace(window=given), held_out.real

    def paints(frames):
        return lambda window, identity, editable: Refined(frames, frames, window[:, :1])

    good, _ = watch.look(paints(given[:, -3:]), moving, LOOKING)
    assert good.spread == pytest.approx(1) and good.l1 == pytest.approx(1)
    assert watch.look(paints(real), moving, LOOKING)[0].l1 == pytest.approx(0, abs=1e-6)
    one = given[:1, -3:].expand_as(real)
    assert watch.look(paints(one), moving, LOOKING)[0].collapsed and not good.collapsed
    still = held_out._replace(window=given[:1].expand_as(given))
    found, _ = watch.look(paints(one), still, LOOKING)
    assert np.isnan(found.spread) and not found.collapsed


def test_frames_that_are_held_out_are_the_last_and_are_not_learned_from():
    people = [person(0, frames=9), person(1, frames=6), person(2, frames=2)]
    learned, held_out = watch.split_off(people, LOOKING)
    assert [len(p) for p in learned] == [6, 4, 2]
    assert len(held_out.real) == 5
    torch.testing.assert_close(held_out.real[0], to_tensor(people[0].real[6]))
    torch.testing.assert_close(held_out.real[-1], to_tensor(people[1].real[5]))
    assert watch.split_off(people, SETTINGS)[1] is None


def test_looks_are_kept_with_their_sheets_and_survive_an_interruption(tmp_path):
    settings = LOOKING.model_copy(update={"patience": 5})
    whole, expected = train_refiner([person()], settings, seed=0, sheets=tmp_path / "sheets")
    assert expected.looks["step"].tolist() == [2, 4]
    assert sorted(p.name for p in (tmp_path / "sheets").iterdir()) == [
        "step_000002.png",
        "step_000004.png",
    ]
    rows = cv2.imread(str(tmp_path / "sheets" / "step_000004.png"))
    assert rows.shape == (5 * 32, 2 * 32, 3)

    def stop(done: int, planned: int) -> None:
        if done == 3:
            raise Interrupted

    checkpoint = Checkpoint(tmp_path / "run.safetensors", every=2)
    with pytest.raises(Interrupted):
        train_refiner([person()], settings, seed=0, checkpoint=checkpoint, progress=stop)
    resumed, history = train_refiner([person()], settings, seed=0, checkpoint=checkpoint)
    assert_same(resumed, whole)
    for name, curve in expected.looks.items():
        np.testing.assert_array_equal(history.looks[name], curve)


def test_training_stops_early_and_keeps_the_nearest_weights(monkeypatch):
    nearness = iter([0.5, 0.4, 0.6, 0.45, 0.1])
    seen = train_module.look

    def told(generator, held_out, settings):
        found, refined = seen(generator, held_out, settings)
        return replace(found, l1=next(nearness), spread=1.0), refined

    monkeypatch.setattr(train_module, "look", told)
    settings = LOOKING.model_copy(update={"steps": 100, "patience": 2})
    stopped, history = train_refiner([person()], settings, seed=0)
    assert history.steps == 8 and history.planned == 100
    nearness = iter([1.0, 1.0])
    best, _ = train_refiner([person()], settings.model_copy(update={"steps": 4}), seed=0)
    for a, b in zip(stopped.generator.parameters(), best.generator.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_memory_learns_each_person():
    settings = SETTINGS.model_copy(update={"steps": 160, "spatial_dim": 32, "lambda_gan": 0.0})
    people = [person(0), person(1)]
    refiner, _ = train_refiner(people, settings, seed=0)
    for p in people:
        queries = refiner.spatial(torch.stack([to_tensor(f) for f in p.rendered]))
        unit = torch.from_numpy(p.identity)
        similarity = torch.cosine_similarity(refiner.memory.read(queries), unit)
        assert similarity.min() > 0.98


def test_fine_tuning_starts_from_the_general_refiner():
    general, _ = train_refiner([person(0), person(1)], SETTINGS, seed=0)
    settings = SETTINGS.model_copy(update={"steps": 1, "fine_tune_lr": 1e-6})
    tuned, _ = train_refiner([person(0)], settings, seed=0, init=general)
    for a, b in zip(tuned.generator.parameters(), general.generator.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=0)
    assert int(tuned.memory.used.sum()) >= int(general.memory.used.sum())


def test_fine_tuning_from_a_refiner_of_other_sizes_is_refused():
    general, _ = train_refiner([person()], SETTINGS, seed=0)
    with pytest.raises(UserError, match="other sizes"):
        train_refiner([person()], SETTINGS.model_copy(update={"ngf": 8}), seed=0, init=general)
    with pytest.raises(UserError, match="identity network"):
        train_refiner([person()], SETTINGS, seed=0, init=general, identity_name="arcface")


def test_every_option_beside_the_papers_trains_together():
    settings = RefineSettings(
        **SETTINGS.model_dump(exclude={"levels"})
        | {
            "levels": 3,
            "crop_px": (24, 32),
            "crop_jitter_px": 2,
            "hold_outside_px": 2,
            "hold_feather_px": 0.5,
            "colour_residual": True,
            "full_resolution_channels": 4,
            "weight_face": 2.0,
            "weight_detail": 4.0,
            "gan_inside_face": True,
            "lambda_gradient": 10.0,
            "lambda_texture": 10.0,
            "lambda_features": 1.0,
            "precision": "bf16",
            "average_decay": 0.99,
            "lr_decay_from": 0.5,
        }
    )
    pairs = person()
    refiner, history = train_refiner([pairs], settings, seed=0)
    assert {"gradient", "texture", "features"} <= set(history.losses)
    frames = refined(refiner, pairs)
    far = np.ones((32, 32), bool)
    far[4:28, 4:] = False
    np.testing.assert_array_equal(frames[:, far], pairs.rendered[:, far])
    assert (frames != pairs.rendered).any()


def test_without_the_memory_identity_does_not_matter():
    settings = SETTINGS.model_copy(update={"use_memory": False})
    first, history = train_refiner([person()], settings, seed=0)
    pairs = person()
    other = PersonPairs(
        pairs.rendered, pairs.real, pairs.face_mask, pairs.detail, pairs.identity[::-1] + 3, "x"
    )
    second, _ = train_refiner([other], settings, seed=0)
    np.testing.assert_array_equal(refined(first, pairs), refined(second, pairs))
    assert "triplet" not in history.losses


def test_a_saved_refiner_refines_as_before(tmp_path):
    pairs = person()
    refiner, _ = train_refiner([pairs], SETTINGS, seed=0, identity_name="dlib-resnet-v1")
    refiner.save(tmp_path / "refiner")
    loaded = Refiner.load(tmp_path / "refiner")
    np.testing.assert_array_equal(refined(loaded, pairs), refined(refiner, pairs))
    assert loaded.identity_name == "dlib-resnet-v1"
    assert loaded.settings == refiner.settings
    assert sorted(p.name for p in tmp_path.iterdir()) == ["refiner.json", "refiner.safetensors"]


def test_a_refiner_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UserError, match=r"refiner\.safetensors"):
        Refiner.load(tmp_path / "refiner")
    (tmp_path / "refiner.json").write_text("{}")
    (tmp_path / "refiner.safetensors").write_bytes(b"1234")
    with pytest.raises(UserError, match="cannot be read"):
        Refiner.load(tmp_path / "refiner")


@pytest.fixture(scope="module")
def trained() -> Refiner:
    return train_refiner([person()], SETTINGS, seed=0)[0]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_streaming_equals_refining_each_window_with_smoothed_features(trained, count):
    pairs = person(frames=count)
    images = [to_tensor(f) for f in pairs.rendered]
    with torch.inference_mode():
        read = trained.memory.read(trained.spatial(torch.stack(images)))
        half = trained.settings.read_smoothing_frames // 2
        expected = []
        for t in range(count):
            window = torch.cat([images[max(t - 2, 0)], images[max(t - 1, 0)], images[t]])
            identity = read[max(t - half, 0) : t + half + 1].mean(0)
            image = trained.generator(window[None], identity[None]).image[0]
            expected.append((image * 255).round().byte().permute(1, 2, 0).numpy())
    found = list(trained.refine_frames(iter(pairs.rendered), batch=2))
    assert np.abs(np.array(found).astype(int) - np.array(expected)).max() <= 1


def test_bf16_and_batches_give_the_frames_of_fp32_one_by_one(trained, monkeypatch):
    pairs = person(frames=7)
    exact = np.array(list(trained.refine_frames(pairs.rendered, batch=1))).astype(int)
    fast = replace(trained, settings=trained.settings.model_copy(update={"precision": "bf16"}))
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    quick = np.array(list(fast.refine_frames(pairs.rendered, batch=4)))
    assert np.abs(quick - exact).max() <= 6 and np.abs(quick - exact).mean() < 1
    assert (quick != exact).any()
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    slow = np.array(list(fast.refine_frames(pairs.rendered, batch=1)))
    np.testing.assert_array_equal(slow, exact)


def test_streaming_reads_only_a_few_frames_ahead(trained):
    taken = []

    def frames():
        for t, frame in enumerate(np.repeat(person().rendered, 10, axis=0)):
            taken.append(t)
            yield frame

    next(trained.refine_frames(frames(), batch=4))
    assert len(taken) <= 4 + trained.settings.read_smoothing_frames // 2


def test_frames_that_do_not_fit_the_network_are_refused(trained):
    with pytest.raises(UserError, match="multiples of 16"):
        next(trained.refine_frames([np.zeros((40, 40, 3), np.uint8)]))


def test_masks_are_asked_for_where_they_are_needed():
    settings = RefineSettings(**SETTINGS.model_dump() | {"hold_outside_px": 2})
    refiner, _ = train_refiner([person()], settings, seed=0)
    with pytest.raises(UserError, match="masks"):
        next(refiner.refine_frames(person().rendered))
    larger = person(side=48)
    with pytest.raises(UserError, match="own size, 32 x 32 px"):
        next(refiner.refine_frames(larger.rendered, masks=larger.face_mask))


def test_pairs_of_another_size_or_mixed_identity_networks_are_refused():
    with pytest.raises(UserError, match="image_px"):
        train_refiner([person(side=48)], SETTINGS, seed=0)
    with pytest.raises(UserError, match="at least one clip"):
        train_refiner([], SETTINGS, seed=0)
    p = person()
    short = PersonPairs(
        p.rendered, p.real, p.face_mask, p.detail, p.identity[:, :4], "another network"
    )
    with pytest.raises(UserError, match="one identity network"):
        train_refiner([p, short], SETTINGS, seed=0)
    with pytest.raises(ValueError, match="detail"):
        PersonPairs(p.rendered, p.real, p.face_mask, p.detail[:2], p.identity, "cut")


def test_a_window_at_the_start_repeats_the_first_frame():
    p = person(frames=1)
    batch = draw_batch([p], SETTINGS, np.random.default_rng(0))
    torch.testing.assert_close(batch.window[0, :3], to_tensor(p.rendered[0]))
    torch.testing.assert_close(batch.window[0, :3], batch.window[0, 6:])
    torch.testing.assert_close(batch.real[0], to_tensor(p.real[0]))


def test_steps_come_from_epochs_where_they_are_not_given():
    settings = SETTINGS.model_copy(update={"steps": None, "epochs": 3, "batch": 4})
    assert planned_steps([person(frames=6), person(frames=5)], settings) == 3 * 3
