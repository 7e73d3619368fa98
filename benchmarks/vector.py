"""A Lai loss of every feature as an objective of its own, by Jacobian descent.

    python benchmarks/vector.py [--data DIR ...]

The paper names a loss of vector form as an alternative to one number (section 3.3). A
torch loop trains the second stage of networks of 64 hidden units with our step size and
average of the weights. In every fifth batch there are the plain loss and a Lai loss of
every feature, with our defaults: their sum is differentiated, or TorchJD's UPGrad or
MGDA makes one step of the Jacobian. These make a mean of the gradients, which is
multiplied by the number of losses: where none conflicts with another, UPGrad's is the
sum. Beside them, Lai Training of this package.

What is compared along `k` is the trade-off of error and noise sensitivity on the rows
held out, how evenly the sensitivities of the features fall, and the time of the stage.

Every unit adds a line to the file of `--points`, so that a run that was cut short goes
on from there.
"""

import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
import torch
import torchjd
from curves import AREA_BUDGETS, at_level, least_sensitivity, standard_error
from datasets import load, split
from joblib import delayed
from methods import EPOCHS, OUR_REACH, Task, lai, pretrained, squared_error
from report import make_parser, records, save_json
from resume import Lines, add_options
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import root_mean_squared_error
from torchjd.aggregation import MGDA, UPGrad

import sklearn_lai
from sklearn_lai.loss import lai_factor
from sklearn_lai.metrics import noise_sensitivity

LAI_FRACTION, LAI_INTERVAL = 0.01, 5  # defaults
KS = np.geomspace(0.4, 0.0125, 9).round(4).tolist()
LEVEL = 0.6  # of the mean sensitivity without control, where evenness is measured
AGGREGATORS = {"UPGrad": UPGrad, "MGDA": MGDA}
OURS, SUM = "this package", "sum"
FORMS = (OURS, SUM, *AGGREGATORS)

Unit = tuple[str, int]  # set, seed


class Losses:
    """The plain loss of a batch, and in some batches the Lai loss of every feature."""

    def __init__(self, module: torch.nn.Module, task: Task, k: float):
        X, y = torch.from_numpy(task.data.X), torch.from_numpy(task.data.y)[:, None]
        self.k, self.n_batches = k, 0
        with torch.no_grad():
            self.mean_loss = squared_error(module, X, y, None)

    def __call__(self, module, X, y, generator) -> torch.Tensor:
        plain = (1 - LAI_FRACTION) * squared_error(module, X, y, generator)
        self.n_batches += 1
        if self.n_batches % LAI_INTERVAL:
            return plain[None]
        weight = LAI_FRACTION * LAI_INTERVAL * self.mean_loss
        return torch.cat([plain[None], weight * self.of_features(module, X, generator)])

    def of_features(self, module, X, generator) -> torch.Tensor:
        """Mean square of the Lai factor for every feature, each on rows of its own."""
        n_rows, n_features = X.shape
        feature = torch.randperm(n_rows, generator=generator) % n_features
        steps = torch.zeros_like(X)
        steps[torch.arange(n_rows), feature] = OUR_REACH * torch.empty(n_rows).normal_(
            generator=generator
        )
        slopes = (module(X + steps) - module(X))[:, 0] / OUR_REACH
        squares = lai_factor(slopes, self.k).square()
        sums = torch.zeros(n_features).index_add(0, feature, squares)
        return sums * n_features / n_rows


def descend(losses: torch.Tensor, module: torch.nn.Module, aggregator) -> None:
    """Leave one gradient for all losses, made of their Jacobian."""
    if len(losses) == 1:
        losses.backward()
        return
    # Both aggregators make a mean.
    torchjd.autojac.backward(len(losses) * losses)
    torchjd.autojac.jac_to_grad(module.parameters(), aggregator)


def backward_of(form: str, module: torch.nn.Module) -> Callable:
    """What differentiates the losses."""
    if form == SUM:
        return lambda losses: losses.sum().backward()
    return partial(descend, module=module, aggregator=AGGREGATORS[form]())


def train(task: Task, form: str, k: float):
    """A network after its second stage, and the seconds of that."""
    if form == OURS:
        start = time.perf_counter()
        return lai(task, k), time.perf_counter() - start
    network = pretrained(task)
    losses = Losses(network.module, task, k)
    backward = backward_of(form, network.module)
    start = time.perf_counter()
    network.fit(task, EPOCHS, losses, ours=True, backward=backward)
    return network, time.perf_counter() - start


def figures(model, data) -> list[float]:
    """Mean noise sensitivity, error, and the sensitivity to every feature."""
    sensitivity = noise_sensitivity(model, data.X_test)
    error = root_mean_squared_error(data.y_test, model.predict(data.X_test))
    return [float(f"{x:.5g}") for x in (sensitivity.mean(), error, *sensitivity)]


