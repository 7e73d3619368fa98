"""Training, tuning and large data in time."""

from functools import partial

from tabular import MINUS, TABLES, Table, finding, results, table

RATIOS = ["speed", "linear", "tuning", "chunks"]  # each a list of ratios and targets


def ratios(benchmark: str) -> Table:
    """Every ratio that a benchmark measured, and the one it was to reach."""
    rows = [
        [row["name"], f"{row['value']:.2f}", f"{row['direction']} {row['target']:g}"]
        for row in results(benchmark)["rows"]
    ]
    return Table(["measured", "value", "target"], rows, benchmark)


TABLES |= {name: partial(ratios, name) for name in RATIOS}


@table
def tuning_curves() -> Table:
    """Areas of the curves of one run and of separate ones, in points of per cent."""
    header = ["data set", "area, one run", "area, separate runs", "difference"]

    def points(value: float) -> str:
        return f"{value:+.1f}".replace("-", MINUS)

    return Table(
        header,
        [
            [
                row["set"],
                *map(points, (row["one run"], row["separate runs"])),
                points(row["difference"]),
            ]
            for row in results("tuning")["curves"]
        ],
        "tuning",
    )


@table
def drop_in() -> Table:
    """Accuracy and time of the first stage alone beside MLPRegressor's, by solver."""
    header = ["solver", "R2, MLPRegressor", "R2, ours", "difference", "its time / ours"]

    def difference(row: dict) -> str:
        figure = f"{row['difference']:+.4f} ± {row['standard_error']:.4f}"
        return figure.replace("-", MINUS)

    return Table(
        header,
        [
            [
                f"`{row['solver']}`",
                f"{row['r2_theirs']:.3f}",
                f"{row['r2_ours']:.3f}",
                difference(row),
                f"{row['ratio']:.1f}",
            ]
            for row in results("drop_in")["by_solver"]
        ],
        "drop_in",
    )


@table
def scaling() -> Table:
    """A step of one process and of two, and how far the model says that it scales."""
    header = [
        "hidden layers",
        "stage",
        "kB a step",
        "rows per process",
        "step, 1 process, ms",
        "2 processes, ms",
        "2, model",
        "half, here",
        "half, 10 Gbit/s",
    ]
    rows = [
        [
            row["network"],
            row["stage"],
            f"{row['bytes'] / 1000:.0f}",
            f"{row['rows']:,}",
            *(f"{1000 * row[key]:.2f}" for key in ("one", "two", "model")),
            *(f"{row[key]:,}" for key in ("here", "network of 10 Gbit/s")),
        ]
        for row in results("distributed")["rows"]
    ]
    return Table(header, rows, "distributed")


@finding
def found_scaling() -> str:
    """What a step of two processes takes beside one, and the connection."""
    found = results("distributed")
    ratios = {
        n: [row["two"] / row["one"] for row in found["rows"] if row["rows"] == n]
        for n in (found["rows"][0]["rows"], found["rows"][-1]["rows"])
    }
    of_rows = " and ".join(
        f"{min(r):.1f} to {max(r):.1f} times as long with {n:,} rows per process"
        for n, r in ratios.items()
    )
    in_steps, alone = found["connection"], found["messages"]
    return (
        "A step of two processes, which trains on twice the rows, takes "
        f"{of_rows}: what it adds hardly depends on the rows, so many rows per process "
        "and large networks scale. A message between two processes on the machine "
        f"takes {1e6 * in_steps['latency']:.0f} microseconds in a step, and a megabyte "
        f"{1e9 / in_steps['bandwidth']:.1f} milliseconds; where nothing else is done, "
        f"{1e6 * alone['latency']:.0f} microseconds and "
        f"{1e9 / alone['bandwidth']:.1f} milliseconds."
    )


def name_of(network: dict) -> str:
    """A network and its batches."""
    return f"{tuple(network['layers'])}, batch {network['batch_size']}"


@table
def gpu() -> Table:
    """Training times on a GPU, as ratios, a row for each network."""
    found = results("gpu")["rows"]
    rows = [
        [name_of(row), *(f"{value:.2f}" for value in row["ratios"].values())]
        for row in found
    ]
    return Table(["hidden layers", *found[0]["ratios"]], rows, "gpu")


@finding
def found_gpu() -> str:
    """How many times as long a CPU takes."""
    found = results("gpu")
    card, cores = found["machine"].split("; ")[0], found["machine"].split(", ")[-1]
    times = [
        f"{row['ratios']['CPU / GPU']:.1f} times as long for {name_of(row)}"
        for row in found["rows"]
    ]
    return (
        f"Beside one {card}, a CPU with {cores} takes {times[0]}, {times[1]} and "
        f"{times[2]}."
    )


def ratio(benchmark: str, name: str) -> float:
    """One of the ratios of a benchmark."""
    return next(r["value"] for r in results(benchmark)["rows"] if r["name"] == name)


PEERS = {  # their time over ours
    "`MLPRegressor`": "MLPRegressor / ours, (64,), batch 200, float32",
    "skorch": "skorch / ours, (64,), batch 200",
    "a torch loop with double backpropagation, the same loss on every batch": (
        "autograd double backpropagation / ours, every batch, (64,)"
    ),
}


@table
def readme_speed() -> Table:
    """How many times as fast as peers."""
    rows = [[peer, f"{ratio('speed', name):.1f}"] for peer, name in PEERS.items()]
    return Table(["peer", "its time / ours"], rows, "speed")


@finding
def found_training() -> str:
    """Training times beside peers."""
    mlp, skorch, loop = (ratio("speed", name) for name in PEERS.values())
    large = ratio("speed", "MLPRegressor / ours, (256, 256), batch 200, float32")
    return (
        f"To train the same network of 64 hidden units without the Lai loss, "
        f"`MLPRegressor` takes {mlp:.1f} times as long as `LaiMLPRegressor`, and "
        f"skorch {skorch:.1f} times. With two layers of 256 units, `MLPRegressor` "
        f"takes {large:.1f} times as long. With the Lai loss on every batch, a torch "
        f"loop with double backpropagation takes {loop:.1f} times as long."
    )


@finding
def found_costs() -> str:
    """What control adds to training, prediction, memory."""
    control = ratio("speed", "Lai Training / plain, whole fit, (64,), default")
    one = ratio("speed", "predict, ours / MLPRegressor, 1 rows")
    million = ratio("speed", "predict, ours / MLPRegressor, 1e+06 rows")
    memory = ratio("speed", "peak memory beyond X / X, 1e6 x 100 float32, array")
    return (
        f"The Lai loss adds {100 * (control - 1):.0f} % to the time of a fit with the "
        f"defaults. Prediction takes {one:.2f} times as long as that of `MLPRegressor` "
        f"for one row, and {million:.2f} times for a million rows. Beside the data, a "
        f"fit needs {100 * memory:.0f} % of its memory."
    )


@finding
def found_linear() -> str:
    """The exact solver beside scikit-learn's linear models."""
    ridge = ratio("linear", "Ridge / LaiLinearRegressor, later fits, 1e6 x 100")
    plain = ratio(
        "linear", "LinearRegression / LaiLinearRegressor, later fits, 1e6 x 100"
    )
    folds = ratio("linear", "LaiLinearRegressorCV, 50 k x 5 folds / one fit, 1e6 x 100")
    return (
        f"On a million rows of 100 features, Ridge takes {ridge:.1f} times as long as "
        f"`LaiLinearRegressor`, and `LinearRegression` {plain:.0f} times. Five-fold "
        f"cross-validation of 50 values of `k` takes {folds:.1f} times as long as one "
        f"fit."
    )
