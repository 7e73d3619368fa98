"""The experiments of the Lai-loss paper on its data, and its claims in numbers.

    python benchmarks/paper.py --data DIR

DIR holds train.csv and test.csv of Kaggle's Playground Series, season 3, episode 1. The
paper is Y. Lai, "Lai Loss: A Novel Loss for Gradient Control", arXiv:2405.07884,
sections 6.1 (smoothness) and 6.2 (sensitivity). As there, Adam trains 100 epochs of
MSE, then 100 with 1 % Lai loss or, for comparison, 100 more of MSE, on a random 80 % of
the training rows. The Lai loss is that of the paper and, beside it, today's default
form: the mean error, slopes over a distance, a longer step, averaged weights. The error
is the RMSE on the other 20 %, the variance of predictions and the noise sensitivity are
measured on the test rows. One row has an AveOccup of 503, all others of 41 at most:
where it is held out, what a network extrapolates for it alone changes the RMSE by up to
a fifth. "bounded_rmse" is therefore that of predictions clipped to the range of the
training targets.

The paper does not say its network, scaling, learning rate, batch size and noise. Here
batches have 256 rows of float32, the norm of the paper's form is l2, the noise has one
standard deviation of the feature, and there are several set-ups, NETWORKS: the one of
the claims ("default"), a smoother one trained more slowly ("slow"), and three that come
near the RMSE of 0.6960 and the variance of 0.7728 that the paper has without control.
`k` is in target standard deviations per feature standard deviation, but in the raw
units of target and scaled features for "min-max" and "unscaled".

Changes are relative to MSE alone with the same set-up and seed, which is that of the
split, the initial weights and the batches. `FEATURE`'s k was chosen on the seeds 100 to
102, the set-up "slow" on 100 to 107; the seeds reported are 0, 1, ...
"""

import argparse
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
import torch
from joblib import Parallel, delayed
from paper_figure import draw
from paper_settings import (
    CHOSEN,
    FEATURE,
    FEATURE_GRID,
    FEATURES,
    FIGURES,
    GRID,
    NETWORKS,
    PAPER_SENSITIVITY,
    PAPER_SMOOTHNESS,
    PLAIN,
    TARGET,
    TO_BEAT,
    TODAYS,
    WAYS,
    Network,
    Setting,
    all_alike,
    all_settings,
    changes,
    one_feature,
    share_of_falls,
    variances,
)
from paper_side_by_side import side_by_side
from report import save_json
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import KFold, cross_val_score, train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sklearn_lai
from sklearn_lai import LaiMLPRegressor
from sklearn_lai.metrics import noise_sensitivity, prediction_variance


def load(folder: Path) -> tuple[pd.DataFrame, pd.Series, pd.DataFrame]:
    """Training features, training target, test features."""
    train = pd.read_csv(folder / "train.csv", index_col="id").astype(np.float32)
    test = pd.read_csv(folder / "test.csv", index_col="id").astype(np.float32)
    return train[FEATURES], train[TARGET], test[FEATURES]


def make_model(network: Network, parameters: dict, seed: int, cache: str):
    """The model of a setting; its first 100 epochs are shared through the cache."""
    shared = {"hidden_layer_sizes": 64, "batch_size": 256}
    # All epochs, and as many as in the paper.
    shared |= {"max_iter": 100, "lai_epochs": 100, "n_iter_no_change": np.inf}
    shared |= network.parameters | parameters
    # As in the paper, or three times the step of the first stage, as by default.
    times = 1 if shared.get("average") is False else 3
    step = shared.get("learning_rate_init", 0.001)
    shared["lai_learning_rate_init"] = times * step
    model = LaiMLPRegressor(**shared, random_state=seed, memory=cache)
    if network.scaler is None:
        return model
    return make_pipeline(network.scaler(), model).set_output(transform="pandas")


def measure(setting: Setting, parameters: dict, seed: int, data, cache: str) -> dict:
    """Figures of one fit."""
    X, y, X_test = data
    X_train, X_val, y_train, y_val = train_test_split(
        X, y, test_size=0.2, random_state=seed
    )
    model = make_model(NETWORKS[setting.network], parameters, seed, cache)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        model.fit(X_train, y_train)  # a small k makes the predictions collapse
    sensitivity = noise_sensitivity(model, X_test)
    predicted = model.predict(X_val)
    bounded = predicted.clip(y_train.min(), y_train.max())
    return {
        "network": setting.network,
        "name": setting.name,
        "seed": seed,
        "rmse": root_mean_squared_error(y_val, predicted),
        "bounded_rmse": root_mean_squared_error(y_val, bounded),
        "variance": prediction_variance(model, X_test),
        "sensitivity": sensitivity.mean(),
        **dict(zip(FEATURES, sensitivity, strict=True)),
    }