def measure(unit: Unit, X: np.ndarray, y: np.ndarray, cache: str) -> dict:
    """Figures without a Lai loss and of every form along `k`, and mean seconds."""
    torch.set_num_threads(1)
    data = split(X, y, unit[1])
    task = Task(data, unit[1], cache)
    line: dict = {"unit": unit, "seconds": {}}
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        lai(task, KS[0])  # pretrains, which is not timed
        plain = pretrained(task).fit(task, EPOCHS, squared_error, ours=True)
        line[OURS + ", plain"] = figures(lai(task, 1.0, lai_fraction=0), data)
        line["torch, plain"] = figures(plain, data)
        for form in FORMS:
            runs = [train(task, form, k) for k in KS]
            line[form] = [figures(model, data) for model, _ in runs]
            line["seconds"][form] = round(float(np.mean([s for _, s in runs])), 3)
    return line


def curve_of(line: dict, form: str) -> tuple[np.ndarray, np.ndarray]:
    """Figures of a form along `k`, and those of the same code without a Lai loss."""
    plain = line[(OURS if form == OURS else "torch") + ", plain"]
    return np.array(line[form]), np.array(plain)


def changes_of(line: dict, form: str) -> np.ndarray:
    """Changes of the mean sensitivity and the error of a form along `k`."""
    curve, plain = curve_of(line, form)
    return curve[:, :2] / plain[:2] - 1


def row_of(line: dict, form: str) -> dict:
    """Area of the trade-off, unevenness and seconds of a form, of one unit."""
    curve, plain = curve_of(line, form)
    changes = changes_of(line, form)
    least = [least_sensitivity(changes[:, 1], changes[:, 0], b) for b in AREA_BUDGETS]
    falls = np.log(at_level(plain, curve, LEVEL)[2:])
    weights = plain[2:] / plain[2:].sum()
    spread = np.sqrt(weights @ (falls - weights @ falls) ** 2)
    return {
        "area": np.mean(least),
        "unevenness": spread,
        "seconds": line["seconds"][form],
    }


def measure_all(sets, units: list[Unit], n_jobs: int, path: Path) -> dict[Unit, dict]:
    """The lines of all units."""
    lines = Lines(path, "unit")
    with tempfile.TemporaryDirectory() as cache:
        lines.run_missing(
            units, lambda u: delayed(measure)(u, *sets[u[0]], cache), n_jobs
        )
    return {unit: lines.found[unit] for unit in units}


def mean_curves(found: dict[Unit, dict]) -> pd.DataFrame:
    """Changes of sensitivity and error along `k`, means over the seeds."""
    rows = []
    for ((key, _), line), form in product(found.items(), FORMS):
        changes = changes_of(line, form)
        rows += [(key, form, k, *both) for k, both in zip(KS, changes, strict=True)]
    names = ["set", "form", "k"]
    points = pd.DataFrame(rows, columns=[*names, "sensitivity", "error"])
    return points.groupby(names, sort=False).mean().round(5).reset_index()


def over_seeds(found: dict[Unit, dict]) -> pd.DataFrame:
    """Means over the seeds, with differences of area and unevenness from the sum's."""
    rows = pd.DataFrame(
        [
            {"set": unit[0], "seed": unit[1], "form": form} | row_of(line, form)
            for (unit, line), form in product(found.items(), FORMS)
        ]
    )
    figures = ["area", "unevenness", "seconds"]
    # NaN where not the curves of all seeds come to the level.
    is_whole = rows["unevenness"].notna().groupby([rows["set"], rows["form"]])
    rows = rows.assign(unevenness=rows["unevenness"].where(is_whole.transform("all")))
    groups = rows.groupby(["set", "form"], sort=False)
    means = groups[figures].mean()
    of_sum = rows[rows["form"] == SUM].set_index(["set", "seed"])
    apart = rows.set_index(["set", "seed"])
    base = of_sum.reindex(apart.index)
    for name in figures[:2]:
        apart[f"{name} difference"] = apart[name] - base[name]
    differences = apart.groupby(["set", "form"], sort=False)[
        [f"{name} difference" for name in figures[:2]]
    ]
    errors = differences.agg(standard_error).add_suffix(" se")
    return means.join(differences.mean()).join(errors).reset_index().round(5)


def main():
    parser = make_parser("vector", __doc__.splitlines()[0])
    add_options(parser, "vector")
    options = parser.parse_args()

    sets = load(options.data, options.sets)
    units = list(product(sets, range(options.seeds)))
    found = measure_all(sets, units, options.jobs, options.points)
    table = over_seeds(found)
    print(table.to_string(index=False))
    save_json(
        options.json,
        [sklearn_lai, sklearn, torch, np],
        seeds=options.seeds,
        ks=KS,
        level=LEVEL,
        table=records(table),
        curves=records(mean_curves(found)),
    )


if __name__ == "__main__":
    main()
