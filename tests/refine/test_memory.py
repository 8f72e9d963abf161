import pytest
import torch
from torch.nn import functional as nnf

from repro.refine.memory import IdentityMemory


def memory(slots=3, **options) -> IdentityMemory:
    options = {"identity_threshold": 0.9, "margin": 0.3, "age_noise": 0, **options}
    return IdentityMemory(slots, spatial_dim=2, identity_dim=2, **options)


def filled(keys, values, ages, **options) -> IdentityMemory:
    made = memory(len(keys), **options)
    made.keys[:] = nnf.normalize(torch.tensor(keys), dim=1)
    made.values[:] = nnf.normalize(torch.tensor(values), dim=1)
    made.ages[:] = torch.tensor(ages)
    made.used[:] = True
    return made


EAST, NORTH, WEST = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]


def test_a_pair_written_to_an_empty_memory_is_read_back():
    m = memory()
    assert m.update(torch.tensor([[3.0, 4.0]]), torch.tensor([[0.0, 2.0]])).slots == [0]
    torch.testing.assert_close(m.keys[0], torch.tensor([0.6, 0.8]))
    torch.testing.assert_close(m.read(torch.tensor([[1.0, 0.0]])), torch.tensor([[0.0, 1.0]]))


def test_unused_slots_are_never_read_and_are_filled_in_order():
    m = memory()
    written = m.update(torch.tensor([EAST, NORTH]), torch.tensor([EAST, NORTH]))
    assert written.slots == [0, 1]
    assert m.similarities(torch.tensor([WEST]))[0, 2] == -torch.inf


def test_a_known_identity_updates_the_nearest_key_and_makes_it_young():
    m = filled([EAST, NORTH, WEST], [EAST, NORTH, WEST], [5, 6, 7])
    assert m.update(torch.tensor([[0.8, 0.6]]), torch.tensor([[0.99, 0.01]])).slots == [0]
    torch.testing.assert_close(m.keys[0], nnf.normalize(torch.tensor([1.8, 0.6]), dim=0))
    torch.testing.assert_close(m.values[0], torch.tensor(EAST))  # the stored value stays
    assert m.ages.tolist() == [0, 7, 8]


def test_a_new_identity_replaces_the_oldest_pair():
    m = filled([EAST, NORTH, WEST], [EAST, NORTH, WEST], [5, 9, 7])
    assert m.update(torch.tensor([EAST]), torch.tensor([[0.0, -1.0]])).slots == [1]
    torch.testing.assert_close(m.keys[1], torch.tensor(EAST))
    torch.testing.assert_close(m.values[1], torch.tensor([0.0, -1.0]))
    assert m.ages.tolist() == [6, 0, 8]


def test_pairs_of_one_batch_are_written_one_after_another():
    m = memory()
    assert m.update(torch.tensor([EAST, EAST]), torch.tensor([NORTH, NORTH])).slots == [0, 0]
    assert m.used.tolist() == [True, False, False]


def test_age_noise_lets_a_slightly_younger_pair_be_replaced():
    replaced = set()
    for seed in range(40):
        m = filled([EAST, NORTH, WEST], [EAST, NORTH, WEST], [8, 9, 0], age_noise=4)
        noise = torch.Generator().manual_seed(seed)
        replaced |= set(
            m.update(torch.tensor([EAST]), torch.tensor([[0.0, -1.0]]), generator=noise).slots
        )
    assert replaced == {0, 1}  # ages 8 and 9 can change places, 0 stays the youngest


@pytest.mark.parametrize("query", [[1.0, 0.1], [-0.2, 0.9], [-5.0, 1.0]])
def test_reading_agrees_with_a_search_over_all_keys(query):
    m = filled([EAST, NORTH, WEST], [EAST, NORTH, WEST], [0, 0, 0])
    unit = nnf.normalize(torch.tensor([query]), dim=1)
    best = max(range(3), key=lambda slot: float(m.keys[slot] @ unit[0]))
    torch.testing.assert_close(m.read(torch.tensor([query]))[0], m.values[best])


def test_triplet_loss_is_the_margin_rule_on_nearest_same_and_other():
    m = filled([EAST, NORTH, WEST], [EAST, NORTH, NORTH], [0, 0, 0])
    query = torch.tensor([[0.6, 0.8]])
    # identity EAST: positive slot 0 at cosine 0.6, nearest negative slot 1 at 0.8
    loss = m.triplet_loss(query, torch.tensor([EAST]))
    torch.testing.assert_close(loss, torch.tensor(0.8 - 0.6 + 0.3))
    # identity NORTH: positive at 0.8, negative at 0.6; 0.6 - 0.8 + 0.3
    loss = m.triplet_loss(query, torch.tensor([NORTH]))
    torch.testing.assert_close(loss, torch.tensor(0.1))


def test_triplet_loss_is_zero_without_another_identity_or_without_entries():
    one_person = filled([EAST, NORTH], [EAST, EAST], [0, 0])
    assert one_person.triplet_loss(torch.tensor([EAST]), torch.tensor([EAST])) == 0
    assert memory().triplet_loss(torch.tensor([EAST]), torch.tensor([EAST])) == 0


def test_triplet_loss_only_looks_among_the_nearest_keys():
    m = filled([EAST, [0.9, 0.1], WEST], [EAST, EAST, NORTH], [0, 0, 0], nearest=2)
    assert m.triplet_loss(torch.tensor([EAST]), torch.tensor([EAST])) == 0  # WEST is third


def test_triplet_loss_moves_queries_towards_their_own_identity():
    m = filled([EAST, NORTH], [EAST, NORTH], [0, 0])
    query = torch.tensor([[0.6, 0.8]], requires_grad=True)
    m.triplet_loss(query, torch.tensor([EAST])).backward()
    moved = nnf.normalize(query.detach() - 0.1 * query.grad, dim=1)
    assert moved[0, 0] > 0.6
