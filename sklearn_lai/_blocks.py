"""Blocks of rows, small enough for intermediate results to need little memory."""

from collections.abc import Iterator


def row_blocks(n_rows: int, row_bytes: int, block_bytes: int) -> Iterator[slice]:
    """Consecutive blocks of all rows, of at least one row each."""
    size = max(1, block_bytes // max(1, row_bytes))
    return (slice(start, min(start + size, n_rows)) for start in range(0, n_rows, size))
