"""Saved models."""

from tabular import MINUS, Table, crossed, results, table

OURS, THEIRS = "LaiMLPRegressor", "MLPRegressor"  # as deploy has them
STEPS = {
    "import": "import alone",
    "joblib": "import, load by joblib, predict one row",
    "skops": "the same by skops",
    "skops, no torch": "the same by skops, torch not installed",
}


@table
def deploy_processes() -> Table:
    """What fresh processes need, beside those of MLPRegressor."""
    found = {(row["step"], row["model"]): row for row in results("deploy")["processes"]}

    def cells(ours: dict, theirs: dict) -> list[str]:
        return [
            f"{ours['seconds']:.2f}",
            f"{theirs['seconds_ratio']:.2f}",
            f"{ours['megabytes']:.0f}",
            f"{theirs['megabytes_ratio']:.2f}",
            " / ".join("yes" if row["torch"] else "no" for row in (ours, theirs)),
        ]

    return Table(
        [
            "a fresh process",
            "seconds, ours",
            "MLPRegressor's / ours",
            "peak memory in MB, ours",
            "MLPRegressor's / ours",
            "torch loaded, ours / MLPRegressor's",
        ],
        [
            [name, *cells(found[step, OURS], found[step, THEIRS])]
            for step, name in STEPS.items()
        ],
        "deploy",
    )


@table
def deploy_files() -> Table:
    """Sizes of the files of a model by format."""
    found = results("deploy")["files"]
    formats = [key for key in found[0] if key != "model"]
    rows = [[f"`{r['model']}`", *(f"{r[key]:.0f}" for key in formats)] for r in found]
    return Table(["kB", *formats], rows, "deploy")


def brief(seconds: float) -> str:
    """Seconds, or microseconds where they are few."""
    return f"{seconds:.2f} s" if seconds > 0.01 else f"{1e6 * seconds:.0f} µs"


@table
def deploy_predictions() -> Table:
    """Times of prediction over ours, with one thread and as many as by default."""
    content = crossed(
        [
            row | {"case": f"rows {row['rows']:,}, threads {row['threads']}"}
            for row in results("deploy")["predictions"]
        ],
        "predictor",
        "case",
        lambda row: f"{row['ratio']:.2f} ({brief(row['seconds'])})",
        "its time / ours",
        "deploy",
    )
    differences = {
        row["predictor"]: f"{row['difference']:.0e}".replace("-", MINUS)
        for row in results("deploy")["differences"]
    }
    return content._replace(
        header=[*content.header, "largest difference"],
        rows=[[*row, differences.get(row[0], "")] for row in content.rows],
    )
