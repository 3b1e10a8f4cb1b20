"""N-grams, the network, the guard and the measures, by closed forms and slow references."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from frame2sound.dreaming import copied_sound
from frame2sound.dreaming.choice import HeldOutChoice
from frame2sound.dreaming.copied_sound import copied_share
from frame2sound.dreaming.copy_guard import CopyGuard
from frame2sound.dreaming.dream import parse_style
from frame2sound.dreaming.ngrams import SMOOTHINGS, NGram
from frame2sound.dreaming.sampling import MixedPredictor, NGramPredictor, StyleShares, sample_tokens
from frame2sound.dreaming.split import HeldOut, held_out_parts, split_film
from frame2sound.dreaming.tokens import RATE, fit_codebook, frame_levels
from frame2sound.dreaming.training import train_network
from frame2sound.dreaming.unit_choice import wanted_films
from frame2sound.dreaming.verbatim import copied_lengths, distinct_share, verbatim_share
from frame2sound.errors import DreamError
from frame2sound.evaluation.kernel_distance import kernel_distance


@pytest.fixture(scope="module")
def chain() -> tuple[np.ndarray, float]:
    """Tokens of a Markov chain of five states, and its entropy rate in bits."""
    rng = np.random.default_rng(1)
    chances = rng.dirichlet(np.full(5, 0.5), 5)
    stationary = np.linalg.matrix_power(chances, 200)[0]
    entropy = -float(stationary @ (chances * np.log2(chances)).sum(axis=1))
    tokens = [0]
    for _ in range(5000):
        tokens.append(int(rng.choice(5, p=chances[tokens[-1]])))
    return np.array(tokens), entropy


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_counted_models_find_the_entropy_of_a_markov_chain(chain, smoothing) -> None:
    tokens, entropy = chain
    for order in (2, 3):
        model = NGram([tokens[:4000]], 5, order, smoothing)
        assert model.bits(tokens[4000:], 2).mean() == pytest.approx(entropy, rel=0.05)
    assert NGram([tokens[:4000]], 5, 1).bits(tokens[4000:]).mean() > 1.1 * entropy
    assert NGram([], 5, 0).bits(tokens[:9]) == pytest.approx(np.log2(5))


def test_the_network_finds_it_too_and_its_stages_get_better(chain) -> None:
    tokens, entropy = chain
    trained, curve = train_network(
        [tokens[:4000]], [HeldOut(0, tokens[4000:4500], 2)], 5, max_steps=40
    )
    assert curve.shape == (3, 498)
    assert curve.mean(axis=1).min() == pytest.approx(trained.best.bits)
    assert trained.best.bits == pytest.approx(entropy, rel=0.4)
    bits = [stage.bits for stage in trained.stages]
    assert trained.stages[0].step == 0
    assert bits[0] > entropy * 1.2
    assert bits[-1] == min(bits)


def test_the_network_does_not_change_the_random_numbers_of_others(chain) -> None:
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    train_network([chain[0][:200]], [HeldOut(0, chain[0][200:260], 2)], 5, max_steps=1)
    assert torch.rand(1) == wanted


def test_witten_bell_is_what_it_says() -> None:
    model = NGram([np.array([0, 1, 0, 1, 0, 2])], 3, 2, "witten-bell")
    unigram = (np.array([3, 2, 1]) + 3 / 3) / (6 + 3)
    assert model.probabilities([0]) == pytest.approx((np.array([0, 2, 1]) + 2 * unigram) / (3 + 2))


def test_kneser_ney_counts_what_came_before_and_not_how_often() -> None:
    model = NGram([np.array([0, 1, 0, 1, 0, 2])], 3, 2, "kneser-ney")
    kinds_before = np.array([1, 1, 1])  # each of 0, 1 and 2 has one kind of token before it
    discount = 1 / (1 + 2 * 2)  # one pair occurs once, two occur twice
    spare = 1 - (np.array([0, 2 - discount, 1 - discount]).sum() / 3)
    lower = kinds_before / kinds_before.sum()
    wanted = np.array([0, 2 - discount, 1 - discount]) / 3 + spare * lower
    assert model.probabilities([0]) == pytest.approx(wanted)


def test_no_pair_reaches_from_one_film_into_the_next() -> None:
    apart = NGram([np.array([0, 0]), np.array([1, 1])], 2, 2)
    joined = NGram([np.array([0, 0, 1, 1])], 2, 2)
    assert apart.probabilities([0])[1] < joined.probabilities([0])[1]


def test_probabilities_add_to_one(chain) -> None:
    for smoothing in SMOOTHINGS:
        model = NGram([chain[0][:60]], 5, 3, smoothing)
        for context in ([], [3], [1, 2], [4, 4, 4]):
            assert model.probabilities(context).sum() == pytest.approx(1)


def test_the_last_fifth_is_held_out_after_a_second() -> None:
    split = split_film(1000)
    assert (split.learned, split.held_out, split.count) == (757, 800, 1000)
    assert split_film(120).held_out == 120
    (part,) = held_out_parts([np.arange(1000)], [split])
    assert part.tokens[part.first] == 800
    assert part.tokens[0] == 757


def test_the_halves_of_what_is_held_out_are_a_second_apart() -> None:
    halves = HeldOut(0, np.arange(400), 43).halves()
    assert np.flatnonzero(halves == 0).tolist() == [*range(157)]
    assert np.flatnonzero(halves == 1).tolist() == [*range(200, 357)]
    assert np.bincount(HeldOut(0, np.arange(53), 43).halves() + 1).tolist() == [2, 4, 4]


def test_what_chooses_does_not_judge() -> None:
    """Of stages that are each good by luck on one half alone, none is called good."""
    tokens = np.arange(400) % 2
    part = HeldOut(0, tokens, 43)
    choice = HeldOutChoice([np.zeros(100, int)], [part], 2)
    lucky = np.stack([np.where(part.halves() == half, 1.0, 9.0) for half in (0, 1)])
    assert choice.mixture(lucky).network_bits == pytest.approx(9)
    assert choice.mixture(np.full((1, 357), 1.5)).network_bits == pytest.approx(1.5)


def test_a_mixture_adds_probabilities(chain) -> None:
    tokens, _ = chain
    part = HeldOut(0, tokens[4000:4400], 2)
    choice = HeldOutChoice([tokens[:4000]], [part], 5)
    useless = choice.mixture(np.full((1, 398), 12.0))
    assert useless.weight == pytest.approx(0.1)
    assert useless.bits == pytest.approx((choice.ngrams()[1].bits or 0) - np.log2(0.9), abs=0.03)
    assert choice.mixture(np.full((1, 398), 0.1)).weight == 1


def test_a_mixed_predictor_adds_probabilities() -> None:
    first, other = (
        NGramPredictor([np.array(film)], 3, 1, "witten-bell", np.ones(1))
        for film in ([0, 0, 1], [2, 2, 2])
    )
    mixed = MixedPredictor(first, other, 0.25)
    wanted = 0.25 * np.exp(first.logits()) + 0.75 * np.exp(other.logits())
    assert np.exp(mixed.logits()) == pytest.approx(wanted)
    mixed.update(1)
    assert np.exp(mixed.logits()).sum() == pytest.approx(1)


def test_the_guard_refuses_what_a_slow_search_calls_a_copy() -> None:
    rng = np.random.default_rng(0)
    film = rng.integers(0, 3, 200)
    predictor = NGramPredictor([film], 3, 2, "witten-bell", np.ones(1))
    guard = CopyGuard([film], 5, np.ones((3, 3)))
    drawn = sample_tokens(predictor, 300, np.random.default_rng(1), guard=guard)
    runs = {tuple(film[at : at + 6]) for at in range(195)}
    assert not any(tuple(drawn[at : at + 6]) in runs for at in range(295))
    assert any(tuple(drawn[at : at + 5]) in {run[:5] for run in runs} for at in range(295))


def test_the_guard_says_when_nothing_but_copies_can_be_made() -> None:
    film = np.zeros(50, int)
    guard = CopyGuard([film], 4, np.zeros((1, 1)))
    with pytest.raises(ValueError, match="copy"):
        sample_tokens(
            NGramPredictor([film], 1, 1, "witten-bell", np.ones(1)),
            10, np.random.default_rng(0), guard=guard,
        )  # fmt: skip


def test_verbatim_and_distinct_shares() -> None:
    film = np.array([0, 1, 2, 3, 4])
    tokens = np.array([1, 2, 3, 9, 0, 1, 8])
    assert copied_lengths(tokens, [film]).tolist() == [1, 2, 3, 0, 1, 2, 0]
    assert verbatim_share(tokens, [film], 3) == pytest.approx(3 / 7)
    assert verbatim_share(tokens, [np.array([1, 2]), np.array([3])], 3) == 0
    assert distinct_share(np.zeros(10, int), 3) == pytest.approx(1 / 8)


def test_a_copy_is_found_at_any_place_and_level_and_noise_is_none() -> None:
    rng = np.random.default_rng(2)
    film = np.cumsum(rng.normal(0, 0.02, 6 * RATE)) % 1 - 0.5
    copy = 0.2 * film[RATE + 7 : 4 * RATE + 7]
    assert copied_share(copy, [rng.normal(0, 1, RATE), film]) >= 0.98
    assert copied_share(rng.normal(0, 0.1, 3 * RATE), [film]) == 0
    half = np.concatenate([copy[: 2 * RATE], rng.normal(0, 0.1, 2 * RATE)])
    assert copied_share(half, [film]) == pytest.approx(0.5, abs=0.01)
    assert copied_share(np.zeros(2 * RATE), [film]) == 0


def test_a_long_sound_is_compared_a_few_pieces_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spectra of all pieces would take 4 MB a second of sound."""
    rng = np.random.default_rng(3)
    film = rng.normal(0, 0.1, 5 * RATE)
    sound = np.concatenate([film[RATE : 3 * RATE], rng.normal(0, 0.1, 2 * RATE)])
    at_once, find, reports = [], copied_sound._find, []

    def counted(pieces: np.ndarray, part: np.ndarray):
        at_once.append(len(pieces))
        return find(pieces, part)

    monkeypatch.setattr(copied_sound, "_find", counted)
    monkeypatch.setattr(copied_sound, "BATCH", 3)
    share = copied_share(sound, [film], lambda _, done, total, note: reports.append((done, total)))
    assert share == pytest.approx(0.5, abs=0.03)
    assert at_once == [3, 3, 2] * 8
    assert reports == [(done, 24) for done in range(1, 25)]


