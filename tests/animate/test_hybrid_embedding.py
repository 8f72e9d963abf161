import pytest
import torch
from made_up_people import SMALL

from repro.animate.embedding import ConvGate, Embedding, attention_weights, combined


def embedding(**changes):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Embedding(SMALL.model_copy(update=changes))


def references(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    frames = torch.rand(2, count, 3, 32, 32, generator=generator)
    return frames, torch.rand(2, count, 1, 32, 32, generator=generator)


SKETCH = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(9))


@pytest.mark.parametrize("count", [1, 3, 8, 32])
def test_attention_sums_to_one_over_any_number_of_references(count):
    network = embedding()
    alpha = network.weights(network.encode(*references(count)), SKETCH)
    assert alpha.shape == (2, count, 8, 8, 8)
    assert torch.allclose(alpha.sum(1), torch.ones(2, 8, 8, 8)) and (alpha >= 0).all()


def test_eq_3_prefers_the_reference_that_is_like_the_query():
    query = torch.ones(1, 1, 1, 1)
    keys = torch.tensor([0.0, 1.0, -1.0]).view(1, 3, 1, 1, 1)
    expected = torch.tensor([0.0, 1.0, -1.0]).softmax(0)
    assert torch.allclose(attention_weights(keys, query).flatten(), expected)


def test_eq_6_is_the_weighted_sum_and_the_gate():
    features = torch.rand(2, 3, 4, 5, 5)
    weights = torch.rand(2, 3, 4, 5, 5)
    gated = torch.rand(2, 4, 5, 5)
    expected = sum(weights[:, k] * features[:, k] for k in range(3)) + gated
    assert torch.allclose(combined(features, weights, gated), expected)


def test_without_attention_the_features_are_averaged():
    network = embedding(attention=False)
    frames, sketches = references(3)
    encoded = network.encode(frames, sketches)
    assert encoded.keys is None and network.weights(encoded, SKETCH) is None
    each = [network.encode(frames[:, k : k + 1], sketches[:, k : k + 1]) for k in range(3)]
    mean = sum(e.images[:, 0] for e in each) / 3
    assert torch.allclose(combined(encoded.images, None, None), mean, atol=1e-6)


@pytest.mark.parametrize("attention", [True, False])
def test_the_order_of_the_references_does_not_matter(attention):
    network = embedding(attention=attention)
    frames, sketches = references(4)
    order = torch.tensor([2, 0, 3, 1])
    plain = network(network.encode(frames, sketches), SKETCH)
    other = network(network.encode(frames[:, order], sketches[:, order]), SKETCH)
    assert torch.allclose(plain.appearance, other.appearance, atol=1e-5)
    for a, b in zip(plain.codes, other.codes, strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_the_same_reference_twice_is_as_good_as_once():
    network = embedding()
    frames, sketches = references(1)
    once = network(network.encode(frames, sketches), SKETCH)
    twice = network(
        network.encode(frames.repeat(1, 2, 1, 1, 1), sketches.repeat(1, 2, 1, 1, 1)), SKETCH
    )
    assert torch.allclose(once.appearance, twice.appearance, atol=1e-5)


def test_an_open_gate_gives_the_mean_and_a_half_open_one_half_of_it():
    gate = ConvGate(4)
    features = torch.rand(2, 3, 4, 5, 5)
    torch.nn.init.zeros_(gate.gate[2].weight)
    for bias, share in ((50.0, 1.0), (0.0, 0.5)):
        torch.nn.init.constant_(gate.gate[2].bias, bias)
        assert torch.allclose(gate(features), share * features.mean(1))


@pytest.mark.parametrize("halvings", [0, 1])
def test_shapes_fit_the_decoder(halvings):
    network = embedding(levels=3 + halvings, reference_halvings=halvings)
    found = network(network.encode(*references(2)), SKETCH)
    side = 32 // 2 ** (2 + halvings)
    assert found.appearance.shape == (2, 8, side, side)
    assert [code.shape for code in found.codes] == [(2, 8)] * (3 + halvings)


def test_repeated_references_serve_several_frames():
    network = embedding()
    frames, sketches = references(3)
    encoded = network.encode(frames[:1], sketches[:1])
    together = network(encoded.repeated(2), SKETCH)
    alone = network(encoded, SKETCH[1:])
    assert torch.allclose(together.appearance[1:], alone.appearance, atol=1e-6)
