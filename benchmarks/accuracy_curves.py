"""What k adds in smoothness where the L2 penalty is tuned for accuracy.

    python benchmarks/accuracy_curves.py [--data DIR ...]

The networks and the rows are those of `accuracy.py`, as is the `alpha` that it found
by cross-validation without a Lai loss: run it first. With this `alpha` and with the
default, a network is trained without a Lai loss and with every `k`. What is compared is
the noise sensitivity on new rows: without a Lai loss, and the least along `k` at 2 %
more error than the network with the tuned `alpha` has without one.

Every unit adds a line to the file of `--points`, so that a run that was cut short goes
on from there.
"""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
import torch
from accuracy import ALPHA, DEFAULT_ALPHA, KS, Unit, of_unit, units_of
from curves import least_sensitivity, standard_error
from datasets import load
from joblib import delayed
from report import make_parser, records, save_json
from resume import Lines, add_options
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import root_mean_squared_error

import sklearn_lai
from sklearn_lai.metrics import noise_sensitivity

BUDGET = 0.02
FIGURES = ["tuned alpha", "tuned alpha, k", "default alpha, k"]


def measure(unit: Unit, alpha: float, X: np.ndarray, y: np.ndarray) -> dict:
    """Error and sensitivity without a Lai loss and along `k`, for both penalties."""
    torch.set_num_threads(1)
    data, network = of_unit(unit, X, y)

    def figures(**parameters) -> list[float]:
        model = clone(network).set_params(**parameters).fit(data.X, data.y)
        error = root_mean_squared_error(data.y_test, model.predict(data.X_test))
        sensitivity = noise_sensitivity(model, data.X_test).mean()
        return [float(f"{x:.5g}") for x in (error, sensitivity)]

    with (
        tempfile.TemporaryDirectory() as cache,
        warnings.catch_warnings(action="ignore", category=ConvergenceWarning),
    ):
        network.set_params(memory=cache)
        return {"unit": unit} | {
            name: [
                figures(alpha=value, lai_fraction=0),
                *(figures(alpha=value, k=k) for k in KS),
            ]
            for name, value in {"default": DEFAULT_ALPHA, "tuned": alpha}.items()
        }


def sensitivities(line: dict) -> np.ndarray:
    """`FIGURES`, over that of the network with neither; NaN out of reach."""
    curves = {name: np.array(line[name]) for name in ("default", "tuned")}
    plain = {name: curve[0] for name, curve in curves.items()}
    error = (1 + BUDGET) * plain["tuned"][0]
    least = {}
    for name, curve in curves.items():
        changes = curve[1:] / plain[name] - 1
        change = least_sensitivity(*changes.T, error / plain[name][0] - 1)
        least[name] = (1 + change) * plain[name][1]
    found = plain["tuned"][1], least["tuned"], least["default"]
    return np.divide(found, plain["default"][1])


def measure_all(sets, options) -> pd.DataFrame:
    """Sensitivities of all units, a row each."""
    lines, units = Lines(options.points, "unit"), units_of(sets, options.seeds)
    alphas = {
        unit: next(alpha for choice, *_, alpha in line["points"] if choice == ALPHA)
        for unit, line in Lines(options.found, "unit").found.items()
    }
    lines.run_missing(
        units,
        lambda unit: delayed(measure)(unit, alphas[unit], *sets[unit[1]]),
        options.jobs,
    )
    rows = [(*unit, *sensitivities(lines.found[unit])) for unit in units]
    return pd.DataFrame(rows, columns=["size", "set", "seed", *FIGURES])


def over_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over the seeds and standard errors; NaN where not all seeds have one."""
    groups = rows.groupby(["size", "set"], sort=False)[FIGURES]
    means = groups.mean().where(groups.count() == rows["seed"].nunique())
    errors = groups.agg(standard_error).where(means.notna())
    return means.join(errors.add_suffix(" se")).round(5).reset_index()


def main():
    parser = make_parser("accuracy_curves", __doc__.splitlines()[0])
    add_options(parser, "accuracy_curves")
    parser.add_argument("--found", type=Path, default="docs/results/accuracy.jsonl")
    options = parser.parse_args()

    table = over_seeds(measure_all(load(options.data, options.sets), options))
    print(table.to_string(index=False))
    save_json(
        options.json,
        [sklearn_lai, sklearn, torch, np],
        seeds=options.seeds,
        ks=KS,
        budget=BUDGET,
        table=records(table),
    )


if __name__ == "__main__":
    main()
