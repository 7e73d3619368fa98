"""Names of columns: where they come from, where they are told."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from common import FRAME, MODELS, NAMES, X, Y, models, y
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


@models
@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_names_of_a_frame_are_kept_and_checked(model, frame):
    data = frame(dict(zip(NAMES, X.T, strict=True)))
    model.fit(data, y)
    assert model.feature_names_in_.tolist() == NAMES
    assert model.n_features_in_ == 5
    y_pred = model.predict(data)
    np.testing.assert_allclose(y_pred, model.fit(X, y).predict(X), rtol=1e-9)
    assert not hasattr(model, "feature_names_in_")
    model.fit(data, y)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(data[NAMES[::-1]])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.predict(X)


@pytest.mark.parametrize("name", ["mlp", "exact"])
def test_partial_fit_keeps_and_checks_names(name):
    model = type(MODELS[name])().partial_fit(FRAME[:60], y[:60])
    assert model.feature_names_in_.tolist() == NAMES
    with pytest.raises(ValueError, match="feature names should match"):
        model.partial_fit(FRAME[60:].rename(columns={"a": "z"}), y[60:])
    model.partial_fit(FRAME[60:], y[60:])


@models
@pytest.mark.parametrize(("value", "problem"), [(1e300, "large"), (1e-200, "small")])
def test_a_column_that_cannot_be_standardised_is_named(model, value, problem):
    data = FRAME.assign(c=np.where(np.arange(len(X)) % 2, value, -value))
    with pytest.raises(ValueError, match=f"column 'c' of X are too {problem}"):
        model.fit(data, y)
    with pytest.raises(ValueError, match=f"column 2 of X are too {problem}"):
        model.fit(data.to_numpy(), y)
    target = np.column_stack([y, data["c"]])
    with pytest.raises(ValueError, match=f"column 1 of y are too {problem}"):
        model.fit(X, target)


@models
def test_encoded_columns_keep_their_names_in_a_pipeline(model):
    data = FRAME.assign(town=np.where(X[:, 0] > 0.5, "Ulm", "Bonn"))
    encode = make_column_transformer(
        (StandardScaler(), NAMES),
        (OneHotEncoder(sparse_output=False), ["town"]),
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    pipeline = make_pipeline(encode, model).fit(data, y)
    names = [*NAMES, "town_Bonn", "town_Ulm"]
    assert pipeline[-1].feature_names_in_.tolist() == names
    assert pipeline[:-1].get_feature_names_out().tolist() == names
    assert pipeline[-1].n_features_in_ == 7


@models
def test_html_representation_shows_the_estimator(model):
    assert type(model).__name__ in model._repr_html_()
    assert type(model).__name__ in model.fit(X, y)._repr_html_()


@models
def test_a_target_in_a_column_warns_and_several_are_predicted(model):
    with pytest.warns(match="A column-vector y was passed"):
        assert model.fit(X, y[:, None]).predict(X).shape == y.shape
    assert model.fit(X, Y).predict(X).shape == Y.shape
    frame = pd.DataFrame(Y, columns=["first", "second"])
    y_pred = model.fit(X, frame).predict(X)
    np.testing.assert_allclose(y_pred, model.fit(X, Y).predict(X), rtol=1e-9)
