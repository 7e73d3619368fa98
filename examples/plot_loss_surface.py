"""
=================================
The loss over slope and intercept
=================================

The Lai loss of a line over its slope and intercept, for squared and absolute error: the
surfaces of appendix A of the paper (`arXiv:2405.07884
<https://arxiv.org/abs/2405.07884>`_), and a numerical check of what follows from the
geometry of the loss, which :doc:`/user_guide/mathematics` explains.
"""

# %%
# The data and its losses
# -----------------------
# Data around the line ``y = 3 x + 4``, and the Lai loss alone, in the units of the
# data. The factor depends on the slope only. So the loss of a line is its plain loss
# times ``lai_factor(slope, k)``, squared for the squared error.

import warnings
from collections.abc import Callable
from itertools import combinations
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.optimize import minimize_scalar
from sklearn.exceptions import ConvergenceWarning

from sklearn_lai import LaiLinearRegressor
from sklearn_lai.loss import lai_factor, lai_loss

K = [0.05, 0.5, 1, 2, 20]
rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, 101)
y = 3 * x + 4 + rng.normal(size=101)


class Base(NamedTuple):
    name: str
    power: int
    of_error: Callable
    centre: Callable  # of what a slope leaves of the target: the best intercept


BASES = {
    "squared_error": Base("MSE", 2, np.square, np.mean),
    "absolute_error": Base("MAE", 1, np.abs, np.median),
}


def factor(slope, k):
    slope = torch.as_tensor(slope, dtype=torch.float64)
    return lai_factor(slope, k).numpy()


def plain(slope, intercept, loss):
    """Plain loss of lines, over arrays of slopes and intercepts that broadcast."""
    slope, intercept = np.asarray(slope)[..., None], np.asarray(intercept)[..., None]
    return BASES[loss].of_error(y - slope * x - intercept).mean(axis=-1)


def surface(slope, intercept, k, loss):
    """Lai loss of the same lines."""
    return plain(slope, intercept, loss) * factor(slope, k) ** BASES[loss].power


def best_intercept(slope, loss):
    rest = y - np.asarray(slope)[..., None] * x
    return BASES[loss].centre(rest, axis=-1)


def profile(slope, k, loss):
    """Least Lai loss that a line of this slope can have."""
    return surface(slope, best_intercept(slope, loss), k, loss)


# %%
# Where the least loss lies
# -------------------------
# Found exactly, and by a grid search that uses nothing of the geometry. For squared
# error the exact answer is :class:`~sklearn_lai.LaiLinearRegressor` with all weight on
# the Lai loss. For absolute error the loss is concave between the slopes at which the
# line meets two samples and the kinks ``-k`` and ``k``, so one of these is the best.

PAIRS = np.array(
    [(y[j] - y[i]) / (x[j] - x[i]) for i, j in combinations(range(len(x)), 2)]
)


def exact_line(k, loss):
    """Slope and intercept with the least Lai loss."""
    if loss == "squared_error":
        model = LaiLinearRegressor(k=k, lai_fraction=1, standardize=False)
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            model.fit(x[:, None], y)  # warns that a small k asks for a flat line
        return np.array([model.coef_[0], model.intercept_])
    slopes = np.append(PAIRS, [-k, k])
    slope = slopes[profile(slopes, k, loss).argmin()]
    return np.array([slope, best_intercept(slope, loss)])


def grid_line(k, loss):
    """The same by grids of slopes and intercepts, each finer than the last."""
    centre, span = np.array([0.0, 4.0]), np.array([12.0, 6.0])
    while span[0] > 1e-6:
        slopes, intercepts = np.linspace(centre - span, centre + span, 61).T
        losses = surface(slopes[:, None], intercepts, k, loss)
        i, j = np.unravel_index(losses.argmin(), losses.shape)
        centre, span = np.array([slopes[i], intercepts[j]]), span / 4
    return centre


lines = {(loss, k): exact_line(k, loss) for loss in BASES for k in K}
plain_slope = {
    "squared_error": np.polyfit(x, y, 1)[0],
    "absolute_error": PAIRS[
        plain(PAIRS, best_intercept(PAIRS, "absolute_error"), "absolute_error").argmin()
    ],
}

# %%
# What the geometry says, by numbers
# ----------------------------------
# Every statement is checked for all ``K`` and both losses; the output is a table of
# what was found. For ``k >= 1`` the factor of lines steeper than ``k`` is
# ``|s| / sqrt(1 + s**2)``, which rises with the slope, and that of flatter ones
# ``k / sqrt(1 + s**2)``, which falls. So a large ``k`` asks for steep lines, but not
# without bound: between its kinks the loss is that of ``k`` times the *orthogonal*
# distance from the data to the line, and the line of least distance is the limit.

checks = []


