"""Values of arguments, as text: those allowed, doubtful ones, and wrong ones."""

from collections.abc import Sequence

from hypothesis import strategies as st

# May be taken or refused, by an error that names the argument; the simplest first.
ODD = [
    "None", "True", "0", "1", "-1", "2", "0.5", "-0.0", "1.5", "'a'", "''", "'auto'",
    "()", "[]", "{}", "set()", "[None]", "[1]", "[0.5, 0.5]", "[[0.5, 0.5]]",
    "['a', 'b']", "[0.5, [0.5]]", "{'a': 0.5}", "{0: 0.5}", "{'no such': 0.5}",
    "{0: 'a'}", "{0.5: 0.5}", "{None: 0.5}", "{0: np.nan}", "{0: [0.5]}",
    "{True: 0.5}", "FeatureK()", "FeatureK(a=0.5)", "FeatureK({0: 0.5})",
    "np.inf", "-np.inf", "1e-320", "1e-200", "1e200", "1.7e308", "10**400",
    "-(10**400)", "2**31", "2**63", "2**64 - 1", "Fraction(1, 2)", "Decimal('0.5')",
    "np.float16(0.5)", "np.float32(0.5)", "np.longdouble(0.5)", "np.int8(3)",
    "np.uint8(200)", "np.int64(2)", "np.uint64(2)", "np.bool_(True)",
    "np.str_('relu')", "np.array(0.5)", "np.array([0.5])", "np.array([0.5, 0.5])",
    "np.array([1, 2])", "np.array([True, False])", "np.array(['relu'])",
    "np.array([[0.5, 0.5]])", "np.array([])", "np.array([None, 0.5])",
    "np.ma.masked", "np.ma.array([0.5, 0.5], mask=[True, False])",
    "pd.Series([0.5, 0.5])", "pd.Series([0.5, 0.5], index=['a', 'b'])",
    "pd.Series([True])", "pd.Series(['adam'])", "pd.Series([0.5, 0.5], index=[7, 8])",
    "pd.DataFrame({'a': [0.5], 'b': [0.5]})", "pl.Series([0.5, 0.5])",
    "pl.DataFrame({'a': [0.5], 'b': [0.5]})", "pd.Index(['a', 'b'])",
    "torch.tensor(0.5)", "torch.tensor([0.5, 0.5])", "csr_array([[0.5, 0.5]])",
    "range(2)", "iter([0.5, 0.5])", "(x for x in [1, 2])", "memoryview(b'ab')",
    "'a\\0b'", "'\\ud800'", "'1se'", "'0.5'", "lambda *args: 0.5", "print", "float",
    "slice(2)", "...", "NotImplemented", "frozenset([1])", "bytearray(b'a')",
    "KFold(2)", "LinearRegression()", "np.random.default_rng(0)",
    "np.random.RandomState(0)", "sys", "np.dtype('f8')",
]  # fmt: skip
# No argument of ours may be one of these.
WRONG = [
    "object()", "np.nan", "1j", "b'a'", "pd.NaT", "pd.NA", "np.timedelta64(1, 's')",
    "np.datetime64('2020-01-01')", "np.complex128(1)", "Decimal('nan')", "float('nan')",
    "np.float32('nan')", "pd.Timestamp(0)", "[np.nan]", "[object()]", "object",
]  # fmt: skip
# Numbers of rounds that would take for ever.
HUGE = {"2**31", "2**63", "2**64 - 1", "10**400"}
COUNTS = {"max_iter", "lai_epochs", "path_epochs", "n_repeats", "ks"}
# Processes that take a second to start.
STARTS_PROCESSES = {"-1", "2", "2**31", "2**63", "2**64 - 1", "np.int64(2)",
                    "np.uint64(2)", "np.int8(3)", "np.uint8(200)", "-(10**400)",
                    "10**400"}  # fmt: skip

