"""The cheapest way to give each order at most one driver, and each driver at most one order."""

from __future__ import annotations

import numpy as np

from backend.dispatch.matching_rules import Ints
from backend.dispatch.travel import Floats

_DENSE_CELLS = 250_000


def assign(
    order: Ints,
    driver: Ints,
    cost: Floats,
    worth: Floats,
    drivers: int,
    *,
    dense: bool | None = None,
) -> Ints:
    """Which of the pairs to carry out, as indices into them.

    `cost` is each pair's, `worth` what leaving each order costs; a pair that costs as much is left.
    The sum of both is the least that the pairs allow. Small batches go through the Hungarian method
    on the full matrix, others through a sparse matching in which each order may also go to a column
    of its own that stands for nobody; `dense` forces the one or the other.
    """
    if not len(order):
        return np.empty(0, dtype=np.int64)
    if dense is None:
        dense = len(worth) * drivers <= _DENSE_CELLS
    chosen = (_dense if dense else _sparse)(order, driver, cost, worth, drivers)
    return np.asarray(chosen[cost[chosen] < worth[order[chosen]]])


def _dense(order: Ints, driver: Ints, cost: Floats, worth: Floats, drivers: int) -> Ints:
    from scipy.optimize import linear_sum_assignment

    # What a pair saves against leaving its order; a cell without a pair saves nothing.
    savings = np.zeros((len(worth), drivers))
    savings[order, driver] = np.minimum(cost - worth[order], 0.0)
    pair_at = np.full((len(worth), drivers), -1, dtype=np.int64)
    pair_at[order, driver] = np.arange(len(order))
    chosen = pair_at[linear_sum_assignment(savings)]
    return np.asarray(chosen[chosen >= 0])


def _sparse(order: Ints, driver: Ints, cost: Floats, worth: Floats, drivers: int) -> Ints:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    everyone = np.arange(len(worth))
    rows = np.concatenate([order, everyone])
    columns = np.concatenate([driver, drivers + everyone])
    weights = np.concatenate([np.maximum(cost, 1e-9), worth])
    shape = (len(worth), drivers + len(worth))
    graph = coo_array((weights, (rows, columns)), shape=shape).tocsr()
    matched_rows, matched_columns = min_weight_full_bipartite_matching(graph)
    real = matched_columns < drivers
    wanted = matched_rows[real].astype(np.int64) * drivers + matched_columns[real]
    return np.flatnonzero(np.isin(order * drivers + driver, wanted))