def check(name, measured, expected, tolerance=1e-9):
    """Note a statement with the worst of what was measured."""
    measured, expected = np.broadcast_arrays(np.asarray(measured, float), expected)
    worst = np.abs(measured - expected).argmax()
    row = {"name": name}
    row |= {"measured": float(measured.flat[worst])}
    row |= {"expected": float(expected.flat[worst]), "tolerance": tolerance}
    row |= {"holds": bool((np.abs(measured - expected) <= tolerance).all())}
    checks.append(row)


def check_that(name, truths):
    """Note a statement that is true of a share of cases, which should be 1."""
    check(name, np.mean(truths), 1)


CASES = list(lines)
steep, fine = np.geomspace(1e-3, 1e6, 10_001), np.linspace(-30, 30, 60_001)
unit = factor(np.append(fine, steep), 1)

check("k = 1: least factor", unit.min(), np.sqrt(0.5))
check("k = 1: |slope| of the least factor", np.abs(fine[factor(fine, 1).argmin()]), 1)
check("k = 1: largest factor", unit.max(), 1)
check("factor(-s) - factor(s)", [factor(-fine, k) - factor(fine, k) for k in K], 0)

# The slope of the loss jumps by power / k at each kink, and by no more than the step
# elsewhere.
STEP = 1e-7


def jump(slope, k, power):
    """Jump of the derivative of the logarithm of the factor to its power."""
    left, here, right = np.log(factor(slope + STEP * np.array([-1, 0, 1]), k)) * power
    return (left - 2 * here + right) / STEP


check(
    "k * jump of the derivative of log(factor) at slopes -k and k",
    [k * jump(sign * k, k, 1) for k in K for sign in (-1, 1)],
    1,
    tolerance=1e-4,
)
check(
    "the same 1 % inside and outside of k",
    [k * jump(share * k, k, 1) for k in K for share in (-1.01, -0.99, 0.99, 1.01)],
    0,
    tolerance=1e-4,
)


def has_valley(slope, k, loss):
    """Whether the loss is lower here than a hundredth to either side."""
    aside = profile(slope * np.array([0.99, 1.01]), k, loss)
    return profile(slope, k, loss) < aside.min()


check_that(
    "a valley of the loss at slope -k as well, for k >= 0.5",
    [has_valley(-k, k, loss) for loss, k in CASES if k >= 0.5],
)
check_that(
    "none there for k = 0.05, where the data outweighs the factor",
    [not has_valley(-k, k, loss) for loss, k in CASES if k == 0.05],
)
check_that(
    "the valley at slope k is the lower one: the data breaks the symmetry",
    [profile(k, k, loss) < profile(-k, k, loss) for loss, k in CASES],
)

# Where the least loss lies.
slopes = {case: line[0] for case, line in lines.items()}
check(
    "exact least line - that of the grid: slope and intercept",
    [line - grid_line(k, loss) for (loss, k), line in lines.items()],
    0,
    tolerance=1e-5,
)
check_that(
    "slope of the least loss: k 0.05 < 0.5 < 1 = 2 < plain loss < 20",
    [
        slopes[loss, 0.05] < slopes[loss, 0.5] < slopes[loss, 1]
        and np.isclose(slopes[loss, 1], slopes[loss, 2])
        and slopes[loss, 2] < plain_slope[loss] < slopes[loss, 20]
        for loss in BASES
    ],
)
check(
    "k <= 0.5, and k 3.2 above the data's slope: least loss at the kink, slope / k",
    [exact_line(k, loss)[0] / k for loss in BASES for k in (0.001, 0.05, 0.5, 3.2)],
    1,
)
check(
    "k = 1e-6: distance of the least line from the flat one through the centre",
    [exact_line(1e-6, loss) - [0, best_intercept(0, loss)] for loss in BASES],
    0,
    tolerance=1e-5,
)
main_axis = np.linalg.eigh(np.cov(x, y))[1][:, -1]
check(
    "MSE, k = 20 and 1000: slope of the line of least orthogonal distance",
    [exact_line(k, "squared_error")[0] for k in (20, 1000)],
    main_axis[1] / main_axis[0],
    tolerance=1e-6,
)
distance = profile(PAIRS, 1, "absolute_error") / factor(PAIRS, 1) / np.hypot(PAIRS, 1)
check(
    "MAE, k = 20 and 1000: slope of the line of least orthogonal distance",
    [exact_line(k, "absolute_error")[0] for k in (20, 1000)],
    PAIRS[distance.argmin()],
)