def test_faint_sound_between_events_makes_a_copy_no_less_of_one() -> None:
    rng = np.random.default_rng(4)
    seconds = np.arange(12 * RATE) / RATE
    film = rng.normal(0, 0.2, 12 * RATE) * np.where(seconds % 4 < 0.6, 1, 0.02)
    assert copied_share(0.3 * film[12_345 : 12_345 + 8 * RATE], [film]) >= 0.98


def test_pieces_of_a_film_are_copies_if_they_last_a_second() -> None:
    rng = np.random.default_rng(4)
    film = rng.normal(0, 0.1, 12 * RATE)

    def pieces(seconds: float) -> np.ndarray:
        length = int(seconds * RATE)
        return np.concatenate([film[at : at + length] for at in rng.integers(0, 9 * RATE, 5)])

    assert copied_share(pieces(1.2), [film]) >= 0.9
    assert copied_share(pieces(0.6), [film]) == 0


def test_noise_does_not_hide_a_copy_of_sound_with_pauses() -> None:
    rng = np.random.default_rng(5)
    film = rng.normal(0, 0.2, 6 * RATE) * np.repeat(rng.random(60) > 0.5, RATE // 10)
    copy = 0.5 * film[RATE + 5 : 5 * RATE + 5]
    noise = rng.normal(0, 0.1 * np.sqrt((copy**2).mean()), len(copy))
    assert copied_share(copy + noise, [film]) >= 0.95


def test_codes_are_fitted_to_sounds_that_differ() -> None:
    time = np.arange(RATE) / RATE
    tones = [0.3 * np.sin(2 * np.pi * hz * time) for hz in (200, 900, 4000)]
    levels = frame_levels(np.concatenate(tones).astype(np.float32))
    codebook = fit_codebook([levels], codes=8)
    tokens = codebook.encode(levels)
    parts = [set(tokens[at : at + 38].tolist()) for at in (2, 45, 88)]
    assert not (parts[0] & parts[1] or parts[1] & parts[2] or parts[0] & parts[2])
    with pytest.raises(ValueError, match="silent"):
        fit_codebook([frame_levels(np.zeros(RATE, np.float32))])


def test_styles_add_to_one_and_name_films() -> None:
    style, scaled = parse_style({"rain": 3, "steps": 1}, ("rain", "steps", "wind"))
    assert style.tolist() == [0.75, 0.25, 0]
    assert scaled
    for weights, match in (({"fog": 1}, "expected a film"), ({"rain": -1}, "0 or more"),
                           ({"rain": 0}, "all 0"), ({"rain": np.nan}, "0 or more")):  # fmt: skip
        with pytest.raises(DreamError, match=match):
            parse_style(weights, ("rain", "steps"))


def test_films_sound_by_their_weights_where_tokens_leave_a_choice() -> None:
    shares = StyleShares(np.array([[0.5, 1.0, 0.0], [0.5, 0.0, 1.0]]), np.array([0.3, 0.7]))
    rng = np.random.default_rng(0)
    assert wanted_films(np.zeros(40_000, int), shares, rng).mean() == pytest.approx(0.7, abs=0.05)
    assert set(wanted_films(np.ones(100, int), shares, rng).tolist()) == {0}
    assert set(wanted_films(np.full(100, 2), shares, rng).tolist()) == {1}


def test_the_kernel_distance_is_about_nothing_for_one_kind_and_grows_with_the_difference() -> None:
    rng = np.random.default_rng(0)
    reference, other = rng.normal(size=(200, 8)), rng.normal(size=(40, 8))
    assert kernel_distance(other, reference, reference) == pytest.approx(0, abs=0.02)
    near, far = (kernel_distance(other + shift, reference, reference) for shift in (0.5, 2))
    assert 0.02 < near < far < 2
