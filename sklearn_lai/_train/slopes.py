"""How the slopes of a batch are measured, and gradients of its losses through them."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from .batches import Batch
from .directions import DrawnDirections
from .network import Network
from .outliers import Mixture
from .sharing import Part


class Derivative:
    """The slopes are derivatives, in all directions."""

    def draw(self, parts: Sequence[Part], rng: np.random.Generator) -> None:
        """Draw what is random in the next batches, of which these are the parts."""

    def backpropagate(
        self,
        network: Network,
        objective: Mixture,
        batch: Batch,
        plain_weight: float,
        lai_weight: float,
    ) -> tuple[Tensor, Tensor]:
        """Set the network's gradient of the weighted sum of plain and Lai loss.

        Returns both losses.
        """
        X, y, sample_weight = batch
        outputs, slopes = network.forward_with_slopes(X)
        plain, lai, *gradients = objective.mixed(
            outputs.sub_(y), slopes, plain_weight, lai_weight, sample_weight
        )
        network.backward_with_slopes(*gradients)
        return plain, lai


class FiniteDifference:
    """The slope of a sample is measured over one random step, of one of several kinds.

    A slope is the change of an output divided by a distance that is the same for all
    steps of a kind. The objective takes the changes.

    The kinds, numbered as `candidates`, are dealt in turn, from a random one on:
    each has as many samples of a batch as any other, give or take one.
    """

    def __init__(self, candidates: Tensor):
        self._candidates = candidates
        self._pairs: dict[int, _Pair] = {}

    def draw(self, parts: Sequence[Part], rng: np.random.Generator) -> None:
        """The same, with equal numbers for a sample in whatever part it is."""
        n_kinds, draws = len(self._candidates), self._drawn(parts, rng)
        self._draws = (
            ((first + part.start) % n_kinds, numbers[part.start : part.stop])
            for part, (first, numbers) in zip(parts, draws, strict=True)
        )

    def _drawn(
        self, parts: Sequence[Part], rng: np.random.Generator
    ) -> Iterator[tuple[int, Tensor]]:
        """For each whole batch the place of the first direction, and normal numbers."""
        raise NotImplementedError

    def _move(self, X: Tensor, directions: Tensor, draws: Tensor, out: Tensor) -> None:
        """Write the samples moved along their directions, (n_samples, 1)."""
        raise NotImplementedError

    def backpropagate(
        self,
        network: Network,
        objective: Mixture,
        batch: Batch,
        plain_weight: float,
        lai_weight: float,
    ) -> tuple[Tensor, Tensor]:
        X, y, sample_weight = batch
        first, draws = next(self._draws)
        pair = self._pair_for(X, y)
        directions = pair.deals[first]
        pair.X.copy_(X)
        self._move(X, directions, draws, pair.X_moved)
        network.forward(pair.X_stack, out=pair.output_stack)
        torch.sub(pair.moved_outputs, pair.outputs, out=pair.changes)
        plain, lai, output_gradient, change_gradient = objective.mixed(
            pair.error.sub_(y),
            pair.changes,
            plain_weight,
            lai_weight,
            sample_weight,
            DrawnDirections(directions, len(self._candidates)),
        )
        pair.change_gradient.copy_(change_gradient)
        torch.sub(output_gradient, pair.moved_gradient, out=pair.gradient)
        network.backward(pair.gradient_stack)
        return plain, lai

    def _pair_for(self, X: Tensor, y: Tensor) -> "_Pair":
        if len(X) not in self._pairs:
            self._pairs[len(X)] = _Pair(X, y, self._candidates)
        return self._pairs[len(X)]


class AlongFeatures(FiniteDifference):
    """Each sample moves along one of the features at the positions `candidates`.

    The distance is normal with the standard deviation `reach`, and a slope is the
    change divided by `reach`, so that for a linear model the expected square is that of
    the derivative.
    """

    def __init__(self, reach: float, candidates: np.ndarray, like: Tensor):
        super().__init__(torch.from_numpy(candidates).to(like.device))
        self._reach = reach
        self._like = like

    def _drawn(
        self, parts: Sequence[Part], rng: np.random.Generator
    ) -> Iterator[tuple[int, Tensor]]:
        sizes = [part.size for part in parts]
        firsts = rng.integers(len(self._candidates), size=len(sizes)).tolist()
        distances = torch.from_numpy(rng.standard_normal(sum(sizes)) * self._reach)
        distances = distances[:, None].to(self._like)
        return zip(firsts, distances.split(sizes), strict=True)

    def _move(self, X: Tensor, directions: Tensor, draws: Tensor, out: Tensor) -> None:
        torch.scatter_add(X, 1, directions, draws, out=out)


class AlongNoise(FiniteDifference):
    """Each sample moves by one of several kinds of noise, independent in its features.

    `sds` has the standard deviation of each kind in each feature, of shape (n_kinds,
    n_features).
    """

    def __init__(self, sds: Tensor):
        super().__init__(torch.arange(len(sds), device=sds.device))
        self._sds = sds

    def _drawn(
        self, parts: Sequence[Part], rng: np.random.Generator
    ) -> Iterator[tuple[int, Tensor]]:
        # One after the other, since there is a number for every entry of X.
        n_kinds, n_features = self._sds.shape
        for part in parts:
            draws = torch.from_numpy(rng.standard_normal((part.size, n_features)))
            yield int(rng.integers(n_kinds)), draws.to(self._sds)

    def _move(self, X: Tensor, directions: Tensor, draws: Tensor, out: Tensor) -> None:
        n_features = draws.shape[1]
        noise = draws.mul_(self._sds.index_select(0, directions[:, 0]))
        torch.add(X[:, :n_features], noise, out=out[:, :n_features])


class AlongMixedNoise(AlongNoise):
    """The same, but noise that is ``mixing @ numbers``, of independent numbers.

    `mixing` has rows of norm 1, so that a kind in one feature has its standard
    deviation.
    """

    def __init__(self, sds: Tensor, mixing: Tensor):
        super().__init__(sds)
        self._mixing_T = mixing.mT

    def _move(self, X: Tensor, directions: Tensor, draws: Tensor, out: Tensor) -> None:
        super()._move(X, directions, draws @ self._mixing_T, out)


SlopeMeasure = Derivative | FiniteDifference


class _Pair:
    """Buffers for batches of one size.

    A stack has the samples and, below them, the same ones moved. Other names are views
    into stacks, some in the shape of slopes. `deals` are the directions of all samples,
    (n_samples, 1), by the place of the first one's.
    """

    def __init__(self, X: Tensor, y: Tensor, candidates: Tensor):
        n_samples, n_candidates = len(X), len(candidates)
        self.X_stack = torch.cat([X, X])
        self.X, self.X_moved = self.X_stack.tensor_split(2)
        self.output_stack = torch.cat([y, y])
        self.error, moved = self.output_stack.tensor_split(2)
        self.outputs, self.moved_outputs = self.error.mT[..., None], moved.mT[..., None]
        self.changes = torch.empty_like(self.outputs)
        self.gradient_stack = torch.cat([y, y])
        self.gradient, self.moved_gradient = self.gradient_stack.tensor_split(2)
        self.change_gradient = self.moved_gradient.mT[..., None]
        places = torch.arange(n_samples + n_candidates - 1, device=X.device)
        deals = candidates[places % n_candidates].unfold(0, n_samples, 1)
        self.deals = deals[..., None].unbind(0)


def make_slope_measure(
    reach: float, candidates: np.ndarray, like: Tensor
) -> SlopeMeasure:
    """Derivatives, or finite differences along the features at these positions."""
    if reach == 0 or len(candidates) == 0:
        return Derivative()
    return AlongFeatures(reach, candidates, like)
