"""Principal components do not depend on the order in which sums are computed."""

import numpy as np
import pytest
import torch

from frame2sound.brain.features import fit_eigenframes
from frame2sound.brain.principal_components import canonical_basis, principal_components


def components(views, count, seed=0):
    return principal_components(views, views.double().mean(0), count, seed)


def noise(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


@pytest.fixture
def keys():
    """Return pictures of one of six squares each: five components of equal variance."""
    views = torch.zeros(60, 4096)
    for number, view in enumerate(views):
        view.reshape(64, 64)[10:20, 10 * (number % 6) :][:, :8] = 1
    return views


def test_components_equal_those_of_the_covariance():
    directions = torch.linalg.qr(noise(256, 12))[0].T
    deviations = torch.from_numpy(np.geomspace(3, 0.02, 12))
    views = (0.5 + noise(600, 12, seed=1) * deviations @ directions).float()
    variance, basis = components(views, 12)
    values, vectors = np.linalg.eigh(np.cov(views.double().numpy().T, bias=True))
    np.testing.assert_allclose(variance, values[::-1][:12], rtol=1e-6)
    np.testing.assert_allclose((basis.numpy() * vectors[:, ::-1][:, :12]).sum(0) ** 2, 1, atol=1e-9)


@pytest.mark.parametrize("order", ["backwards", "shuffled"])
def test_the_order_of_sums_does_not_matter(keys, order):
    """Sums in another order round differently, as on another processor."""
    again = keys.flip(0) if order == "backwards" else keys[np.random.default_rng(0).permutation(60)]
    for one, other in zip(components(keys, 8), components(again, 8), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)
    first, second = (fit_eigenframes(views, 8, 1.0, 0)[0] for views in (keys, again))
    # Single precision's last digit, of weights up to 1.
    np.testing.assert_allclose(first, second, rtol=0, atol=2**-24)


def test_components_of_equal_variance_and_beyond_the_rank(keys):
    variance, basis = components(keys, 8)
    assert len(set(variance[:5].tolist())) == 1
    assert variance[0] > 1
    assert not variance[5:].any()
    assert not basis[:, 5:].any()
    np.testing.assert_allclose(basis[:, :5].T @ basis[:, :5], np.eye(5), atol=1e-12)


def test_the_first_of_the_largest_entries_is_positive():
    for sign in (1, -1):
        views = noise(50, 1).float() * torch.tensor([0.1, sign, -sign, 0.5])
        _, basis = components(views, 1)
        assert basis[1, 0] > 0 > basis[2, 0]


def test_the_canonical_basis_depends_only_on_the_space():
    basis = torch.linalg.qr(noise(40, 5))[0]
    turn = torch.linalg.qr(noise(5, 5, seed=1))[0]
    one, other = canonical_basis(basis), canonical_basis(basis @ turn)
    signs = (one * other).sum(0).sign()
    np.testing.assert_allclose(one, other * signs, atol=1e-12)
    np.testing.assert_allclose(one @ one.T, basis @ basis.T, atol=1e-12)
    nearest = torch.linalg.vector_norm(basis, dim=1)
    assert abs(one[nearest.argmax(), 0].item()) == pytest.approx(nearest.max().item())
    np.testing.assert_allclose(one[nearest.argmax(), 1:], 0, atol=1e-12)
