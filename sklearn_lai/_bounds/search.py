"""Bounds over a box by halving it where they are loose: branch and bound.

What is halved next does not depend on how often it may be, so more boxes can only make
the bounds tighter.
"""

from typing import NamedTuple

import numpy as np

from .._blocks import row_blocks
from .preactivations import Boxes
from .slopes import Network

# Boxes that are halved in one go, at most, if slopes are fewer.
BATCH = 64
# A bound is close enough to a slope that is reached, relative to it.
CLOSE = 0.01
# Numbers of a block of boxes in one step.
BLOCK_BYTES = 2**22


class Parts(NamedTuple):
    """Boxes that divide a box, and the most that slopes are in each.

    `most` has shape (n_boxes, 2, n_outputs, n_features): of slopes and of their
    negatives. `widest` is the feature along which to halve a box for each of these.
    """

    lower: np.ndarray
    upper: np.ndarray
    most: np.ndarray
    widest: np.ndarray

    def halves(self, rows: np.ndarray, features: np.ndarray) -> Boxes:
        """Both halves of these boxes, first all those with the smaller values."""
        middle = self.lower[rows, features] / 2 + self.upper[rows, features] / 2
        lower = np.concatenate([self.lower[rows]] * 2)
        upper = np.concatenate([self.upper[rows]] * 2)
        place = np.arange(len(rows))
        upper[place, features] = middle
        lower[len(rows) + place, features] = middle
        return lower, upper

    def of_first(self, n_boxes: int) -> "Parts":
        """Of halves, both of each of the first boxes."""
        place = np.arange(len(self.lower)) % (len(self.lower) // 2)
        return Parts(*(array[place < n_boxes] for array in self))

    def replaced(self, rows: np.ndarray, halves: "Parts") -> "Parts":
        """The same with halves, whose bounds are no worse, in place of these boxes."""
        most = np.fmin(halves.most, np.concatenate([self.most[rows]] * 2))
        found = []
        for whole, half in zip(self, halves._replace(most=most), strict=True):
            array = np.concatenate([whole, half[len(rows) :]])
            array[rows] = half[: len(rows)]
            found.append(array)
        return Parts(*found)


def divide(network: Network, boxes: Boxes, max_boxes: int) -> np.ndarray:
    """The most that slopes and their negatives are in a box.

    Shape (2, n_outputs, n_features).
    """
    parts = _parts(network, boxes)
    reached = _reached(network, boxes)
    while len(parts.lower) < max_boxes:
        rows, features = _loosest(parts, reached)
        if not len(rows):
            break
        # All of them even if not all may be kept: sums round by how many there are.
        halves = _parts(network, parts.halves(rows, features))
        reached = np.fmax(reached, _reached(network, halves[:2]))
        kept = rows[: max_boxes - len(parts.lower)]
        parts = parts.replaced(kept, halves.of_first(len(kept)))
    return parts.most.max(axis=0)


def _parts(network: Network, boxes: Boxes) -> Parts:
    """Bounds in boxes, block by block."""
    found = []
    box_bytes = 8 * network.numbers_per_box()
    for rows in row_blocks(len(boxes[0]), box_bytes, BLOCK_BYTES):
        lower, upper, widest = network.slopes((boxes[0][rows], boxes[1][rows]))
        found.append((np.stack([upper, -lower], axis=1), widest))
    most, widest = (np.concatenate(part) for part in zip(*found, strict=True))
    return Parts(*boxes, np.where(np.isnan(most), np.inf, most), widest)


def _reached(network: Network, boxes: Boxes) -> np.ndarray:
    """The most that slopes and their negatives are in the middles of boxes."""
    middles = (
        np.clip(boxes[0], -1e300, 1e300) / 2 + np.clip(boxes[1], -1e300, 1e300) / 2
    )
    slopes = network.slopes_at(middles)
    return np.stack([slopes.max(axis=0), -slopes.min(axis=0)])


def _loosest(parts: Parts, reached: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes to halve, and along which feature: those where a slope may be largest.

    For every slope whose bound is not close, in turn, the first, the second and so on.
    """
    most = parts.most.reshape(len(parts.most), -1)
    bound, reached = most.max(axis=0), reached.ravel()
    (slopes,) = np.nonzero(~(bound - reached <= CLOSE * np.abs(reached)))
    n_each = min(len(most), max(1, BATCH // max(1, len(slopes))))
    order = np.argsort(-most[:, slopes], axis=0, kind="stable")[:n_each]
    which = np.broadcast_to(slopes, order.shape).ravel()
    rows = order.ravel()
    widest = parts.widest.reshape(len(most), -1)
    features = widest[rows, which % widest.shape[1]]
    low, high = parts.lower[rows, features], parts.upper[rows, features]
    middle = low / 2 + high / 2
    can_be = (low < middle) & (middle < high) & np.isfinite(low) & np.isfinite(high)
    rows, features = rows[can_be], features[can_be]
    _, first = np.unique(rows, return_index=True)
    first = np.sort(first)
    return rows[first], features[first]