def measure_all(seeds: range, data, n_jobs: int) -> pd.DataFrame:
    """Figures of every setting and seed."""
    with tempfile.TemporaryDirectory() as cache:
        rows = Parallel(n_jobs, verbose=1)(
            delayed(measure)(setting, parameters, seed, data, cache)
            for setting, parameters in all_settings().items()
            for seed in seeds
        )
    return pd.DataFrame(rows).set_index(["network", "name", "seed"]).sort_index()


def spread(values: pd.Series) -> dict:
    """Mean, standard deviation, standard error of the mean, and median."""
    sd = float(values.std())
    return {
        "mean": float(values.mean()),
        "sd": sd,
        "se": sd / len(values) ** 0.5,
        "median": float(values.median()),
    }


def describe(figures: pd.DataFrame, network: str, name: str, **more) -> dict:
    """A setting in numbers: what it is, and what it changes, over the seeds."""
    here, change = figures.loc[network, name], changes(figures, network, name)
    parameters = all_settings()[network, name]
    row = {"network": network, "name": name, "parameters": parameters}
    row |= {name: spread(here[name]) for name in FIGURES}
    row |= {f"{name}_change": spread(change[name]) for name in FIGURES}
    row["feature_changes"] = {feature: spread(change[feature]) for feature in FEATURES}
    return row | more


def all_settings_of(network: str) -> dict[str, dict]:
    """The ways of Lai Training of one set-up."""
    return {s.name: p for s, p in all_settings().items() if s.network == network}


def smoothness(figures: pd.DataFrame) -> list[dict]:
    """Section 6.1: every k for all features alike, in two set-ups."""
    rows = [
        {"network": "the paper", "name": name, "paper": paper}
        for name, paper in PAPER_SMOOTHNESS.items()
    ]
    for network in ("like the paper", "default"):
        for name, parameters in all_settings_of(network).items():
            if "feature_k" not in parameters:
                paper = PAPER_SMOOTHNESS.get(name)
                rows.append(describe(figures, network, name, paper=paper))
    return rows


def sensitivity(figures: pd.DataFrame) -> list[dict]:
    """Section 6.2: both settings of the paper, and ours for the same purposes."""
    rows = [
        describe(figures, network, name, paper=paper)
        for name, paper in PAPER_SENSITIVITY.items()
        for network in ("like the paper", "min-max", "default")
    ]
    ours = [Setting("default", all_alike(0.2, TODAYS)[0]), CHOSEN]
    return rows + [describe(figures, *setting, paper=None) for setting in ours]


def one_feature_rows(figures: pd.DataFrame) -> list[dict]:
    """What the k of one feature does to the sensitivity to it, and to the error."""
    return [
        describe(figures, network, one_feature(k)[0], k=k)
        for network in ("default", "slow")
        for k in FEATURE_GRID
    ]


def setups(figures: pd.DataFrame) -> list[dict]:
    """What MSE alone, and k for all features alike, give in every set-up."""
    return [
        describe(figures, network, name, description=NETWORKS[network].description)
        for network in NETWORKS
        for name in [PLAIN, *(all_alike(k)[0] for k in (1.0, 0.3, 0.1))]
        if (network, name) in all_settings()
    ]


def variance_falls(figures: pd.DataFrame, way: str) -> dict:
    """Claim: the smaller k, the smaller the variance of the predictions."""
    variance = variances(figures, "default", way)
    return {
        "name": "the variance falls as k falls",
        "form": way,
        "k": GRID,
        "mean": variance.mean().tolist(),
        "sd": variance.std().tolist(),
        "share_of_steps_that_fall": share_of_falls(variance),
        "holds": bool((variance.mean().diff().iloc[1:] < 0).all()),
    }


def free_smoothness(figures: pd.DataFrame, way: str) -> list[dict]:
    """Claim: some k makes the model less sensitive at no cost in accuracy.

    No cost: the change of the bounded RMSE, seed by seed, is not above 0 by over two
    standard errors of its mean. Less sensitive: below 0 by as much.
    """
    rows = []
    for k in GRID:
        change = changes(figures, "default", all_alike(k, WAYS[way])[0])
        rmse, less = spread(change["bounded_rmse"]), spread(change["sensitivity"])
        free = rmse["mean"] <= 2 * rmse["se"] and less["mean"] < -2 * less["se"]
        rows.append(
            {
                "name": "less sensitive at no cost in accuracy",
                "form": way,
                "k": k,
                "rmse_change": spread(change["rmse"]),
                "bounded_rmse_change": rmse,
                "sensitivity_change": less,
                "holds": free,
            }
        )
    return rows


