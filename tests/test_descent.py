"""The exact linear solver: stationary points, and the least of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from sklearn_lai._linear.descent import descend
from sklearn_lai._linear.objective import Batch, Gram, Problem, Quadratic
from sklearn_lai._linear.pairs import Planes
from sklearn_lai._linear.solver import solve, solve_all
from sklearn_lai._linear.starts import Kinks
from sklearn_lai.loss import lai_factor

L1_RATIOS = [0.0, 0.5, 1.0]


def quadratic(X, y):
    n_samples = len(X)
    return Quadratic(
        Gram(X.T @ X / n_samples),
        X.T @ y / n_samples,
        y @ y / n_samples,
    )


def random_problem(rng, n_features, l1_ratio=None):
    """A problem in standardised units, from nearly independent to nearly collinear."""
    n_samples = rng.integers(n_features + 2, 20 * n_features + 2)
    mixing = rng.choice([0, 0.5, 2]) * rng.normal(size=(n_features, n_features))
    X = rng.normal(size=(n_samples, n_features)) @ (np.eye(n_features) + mixing)
    y = X @ rng.normal(size=n_features) * rng.choice([0.1, 1, 5])
    y += rng.normal(size=n_samples) * rng.choice([0.1, 1, 5])
    X, y = (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()
    k = 10 ** rng.uniform(-2, 0.5, n_features if rng.random() < 0.5 else 1)
    return Problem(
        quadratic(X, y),
        np.broadcast_to(k, n_features),
        rng.choice([0.01, 0.1, 0.5, 1.0]),
        rng.choice(L1_RATIOS) if l1_ratio is None else l1_ratio,
    )


def least_of_many_descents(problem, rng, n_starts):
    """The least objective that a general optimiser finds."""
    n_features = len(problem.k)
    starts = [problem.mse.minimum, np.sign(problem.mse.minimum) * problem.k]
    scales = rng.choice([0.3, 1, 3], n_starts)
    starts += [scale * rng.normal(size=n_features) for scale in scales]
    found = [minimize(problem.objective, start, method="L-BFGS-B") for start in starts]
    best = min(found, key=lambda result: result.fun)
    options = {"xtol": 1e-10, "ftol": 1e-14}
    polished = minimize(problem.objective, best.x, method="Powell", options=options)
    return min(best.fun, polished.fun)


@pytest.mark.parametrize("l1_ratio", L1_RATIOS)
def test_objective_is_the_mixture_of_the_loss_module(l1_ratio):
    rng = np.random.default_rng(0)
    problem = random_problem(rng, 4, l1_ratio)
    coef = rng.normal(size=4)
    slope = torch.from_numpy(coef)[None]
    losses = lai_factor(slope, torch.from_numpy(problem.k.copy()))[0].square().numpy()
    norm = l1_ratio * losses.sum() + (1 - l1_ratio) * np.linalg.norm(losses)
    mse = problem.mse
    error = mse.power - 2 * coef @ mse.correlation + coef @ mse.gram.matrix @ coef
    a = problem.lai_fraction
    assert problem.objective(coef) == pytest.approx(error * (1 - a + a * norm))


@settings(max_examples=60, deadline=None)
@given(n_features=st.integers(1, 12), seed=st.integers(0, 2**16))
def test_the_objective_falls_along_no_coordinate(n_features, seed):
    problem = random_problem(np.random.default_rng(seed), n_features)
    solution = solve(problem)
    value = problem.objective(solution.coef)
    assert solution.objective == value
    assert solution.optimality <= 1e-5
    for step in (1e-2, -1e-2, 1e-5, -1e-5):
        moved = solution.coef + step * np.eye(n_features)
        assert (problem.objective(moved) >= value * (1 - 1e-10)).all()


@pytest.mark.parametrize("l1_ratio", L1_RATIOS)
@pytest.mark.parametrize("n_features", [1, 2])
def test_one_and_two_features_have_the_global_minimum(n_features, l1_ratio):
    rng = np.random.default_rng(n_features)
    for _ in range(60):
        problem = random_problem(rng, n_features, l1_ratio)
        largest = 1.5 * np.abs(problem.mse.minimum).max() + problem.k.max()
        axis = np.linspace(-largest, largest, 20_001 if n_features == 1 else 301)
        grid = np.stack(np.meshgrid(*[axis] * n_features), axis=-1)
        assert solve(problem).objective <= problem.objective(grid).min()


@pytest.mark.parametrize("n_problems", [12, pytest.param(200, marks=pytest.mark.slow)])
def test_no_general_optimiser_finds_a_lower_objective(n_problems):
    rng = np.random.default_rng(0)
    for i in range(n_problems):
        problem = random_problem(rng, 1 + i % 8)
        theirs = least_of_many_descents(problem, rng, n_starts=10)
        assert solve(problem).objective <= theirs * (1 + 1e-9)


@pytest.mark.parametrize(
    ("seed", "n_features", "least"),
    [
        # Each needs one part of the solver: without it the objective is higher.
        (28, 5, 1.38736),  # any start besides least squares
        (39, 8, 1.59120),
        (146, 3, 0.953744),  # least squares with coefficients held at kinks
        (276, 5, 2.48433),
        (102834, 6, 0.764937),  # held at kinks, among the later ones
        (103737, 8, 0.234548),
        (2103, 8, 1.78950),  # a step that holds several coefficients at once
        (2398, 7, 0.000420073),  # a step that holds them in turn
    ],
)
def test_hard_problems_have_their_least_objective(seed, n_features, least):
    problem = random_problem(np.random.default_rng(seed), n_features)
    assert solve(problem).objective == pytest.approx(least, rel=1e-5)


def test_a_minimum_in_a_valley_between_two_collinear_features_is_found():
    """No descent from least squares or from kinks leads there."""
    r = -0.9934729143797565
    gram = np.array([[1, r], [r, 1]])
    least_squares = np.array([-1.0606989745522828, -0.09575795384282525])
    mse = Quadratic(Gram(gram), gram @ least_squares, 1.0)
    problem = Problem(mse, np.full(2, 0.17971673515647527), 1.0, 0.1)
    solution = solve(problem)
    np.testing.assert_allclose(solution.coef, [-0.459523, 0.433590], atol=1e-5)
    assert solution.objective < problem.objective([-0.18, 0.18]) - 0.04


def test_the_wrong_side_of_a_sign_is_left():
    """Descent from least squares alone stops on the side where it started."""
    rng = np.random.default_rng(0)
    left = []
    for _ in range(100):
        problem = random_problem(rng, 3)
        (stuck,), _ = descend(Batch.of([problem]), problem.mse.minimum[None])
        coef = solve(problem).coef
        assert problem.objective(coef) <= problem.objective(stuck) * (1 + 1e-12)
        if (np.sign(coef) != np.sign(stuck)).any():
            left.append(problem.objective(coef) < 0.999 * problem.objective(stuck))
    assert any(left)


def test_kinks_hold_coefficients_exactly():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 6))
    y = X @ [1.0, 0.5, 0.3, 0.2, 0.1, 0.0] + rng.normal(size=300)
    X, y = (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()
    mse = quadratic(X, y)
    coef = solve(Problem(mse, np.full(6, 0.15), 0.5, 0.0)).coef
    assert (np.abs(coef) == 0.15).sum() >= 3


def test_a_direction_that_is_left_out_has_no_kink():
    rng = np.random.default_rng(1)
    problem = random_problem(rng, 1)
    free = Problem(problem.mse, np.array([np.nan]), 1.0, 0.5)
    np.testing.assert_array_equal(solve(free).coef, problem.mse.minimum)
    assert solve(free).n_iter == 0


def test_rank_deficient_problems_have_the_minimum_norm():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(5, 8)), rng.normal(size=5)
    X /= np.sqrt(np.square(X).mean(axis=0))
    mse = replace(quadratic(X, y), residual=0.0)
    solution = solve(Problem(mse, np.full(8, 0.1), 0.5, 0.0))
    np.testing.assert_allclose(solution.coef, np.linalg.pinv(X) @ y, rtol=1e-9)
    assert solution.objective < 1e-25


def test_nearly_collinear_problems_converge():
    rng = np.random.default_rng(0)
    base = rng.normal(size=(400, 5))
    X = np.hstack([base, base + 1e-5 * rng.normal(size=base.shape)])
    y = X @ rng.normal(size=10) + rng.normal(size=400)
    X, y = (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()
    mse = quadratic(X, y)
    assert np.abs(mse.minimum).max() > 100
    solution = solve(Problem(mse, np.full(10, 0.3), 0.01, 0.0))
    assert np.abs(solution.coef).max() < 2
    assert solution.optimality < 1e-5


def standardised(X, y):
    X, y = (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()
    return quadratic(X, y)


@settings(max_examples=60, deadline=None)
@given(n_features=st.integers(1, 12), seed=st.integers(0, 2**16))
def test_as_many_parameters_as_rows_leave_no_error(n_features, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_features + 1, n_features))
    closeness = 10 ** rng.uniform(-4, 0)
    X[:, -1] = X[:, 0] * (n_features > 1) + closeness * X[:, -1]
    assume(np.linalg.cond(X - X.mean(axis=0)) < 1e5)
    assert standardised(X, rng.normal(size=n_features + 1)).is_exact


@pytest.mark.parametrize("closeness", [1, 1e-2, 1e-4])
def test_an_error_that_is_small_but_not_rounding_is_left(closeness):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 5))
    X[:, -1] = X[:, 0] + closeness * X[:, -1]
    y, noise = X.sum(axis=1), 1e-6 * rng.normal(size=100)
    expected = np.square(noise).mean() / np.var(y + noise)
    least = standardised(X, y + noise).least
    assert least == pytest.approx(0.94 * expected, rel=0.2, abs=0)


@settings(max_examples=30, deadline=None)
@given(
    n_features=st.integers(1, 12),
    error=st.sampled_from([1e-6, 1e-5]),
    seed=st.integers(0, 2**16),
)
def test_rounding_is_no_rate_where_hardly_any_error_is_left(n_features, error, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(20 * n_features, n_features))
    y = X @ rng.normal(size=n_features) + error * rng.normal(size=len(X))
    problem = Problem(standardised(X, y), np.full(n_features, 0.2), 0.1, 0.0)
    assert problem.mse.least > 0
    assert solve(problem).optimality <= 1e-5


@pytest.mark.parametrize("seed", [495, 1182, 1437, 1815, 1915])
def test_rounding_keeps_no_coefficient_from_its_kink(seed):
    """With coefficients of a million, J is rounded by more than the last step."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(8, 3))
    X[:, 1] = 1e-7 * X[:, 1] - X[:, 0]
    mse = standardised(X, rng.normal(size=8))
    solution = solve(Problem(mse, 10 ** rng.uniform(-2, 0.5, 3), 0.02, 1.0))
    assert solution.optimality <= 1e-5


