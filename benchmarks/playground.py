"""What k and feature_k do on playground_s3e1: error, output variance, slopes, noise.

    python benchmarks/playground.py --data DIR

DIR holds train.csv and test.csv of Kaggle's Playground Series, season 3, episode 1.
The network has 64 hidden units and trains 100 + 100 epochs of batches of 256 on a
random 80 % of the training rows. Error is the RMSE on the other 20 %; variance, slopes
and noise sensitivity are measured on the test rows, as in the Lai-loss paper.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.linear_model import LinearRegression
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import KFold, cross_val_score, train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_lai import LaiMLPRegressor
from sklearn_lai.metrics import noise_sensitivity, prediction_variance

TARGET = "MedHouseVal"
NETWORK = {"hidden_layer_sizes": (64,), "batch_size": 256}
KS = [1.0, 0.5, 0.3, 0.2, 0.14]
FEATURE = "Longitude"


def load(folder):
    """Training features, training target, test features."""
    train = pd.read_csv(folder / "train.csv", index_col="id")
    test = pd.read_csv(folder / "test.csv", index_col="id")
    return train.drop(columns=TARGET), train[TARGET], test


def measure(parameters, seed, X, y, X_test):
    """Figures of one fit."""
    X_train, X_val, y_train, y_val = train_test_split(
        X, y, test_size=0.2, random_state=seed
    )
    model = LaiMLPRegressor(**NETWORK, random_state=seed, **parameters)
    start = time.perf_counter()
    model.fit(X_train, y_train)
    seconds = time.perf_counter() - start
    units = (X_train.std() / y_train.std()).to_numpy()
    sensitivity = noise_sensitivity(model, X_test)
    return {
        "seconds": seconds,
        "rmse": root_mean_squared_error(y_val, model.predict(X_val)),
        "variance": prediction_variance(model, X_test),
        "slope": np.abs(model.input_gradient(X_test) * units).mean(),
        "sensitivity": sensitivity.mean(),
        FEATURE: sensitivity[X.columns.get_loc(FEATURE)],
    }


def slope_table(settings, seeds, data, n_jobs):
    """Mean figures of each setting over the seeds."""
    rows = Parallel(n_jobs)(
        delayed(measure)(parameters, seed, *data)
        for parameters in settings.values()
        for seed in seeds
    )
    names = np.repeat(list(settings), len(seeds))
    return pd.DataFrame(rows).groupby(names, sort=False).mean()


def accuracy_table(X, y, n_jobs):
    """Mean 5-fold R2 of plain training and MLPRegressor, standardised and raw."""
    shared = {"random_state": 0, "batch_size": 256, "hidden_layer_sizes": (64,)}
    ours = LaiMLPRegressor(lai_fraction=0, **shared)
    theirs = MLPRegressor(max_iter=200, **shared)
    models = {
        "LaiMLPRegressor(lai_fraction=0), standardised": (ours, True),
        "MLPRegressor, standardised": (theirs, True),
        "LaiMLPRegressor(lai_fraction=0), raw": (ours, False),
        "MLPRegressor, raw": (theirs, False),
        "LinearRegression, raw": (LinearRegression(), False),
    }
    folds = KFold(5, shuffle=True, random_state=0)
    y = (y - y.mean()) / y.std()
    return pd.Series(
        {
            name: cross_val_score(
                make_pipeline(StandardScaler(), model) if standardise else model,
                X,
                y,
                cv=folds,
                n_jobs=n_jobs,
            ).mean()
            for name, (model, standardise) in models.items()
        },
        name="R2",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    data, seeds = load(options.data), range(options.seeds)

    settings = {"no control": {"lai_fraction": 0}}
    for interval in (5, 1, None):
        for k in KS:
            name = f"k {k:g}, lai_interval {interval}"
            settings[name] = {"k": k, "lai_interval": interval}
    for interval in (5, None):
        name = f"k 1, {FEATURE} 0.3, lai_interval {interval}"
        settings[name] = {
            "k": 1.0,
            "feature_k": {FEATURE: 0.3},
            "lai_interval": interval,
        }
    table = slope_table(settings, seeds, data, options.jobs)
    change = 100 * (table / table.loc["no control"] - 1)
    print(table.round(4).to_string(), end="\n\n")
    print("Change from no control, %\n" + change.round(1).to_string(), end="\n\n")
    print(accuracy_table(*data[:2], options.jobs).round(4).to_string())


if __name__ == "__main__":
    main()