def lowered_feature(figures: pd.DataFrame) -> list[dict]:
    """Claim: lowering one feature's k cuts the sensitivity to it; and what to beat."""
    rows = []
    names = [one_feature(k)[0] for k in FEATURE_GRID]
    for network in ("default", "slow"):
        cut = [spread(changes(figures, network, name)[FEATURE]) for name in names]
        rows.append(
            {
                "name": f"the lower the k of {FEATURE}, the less sensitive to it",
                "network": network,
                "k": FEATURE_GRID,
                "mean": [c["mean"] for c in cut],
                "sd": [c["sd"] for c in cut],
                "holds": bool((np.diff([0, *(c["mean"] for c in cut)]) < 0).all()),
            }
        )
    change = changes(figures, *CHOSEN)
    rmse, feature = spread(change["rmse"]), spread(change[FEATURE])
    rows.append(
        {
            "name": f"{FEATURE} by 60 % or more, RMSE by 2.4 % or less",
            "network": CHOSEN.network,
            "setting": CHOSEN.name,
            "paper": {"rmse_change": 0.024, "feature_change": -0.42},
            "rmse_change": rmse,
            "bounded_rmse_change": spread(change["bounded_rmse"]),
            "feature_change": feature,
            "holds": rmse["mean"] <= TO_BEAT["rmse"]
            and feature["mean"] <= TO_BEAT[FEATURE],
        }
    )
    return rows


def claims(figures: pd.DataFrame) -> list[dict]:
    """What the paper claims, tested."""
    return [
        *(variance_falls(figures, way) for way in WAYS),
        *(row for way in WAYS for row in free_smoothness(figures, way)),
        *lowered_feature(figures),
    ]


def notes(figures: pd.DataFrame) -> list[str]:
    """Where our set-ups differ from the paper, in numbers of this run."""
    sentences = []
    for network in ("like the paper", "min-max", "unscaled", "default"):
        plain = figures.loc[network, PLAIN].mean()
        change = changes(figures, network, "k 0.1").mean()
        sentences.append(
            f"{NETWORKS[network].description}: RMSE {plain['rmse']:.3f}, bounded "
            f"{plain['bounded_rmse']:.3f}, variance {plain['variance']:.3f} (the "
            f"paper: 0.696, 0.773); k 0.1 changes the RMSE by {change['rmse']:+.1%}, "
            f"bounded {change['bounded_rmse']:+.1%}, and the mean sensitivity by "
            f"{change['sensitivity']:+.1%} (the paper: -0.07 %, within 2 %)."
        )
    return sentences


def accuracy(data, n_jobs: int) -> list[dict]:
    """R2 in 5-fold cross-validation of plain training and its peers."""
    X, y, _ = data
    shared = {"random_state": 0, "batch_size": 256, "hidden_layer_sizes": (64,)}
    theirs = TransformedTargetRegressor(
        make_pipeline(StandardScaler(), MLPRegressor(max_iter=200, **shared)),
        transformer=StandardScaler(),
    )
    models = {
        "LaiMLPRegressor(lai_fraction=0)": LaiMLPRegressor(lai_fraction=0, **shared),
        "MLPRegressor, standardised": theirs,
        "LinearRegression": LinearRegression(),
    }
    folds = KFold(5, shuffle=True, random_state=0)
    rows = []
    for name, model in models.items():
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            # MLPRegressor warns that its epochs are over.
            scores = cross_val_score(model, X, y, cv=folds, n_jobs=n_jobs)
        rows.append({"name": name, "mean": scores.mean(), "sd": scores.std(ddof=1)})
    return rows


def print_tables(figures: pd.DataFrame, tables: dict) -> None:
    """Everything measured, then the claims."""
    both = figures.groupby(["network", "name"])[FIGURES[:3]]
    both = both.agg(["mean", "std"]).loc[list(all_settings())].round(4)
    print("RMSE and variance of the predictions, over the seeds\n" + both.to_string())
    relative = {
        setting: 100 * changes(figures, *setting).mean() for setting in all_settings()
    }
    print(
        "\nChange against MSE only, %; the features are sensitivities to noise in them"
    )
    print(pd.DataFrame(relative).T.round(1).to_string(), end="\n\n")
    for row in tables["claims"]:
        print({name: rounded(value) for name, value in row.items()})
    print("\n" + "\n".join(tables["notes"]))
    print(pd.DataFrame(tables["accuracy"]).round(4).to_string(index=False))


def rounded(value):
    """The same, easier to read."""
    if isinstance(value, dict):
        return {name: rounded(v) for name, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return round(value, 4) if isinstance(value, float) else value


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path, default="results/paper.json")
    parser.add_argument("--figure", type=Path, default="results/paper.png")
    options = parser.parse_args()
    data, seeds = load(options.data), range(options.seeds)
    figures = measure_all(seeds, data, options.jobs)
    tables = {
        "smoothness": smoothness(figures),
        "sensitivity": sensitivity(figures),
        "claims": claims(figures),
        "one_feature": one_feature_rows(figures),
        "side_by_side": side_by_side(figures),
        "settings": setups(figures),
        "notes": notes(figures),
        "accuracy": accuracy(data, options.jobs),
        "seeds": list(seeds),
    }
    modules = [sklearn_lai, sklearn, torch, np]
    save_json(options.json, modules, about=__doc__, **tables)
    print_tables(figures, tables)
    draw(figures, options.figure)


if __name__ == "__main__":
    main()