def along_k(problem, factors):
    return [replace(problem, k=factor * problem.k) for factor in factors]


def objectives(solutions):
    return np.array([solution.objective for solution in solutions])


@settings(max_examples=30, deadline=None)
@given(n_features=st.integers(1, 12), seed=st.integers(0, 2**16))
def test_a_path_is_never_above_single_solutions(n_features, seed):
    problem = random_problem(np.random.default_rng(seed), n_features)
    path = along_k(problem, np.geomspace(0.1, 3, 6))
    [together], alone = solve_all([path]), list(map(solve, path))
    assert (objectives(together) <= objectives(alone)).all()
    for solution in together:
        assert solution.optimality <= 1e-5


@settings(max_examples=30, deadline=None)
@given(n_features=st.integers(1, 2), seed=st.integers(0, 2**16))
def test_one_and_two_features_do_not_depend_on_the_other_k(n_features, seed):
    problem = random_problem(np.random.default_rng(seed), n_features)
    path = along_k(problem, np.geomspace(0.1, 3, 6))
    [together], [coarse] = solve_all([path]), solve_all([path[::2]])
    for solutions, problems in [(together, path), (coarse, path[::2])]:
        for solution, problem in zip(solutions, problems, strict=True):
            np.testing.assert_allclose(solution.coef, solve(problem).coef, rtol=1e-8)