# How the Lai loss compares to the plain one.
ratios = {
    (loss, k): factor(np.append(fine, [-k, k]), k) ** BASES[loss].power
    for loss, k in CASES
}
check(
    "least Lai / plain loss, over (max(k, 1) / sqrt(1 + k^2))^p: never 0",
    [
        ratio.min() / (max(k, 1) / np.hypot(1, k)) ** BASES[loss].power
        for (loss, k), ratio in ratios.items()
    ],
    1,
)
check(
    "Lai / plain loss at slope 0, over max(k, 1)^p",
    [
        profile(0, k, loss)
        / plain(0, best_intercept(0, loss), loss)
        / max(k, 1) ** BASES[loss].power
        for loss, k in CASES
    ],
    1,
)
check(
    "k < 1: Lai / plain loss at slope 1e6, over 1 / k^p",
    [(factor(1e6, k) * k) ** BASES[loss].power for loss, k in CASES if k < 1],
    1,
)
check(
    "best intercept of a slope, by search - the mean or median of the rest",
    [
        minimize_scalar(
            lambda b, s=s, k=k, loss=loss: surface(s, b, k, loss),
            bounds=(-40, 40),
            method="bounded",
            options={"xatol": 1e-9},
        ).x
        - best_intercept(s, loss)
        for loss, k in CASES
        for s in (-8, -1, 0, 0.3, 3, 8)
    ],
    0,
    tolerance=1e-5,
)


def by_lai_loss(slope, intercept, k, loss):
    """Loss of a line by the function for torch models."""
    prediction = torch.from_numpy(slope * x + intercept)
    slopes = torch.full((len(x), 1), slope, dtype=torch.float64)
    return lai_loss(prediction, torch.from_numpy(y), slopes, k, loss=loss).item()


check(
    "sklearn_lai.loss.lai_loss / the surface drawn below",
    [
        by_lai_loss(s, b, k, loss) / surface(s, b, k, loss)
        for loss, k in CASES
        for s, b in rng.uniform(-8, 8, (20, 2))
    ],
    1,
)

print("Slope and intercept of the least loss; the data's line is 3 and 4")
print(f"{'':10s}" + "".join(f"{'k = ' + format(k, 'g'):>16s}" for k in K))
for loss, base in BASES.items():
    cells = [f"{s:9.3f} {b:6.3f}" for s, b in (lines[loss, k] for k in K)]
    print(f"{base.name:10s}" + "".join(cells))
print(
    f"\n{'What was checked, and the worst case':80s}{'measured':>10s}{'expected':>10s}"
)
for row in checks:
    mark = "" if row["holds"] else "   DOES NOT HOLD"
    print(f"{row['name']:80s}{row['measured']:10.5f}{row['expected']:10.5f}{mark}")
if not all(row["holds"] for row in checks):
    raise SystemExit("A statement about the surfaces does not hold.")

# %%
# The surfaces
# ------------
# The first two rows of the figure show the loss over slope and intercept; the last row,
# with the best intercept for each slope, as a multiple of the least loss. With a ``k``
# far below the slope of the data, the least loss lies at the kink: the smaller ``k``,
# the flatter the line. At ``k = 1`` and ``k = 2``, not so far below, it lies beyond the
# kink, at the same line for both: slightly flatter than that of the plain loss, since
# the factor still rises there. A ``k`` above the slope of the data makes the line
# steeper; at ``k = 20`` it is the line of least orthogonal distance. The factor ignores
# the sign of the slope; the data does not.

COLOURS = {"squared_error": "#0072B2", "absolute_error": "#D55E00"}
figure, axes = plt.subplots(
    3, 5, figsize=(13, 8), sharex=True, sharey="row", layout="constrained"
)
slopes, intercepts = np.linspace(-8, 8, 481), np.linspace(-1, 9, 201)
for row, (loss, base) in zip(axes, BASES.items(), strict=False):
    for ax, k in zip(row, K, strict=True):
        losses = np.log10(surface(slopes[:, None], intercepts, k, loss))
        ax.contourf(slopes, intercepts, losses.T, levels=24, cmap="viridis")
        ax.plot(3, 4, "o", color="white", markeredgecolor="black", label="the data's")
        ax.plot(
            *lines[loss, k],
            "*",
            color="#E69F00",
            markeredgecolor="black",
            markersize=15,
            label="least loss",
        )
        ax.set_title(f"{base.name}, $k = {k:g}$")
for ax, k in zip(axes[-1], K, strict=True):
    for loss, base in BASES.items():
        relative = profile(slopes, k, loss) / profile(lines[loss, k][0], k, loss)
        ax.plot(slopes, relative, color=COLOURS[loss], label=base.name)
    ax.set(yscale="log", ylim=(0.9, 150), xlabel="slope", xlim=(-8, 8))
for row, colour in zip(axes, ["white", "white", "black"], strict=True):
    for ax, k in zip(row, K, strict=True):
        for kink in (-k, k):
            ax.axvline(kink, color=colour, linestyle=":", linewidth=1)
for ax in axes[:2, 0]:
    ax.set_ylabel("intercept")
axes[-1, 0].set_ylabel("loss / least loss")
axes[-1, 0].set_yticks([1, 10, 100], ["1", "10", "100"])
axes[0, 0].legend(fontsize=8, loc="lower left")
axes[-1, -1].legend(fontsize=8, loc="upper right")
figure.suptitle("Lai loss (logarithmic; darker is lower), kinks dotted")
figure.savefig("loss_surface.png", dpi=130)
