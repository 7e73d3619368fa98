"""The fuzzer sees what is wrong, and shrinks it."""

import inspect

import functions
import parameters
import pytest
import sequences
from campaign import Campaign, with_hypothesis
from hypothesis import strategies as st
from oracle import Kind, finite, judge
from program import Program, Step, Unprepared, header
from values import ALLOWED

import sklearn_lai
from sklearn_lai import inspection, loss, metrics, model_selection

NAMES = frozenset({"k"})


def of(*codes, setup=(), **options):
    steps = tuple(
        Step(code, names=NAMES, checks=(finite,), **options) for code in codes
    )
    return Program("subject", tuple(setup), steps)


@pytest.mark.parametrize(
    ("program", "kind"),
    [
        (of("1.0"), Kind.RIGHT),
        (of("np.nan"), Kind.ELSE),
        (of("[np.ones(2), torch.tensor([1, torch.inf])]"), Kind.ELSE),
        (of("LaiLinearRegressor(k=-1).fit([[1], [2]], [1, 2])"), Kind.ERROR),
        (of("LaiLinearRegressor(tol=-1).fit([[1], [2]], [1, 2])"), Kind.ELSE),
        (of("np.linalg.inv(np.zeros((2, 2)))"), Kind.ELSE),
        (of("np.log(np.zeros(1)) * 0 + 1"), Kind.ELSE),
        (of("{}['k']"), Kind.ELSE),
        (of("LaiLinearRegressor().predict([[1]])"), Kind.ERROR),
        (of("LinearRegression(fit_intercept=True)", wrong="k"), Kind.ELSE),
        (of("bool(np.array([True, False])) or k"), Kind.ELSE),
    ],
)
def test_classes(program, kind):
    assert judge(program).kind is kind


def test_a_hang_is_a_fault(monkeypatch):
    monkeypatch.setattr("program.MOST_SECONDS", 0.05)
    assert judge(of("__import__('time').sleep(9)")).kind is Kind.ELSE


LOSES = """\
class Model:
    def get_params(self):
        return {}
    def fit(self, broken):
        self.k_ = 1
        if broken:
            raise ValueError("k is wrong")
        return self"""


@pytest.mark.parametrize(("broken", "kind"), [(True, Kind.ELSE), (False, Kind.RIGHT)])
def test_what_a_failing_call_loses_is_seen(broken, kind):
    program = of(f"model.fit({broken})", setup=[LOSES, "model = Model()"])
    assert judge(program).kind is kind


def test_a_fit_that_remembers_is_seen():
    fit = "model.set_params(warm_start=False).fit(X, y)"
    setup = (
        *sequences.SETUP,
        "model = LaiMLPRegressor(warm_start=True, random_state=0).fit(X2, y2)",
    )
    for code, kind in {
        fit: Kind.RIGHT,
        f"model.fit(X, y) and {fit[:31]})": Kind.ELSE,
    }.items():
        step = Step(code, checks=(sequences.AsNew("X, y"),))
        assert judge(Program("subject", setup, (step,))).kind is kind


def test_lines_that_do_not_go_together_are_no_case():
    with pytest.raises(Unprepared):
        judge(of("1", setup=["1 / 0"]))


@st.composite
def programs_with_a_fault(draw):
    """Programs of a few numbers, at fault where one is above 9."""
    numbers = draw(st.lists(st.integers(0, 20), max_size=5))
    setup = tuple(f"x{i} = {number}" for i, number in enumerate(numbers))
    code = f"np.nan if max({numbers}, default=0) > 9 else dict(a=1)"
    return Program("max", setup, (Step(code, checks=(finite,)),))


def test_a_campaign_counts_and_keeps_the_smallest():
    campaign = Campaign()
    campaign.go(programs_with_a_fault(), seconds=3, first_seed=0)
    assert campaign.counts[Kind.RIGHT] > 0
    assert campaign.counts[Kind.ELSE] > 0
    [text] = campaign.faults.values()
    assert text.startswith("np.nan if max([10]) > 9 else dict()\n# ")


def test_rounds_of_the_same_seed_are_the_same():
    seen = []
    for _ in range(2):
        programs = []
        run = with_hypothesis(parameters.programs(), 7, programs.append)
        run()
        seen.append([program.text(4) for program in programs])
    assert seen[0] == seen[1]
    assert len(set(seen[0])) > 100


def test_every_parameter_and_every_public_function_is_fuzzed():
    named = {name for names in parameters.ESTIMATORS.values() for name in names}
    assert named == set(ALLOWED)
    fuzzed = {function.name.split("(")[0] for function in functions.FUNCTIONS}
    fuzzed |= {name.split(".")[0] for name in fuzzed} | {*parameters.ESTIMATORS}
    modules = (sklearn_lai, inspection, loss, metrics, model_selection)
    assert {name for module in modules for name in module.__all__} <= fuzzed
    for function in functions.FUNCTIONS:
        target = eval(function.name, dict(header()))
        if function.name not in functions.POSITIONAL:
            arguments = {*inspect.signature(target).parameters}
            assert arguments == {*function.arguments}, function.name