SLOPES = [
    "0.3", "1e-3", "1.0", "30.0", "1e-50", "1e50", "1e-200", "1e200", "2",
        "np.float32(0.3)",
    "np.int8(1)", "[0.3, 0.1]", "(1, 2)", "np.array([0.3, 0.1], dtype='f2')",
    "pd.Series([0.3, 0.1])", "[[0.3, 0.1]]", "np.array([[1, 2]])",
]  # fmt: skip
BY_FEATURE = [
    "None",
    "{0: 0.1}",
    "{1: None}",
    "{0: None, 1: None}",
    "FeatureK({0: 0.1})",
]
SHARE = ["0.5", "0", "1", "0.01", "1e-300", "np.float32(0.5)", "0.999999"]
POSITIVE = [
    "0.5",
    "1",
    "1e-3",
    "1e3",
    "1e-300",
    "1e300",
    "np.float16(0.5)",
    "np.int64(2)",
]
NON_NEGATIVE = ["0", "0.0", *POSITIVE]
STEP_SIZE = [
    "0.01",
    "0.3",
    "1",
    "1e-5",
    "30.0",
    "1e5",
    "1e200",
    "1e-300",
    "np.float32(0.1)",
]
BOOL = ["True", "False", "np.bool_(True)", "np.bool_(False)"]
EPOCHS = ["1", "2", "3", "0", "np.int8(2)", "np.uint8(3)", "np.int64(1)"]
# Allowed values of every parameter of an estimator.
ALLOWED = {
    "hidden_layer_sizes": ["(2,)", "()", "3", "(2, 2)", "[1]", "np.array([2, 1])",
        "np.uint8(2)"],
    "activation": ["'relu'", "'tanh'", "'identity'", "'logistic'", "'softplus'",
        "'silu'", "'gelu'"],
    "k": SLOPES,
    "ks": ["1", "2", "[0.3]", "[0.1, 0.3]", "np.array([0.3, 0.1])", "(1, 2)",
        "[1e-50, 1e50]",
           "np.int8(2)", "[0.3, 0.3]", "pd.Series([0.3])", "[1e-200]", "[1e200]"],
    "feature_k": BY_FEATURE,
    "noise": ["None", "0", "0.3", "[0.3, 0]", "{0: 0.3}", "np.array([0.1, 0.2])",
        "1e-200", "1e200", "{0: None}", "[[0.2, 0.1], [0.1, 0.3]]",
        "np.full((2, 2), 0.1)", "np.diag([0.1, 0])"],
    "reach": ["0.5", "0", "0.0", "1", "1e-8", "1e-300", "1e8", "1e300"],
    "lai_error": ["'mean'", "'own'"],
    "norm": ["'l1'", "'l2'", "'elasticnet'"],
    "l1_ratio": SHARE,
    "lai_fraction": SHARE,
    "lai_interval": ["1", "None", "2", "5", "np.int64(2)", "np.uint8(200)", "2**63"],
    "cv": ["2", "3", "KFold(2)", "[([0, 1, 2], [3, 4]), ([3, 4, 5], [0, 1])]",
        "np.int64(2)"],
    "scoring": ["None", "'r2'", "'neg_mean_absolute_error'",
        "neg_prediction_variance", "make_noisy_scorer('r2', noise=0.3)"],
    "tolerance": ["0.02", "0", "'1se'", "1", "1e300", "np.float32(0.5)"],
    "path_epochs": ["1", "2", "None", "np.int64(2)", "np.uint8(1)"],
    "n_jobs": ["None", "1", "np.int64(1)"],
    "loss": ["'squared_error'", "'absolute_error'", "'huber'", "'quantile'"],
    "huber_delta": POSITIVE,
    "quantile": ["0.5", "0.01", "0.99", "1e-300", "np.float32(0.25)"],
    "fit_intercept": BOOL,
    "solver": ["'adam'", "'sgd'", "'lbfgs'"],
    "max_iter": EPOCHS,
    "lai_epochs": EPOCHS,
    "max_fun": ["1", "5", "15000", "np.int64(7)"],
    "alpha": NON_NEGATIVE,
    "batch_size": ["'auto'", "1", "5", "200", "np.int8(4)", "np.uint8(255)", "2**63"],
    "learning_rate": ["'constant'", "'invscaling'", "'adaptive'"],
    "learning_rate_init": STEP_SIZE,
    "lai_learning_rate_init": STEP_SIZE,
    "power_t": ["0.5", "0", "3", "1e3", "1e300"],
    "average": BOOL,
    "shuffle": BOOL,
    "momentum": ["0.9", "0", "1", "0.999"],
    "nesterovs_momentum": BOOL,
    "beta_1": ["0.9", "0", "0.999999"],
    "beta_2": ["0.999", "0", "0.9999999"],
    "epsilon": ["1e-08", "1", "1e-300", "1e300"],
    "early_stopping": BOOL,
    "validation_fraction": ["0.1", "0.5", "0.99", "1e-300", "np.float32(0.5)"],
    "n_iter_no_change": ["10", "1", "np.inf", "float('inf')", "np.int64(1)", "2**63"],
    "tol": ["1e-4", "0", "1e3", "1e300", "1e-300", "np.float32(0.1)"],
    "warm_start": BOOL,
    "standardize": BOOL,
    "random_state": ["0", "7", "2**32 - 1", "np.int64(1)", "np.uint8(200)",
        "np.random.RandomState(0)"],
    "verbose": ["False", "True", "1", "np.int8(1)"],
    "device": ["'cpu'", "'auto'", "'cuda'", "'mps'"],
    "memory": ["None", "'cache'"],
    "distributed": BOOL,
}  # fmt: skip
LINEAR_SOLVERS = ["'auto'", "'exact'", "'adam'"]


def odd(name: str) -> st.SearchStrategy[str]:
    """Doubtful values of an argument."""
    left_out: set[str] = set()
    if name in COUNTS:
        left_out |= HUGE
    if name == "n_jobs":
        left_out |= STARTS_PROCESSES
    return st.sampled_from([code for code in ODD if code not in left_out])


def wrong() -> st.SearchStrategy[str]:
    """Values that no argument may have."""
    return st.sampled_from(WRONG)


def call(
    function: str, arguments: dict[str, str], positional: Sequence[str] = ()
) -> str:
    """The text of a call."""
    words = [*positional, *(f"{name}={code}" for name, code in arguments.items())]
    return f"{function}({', '.join(words)})"