@pytest.mark.parametrize(("seed", "n_features", "place"), [(81, 22, 2), (80, 21, 10)])
def test_neighbours_lead_to_lower_minima(seed, n_features, place):
    problem = random_problem(np.random.default_rng(seed), n_features)
    ks = np.geomspace(0.01, 1, 12)
    path = [replace(problem, k=np.full(n_features, k)) for k in ks]
    [together] = solve_all([path])
    assert together[place].objective < 0.99 * solve(path[place]).objective
    [backwards] = solve_all([path[::-1]])
    np.testing.assert_allclose(objectives(backwards[::-1]), objectives(together))


def test_problems_that_are_solved_together_are_solved_as_if_alone():
    rng = np.random.default_rng(0)
    drawn = [random_problem(rng, 6) for _ in range(20)]
    problems = [replace(problem, lai_fraction=0.1, l1_ratio=0.5) for problem in drawn]
    for problem, [solution] in zip(
        problems, solve_all([[p] for p in problems]), strict=True
    ):
        np.testing.assert_array_equal(solution.coef, solve(problem).coef)


@settings(max_examples=30, deadline=None)
@given(n_features=st.integers(1, 8), seed=st.integers(0, 2**16))
def test_nothing_beyond_an_unreachable_kink_is_lower(n_features, seed):
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, n_features)
    batch = Batch.of([problem])
    lowest = np.array([problem.objective(problem.mse.minimum)])
    least_factor = batch.factor(batch.direction_losses(batch.boundary))
    kinks = Kinks.of(batch, lowest / least_factor)
    for side, j in zip(*np.nonzero(~kinks.is_reachable[0]), strict=True):
        points = problem.mse.minimum + rng.normal(size=(200, n_features))
        kink = kinks.place[0, side, j]
        away = np.sign(kink - problem.mse.minimum[j])
        points[:, j] = kink + away * rng.exponential(size=200)
        assert (problem.objective(points) >= lowest * (1 - 1e-12)).all()


