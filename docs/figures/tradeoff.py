"""The trade-off along k on the diabetes data, and what LaiMLPRegressorCV chooses."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes

from sklearn_lai import LaiMLPRegressorCV
from sklearn_lai.inspection import TradeoffDisplay

X, y = load_diabetes(return_X_y=True, as_frame=True)
model = LaiMLPRegressorCV(
    (64,), ks=np.geomspace(1, 0.02, 10), batch_size=32, random_state=0
).fit(X, y)
figure, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
TradeoffDisplay.from_estimator(model, ax=ax)
