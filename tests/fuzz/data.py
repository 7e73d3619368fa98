"""Data at its extremes, as text: changes of `X`, `y` and `sample_weight`."""

from dataclasses import dataclass

from hypothesis import strategies as st


@dataclass(frozen=True)
class Change:
    """A line that changes data; `wrong` says that no fit can take it."""

    code: str
    names: frozenset[str]
    wrong: bool = False
    is_scaled: bool = False


def _changes(names: str, codes: list[str], wrong: bool = False) -> list[Change]:
    return [Change(code, frozenset(names.split()), wrong) for code in codes]


SCALES = ["1e-8", "1e8", "2.0**-40", "1e-30", "1e30", "1e-100", "1e100", "1e-155",
          "1e155", "1e-170", "1e170", "1e-200", "1e200", "1e-300", "1e300"]  # fmt: skip
OF_VALUES = [
    *_changes("X", [
        "X[:, 0] = 3.0", "X[:, 0] = 0.0", "X[:, 0] = 1e300", "X[:, 1] = X[:, 0]",
        "X[:, 1] = -X[:, 0]", "X[:, 1] = X[:, 0] + 1e-7 * X[:, 1]",
        "X[:, 0] = 1 + 1e-9 * X[:, 0]", "X[:, 0] = 1 + 1e-14 * X[:, 0]",
        "X[:, 0] = 1e15 + X[:, 0]", "X = X + 1e15", "X = X + 1e8", "X[0] = 1e6",
        "X[0, 0] = 1e150", "X = np.round(X)", "X[:, 0] = X[:, 0] > 0",
        "X[:] = X[0]", "X[:, 0] = np.nextafter(1, 2) ** (X[:, 0] > 0)",
        *[f"X[:, 0] *= {scale}" for scale in SCALES],
        *[f"X *= {scale}" for scale in SCALES],
    ]),
    *_changes("y", [
        "y[:] = 1e-6", "y[:] = 0", "y[:] = -1e300", "y[0] += 1e5", "y[0] += 1e100",
        "y = y + 1e15", "y = 1 + 1e-9 * y", "y = X[:, 0].copy()",
        "y = X[:, 0] + 1e-4 * y", "y = np.column_stack([y, -y])",
        "y = np.column_stack([y, np.full(len(y), 1e-6)])",
        "y = np.column_stack([y, 1e8 * y])", "y = y[:, None]",
        *[f"y *= {scale}" for scale in SCALES],
    ]),
    *_changes("X y samples sample early_stopping validation", [
        "X, y = X[:1], y[:1]", "X, y = X[:2], y[:2]", "X, y = X[:3], y[:3]",
    ]),
]  # fmt: skip
OF_TYPES = [
    *_changes("X", [
        "X = X.astype('f4')", "X = X.astype('f2')", "X = X.astype(np.longdouble)",
        "X = X.astype(int)", "X = X.astype(bool)", "X = X.astype('u1')",
        "X = X.astype(object)", "X = X.tolist()", "X = np.asfortranarray(X)",
        "X = X[:, ::-1]", "X = X[::-1]", "X.setflags(write=False)",
        "X = pd.DataFrame(X, columns=['a', 'b'])",
            "X = pd.DataFrame(X, columns=[5, 6])",
        "X = pd.DataFrame(X, columns=['a', 'b']).astype('Float64')",
        "X = pd.DataFrame(X, columns=['a', 'b']).astype('f4')",
        "X = pl.DataFrame(X, schema=['a', 'b'])", "X = X.astype('>f8')",
        "X = np.ma.array(X)", "X = np.asarray(X, order='F')[:, :1]", "X = X[:, :1]",
    ]),
    *_changes("y", [
        "y = y.astype('f4')", "y = y.astype('f2')", "y = y.astype(np.longdouble)",
        "y = y.astype(int)", "y = y.astype(bool)", "y = y.astype(object)",
        "y = y.tolist()", "y = pd.Series(y.ravel()[:len(X)])",
        "y.setflags(write=False)", "y = y.astype('>f8')",
    ]),
]  # fmt: skip
WRONG = [
    *_changes("X", [
        "X[0, 0] = np.nan", "X[0, 0] = np.inf", "X[-1, -1] = -np.inf",
        "X = X.astype(object); X[0, 0] = None", "X = X[0]", "X = X[..., None]",
        "X = np.ma.masked_array(X, X == X.max())",
        "X = X * 1j", "X = X[:0]", "X = X[:, :0]", "X = csr_array(X)", "X = None",
        "X = X.astype(str)", "X = X.astype(object); X[0, 0] = 'a'",
        "X = X.astype(object); X[0, 0] = [1.0]", "X = X.astype(object); X[0, 0] = 1j",
        "X = X.astype(object); X[0, 0] = 10**400", "X = pl.DataFrame(X).lazy()",
        "X = (X * 1e6).astype('m8[s]')", "X = (X * 1e6).astype('M8[s]')", "X = 'X'",
        "X = {'a': X}", "X = object()", "X = X[:-1]",
            "X = 1 + np.longdouble(X) ** 2; X = X * np.longdouble('1e4000')",
        "X = pd.DataFrame(X).astype('Float64'); X.iloc[0, 0] = pd.NA",
        "X = pd.DataFrame(X, columns=['a', 'b']).assign(c='x')",
    ], True),
    *_changes("y", [
        "y[0] = np.nan", "y[0] = np.inf", "y = y.astype(object); y[0] = None",
        "y = y.astype(object); y[0] = 'a'", "y = y.astype(object); y[0] = 10**400",
        "y = y.astype(np.longdouble); y[0] = np.inf", "y = None", "y = y[:-1]",
        "y = 1 + np.longdouble(y) ** 2; y = y * np.longdouble('1e4000')",
        "y = y[..., None, None]",
        "y = np.ma.masked_array(y, y == y.max())",
        "y = y * 1j", "y = 'y'", "y = y.astype(str)", "y = csr_array(y[:, None])",
        "y = (y * 1e6).astype('m8[s]')", "y = (y * 1e6).astype('M8[s]')", "y = 1.0",
        "y = y.astype(object); y[0] = 1j",
        "y = y.astype(object); y[0] = [1.0, 2.0, 3.0]",
        "y = np.zeros((len(y), 0))", "y = object()", "y = {}",
    ], True),
    *_changes("sample_weight", [
        "sample_weight = -np.ones(len(X))", "sample_weight = np.zeros(len(X))",
        "sample_weight = np.ones(len(X) + 1)",
            "sample_weight = np.full(len(X), np.nan)",
        "sample_weight = np.full(len(X), np.inf)", "sample_weight = ['a'] * len(X)",
        "sample_weight = np.ones((len(X), 2))", "sample_weight = np.ones(len(X)) * 1j",
        "sample_weight = object()", "sample_weight = 'a'", "sample_weight = {}",
        "sample_weight = np.full(len(X), None)", "sample_weight = -1.0",
        "sample_weight = np.ones(len(X), 'm8[s]')", "sample_weight = np.nan",
        "sample_weight = []",
        "sample_weight = np.ma.masked_array(np.ones(len(X)), np.arange(len(X)) == 0)",
    ], True),
]  # fmt: skip
WEIGHTS = _changes("sample_weight", [
    "sample_weight = np.ones(len(X))", "sample_weight = 2.0", "sample_weight = 3",
    "sample_weight = rng.random(len(X))", "sample_weight = rng.integers(0, 2, len(X))",
    "sample_weight = (np.arange(len(X)) == 0).astype(float)",
    "sample_weight = [1] * len(X)", "sample_weight = pd.Series(np.ones(len(X)))",
    "sample_weight = np.full(len(X), 1e-300)", "sample_weight = np.full(len(X), 1e300)",
    "sample_weight = np.full(len(X), 2.0**-200)",
        "sample_weight = np.ones(len(X), bool)",
    "sample_weight = np.ones(len(X), 'f2')",
        "sample_weight = 10.0 ** -np.arange(len(X))",
    "sample_weight = np.ones(len(X), object)", "sample_weight = np.ones((len(X), 1))",
    "sample_weight = np.full(len(X), 1.7e308)",
    "sample_weight = np.full(len(X), 1e-20); sample_weight[0] = 1.0",
])  # fmt: skip


@st.composite
def data(draw: st.DrawFn) -> tuple[tuple[str, ...], list[Change]]:
    """Lines that make `X`, `y` and `sample_weight`, and what is special in them."""
    rows = draw(st.sampled_from([12, 20, 6]))
    changes = draw(st.lists(st.sampled_from(OF_VALUES), max_size=2, unique=True))
    changes += draw(st.lists(st.sampled_from(WEIGHTS), max_size=1))
    if draw(st.integers(0, 4)) == 4:
        changes.append(draw(st.sampled_from(WRONG)))
    else:  # of another type, the data might not take what is wrong
        changes += draw(st.lists(st.sampled_from(OF_TYPES), max_size=1))
    setup = (
        f"rng = np.random.default_rng({draw(st.integers(0, 20))})",
        f"X = rng.standard_normal(({rows}, 2))",
        f"y = X[:, 0] - X[:, 1] ** 2 + 0.3 * rng.standard_normal({rows})",
        "sample_weight = None",
    )
    return (*setup, *(change.code for change in changes)), changes