@settings(max_examples=30, deadline=None)
@given(n_features=st.integers(2, 8), seed=st.integers(0, 2**16))
def test_no_point_of_a_line_is_below_its_bound(n_features, seed):
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, n_features)
    coef = problem.mse.minimum + rng.normal(size=n_features)
    pairs = np.array([rng.choice(n_features, 2, replace=False)])
    planes = Planes.of(Batch.of([problem]), coef[None], np.zeros(1, dtype=int), pairs)
    first, second = rng.normal(size=(2, 1, 100))
    objective = planes.error(first, second) * planes.factor(first, second)
    points = np.tile(coef, (100, 1))
    points[:, pairs[0]] = np.stack([first[0], second[0]], axis=1)
    np.testing.assert_allclose(objective[0], problem.objective(points), rtol=1e-6)
    assert (planes.bounds(first) <= objective * (1 + 1e-9)).all()


@pytest.mark.parametrize("n_pairs", [20, 80])
def test_many_pairs_of_nearly_equal_features_converge(n_pairs):
    rng = np.random.default_rng(0)
    base = rng.normal(size=(1000, n_pairs))
    X = np.hstack([base, base + 0.014 * rng.normal(size=base.shape)])
    y = X @ rng.normal(size=2 * n_pairs) + 5 * rng.normal(size=1000)
    X, y = (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()
    solution = solve(Problem(quadratic(X, y), np.full(2 * n_pairs, 0.15), 0.01, 1.0))
    assert solution.optimality < 1e-8
    assert np.abs(solution.coef).max() <= 1
    assert solution.n_iter < 300
