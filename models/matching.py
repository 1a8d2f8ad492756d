"""Which localization belongs to which emitter.

Decision: there are as many pairs as possible, and among the ways to have so many, the total distance is the least.
Context: the SMLM challenge's own tool takes the closest pair first, which can leave others without a partner.
Consequence: the pairs do not depend on the order of rows, and there are never fewer than with the greedy way.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from models.localizations import Localizations

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


def match(
    reference: Localizations, test: Localizations, tolerance_nm: float, axial_tolerance_nm: float
) -> tuple[Rows, Rows]:
    """Pair the rows of two tables, frame by frame.

    Parameters
    ----------
    reference, test : Localizations
        Finite positions.
    tolerance_nm : float
        Largest lateral distance of a pair.
    axial_tolerance_nm : float
        Largest axial distance of a pair; counts where both tables have `z_nm`, and so does z in the distance then.

    Returns
    -------
    (k,) intp, (k,) intp
        Rows of the reference and of the test table.
    """
    rows, columns, distance = _candidates(reference, test, tolerance_nm, axial_tolerance_nm)
    group = _groups(rows, columns, len(reference), len(test))
    alone = np.bincount(group, minlength=1)[group] == 1
    paired = [(rows[alone], columns[alone])]
    order = np.argsort(group[~alone], kind="stable")
    crowded = np.flatnonzero(~alone)[order]
    for edges in np.split(crowded, np.flatnonzero(np.diff(group[crowded])) + 1):
        paired.append(_assign(rows[edges], columns[edges], distance[edges]))
    return np.concatenate([pair[0] for pair in paired]), np.concatenate([pair[1] for pair in paired])


def isolated(table: Localizations, distance_nm: float) -> NDArray[np.bool_]:
    """Return which rows have no other one within this lateral distance in their frame, (n,) bool."""
    if len(table) == 0:
        return np.zeros(0, bool)
    points = _points(table, distance_nm)
    nearest = np.asarray(KDTree(points).query(points, k=[2])[0])
    return np.asarray(nearest[:, 0] > distance_nm)


def _points(table: Localizations, reach_nm: float) -> Floats:
    """Return (n, 3) points in which what is within reach of each other is in the same frame."""
    frame = np.asarray(table["frame"], np.float64)
    return np.stack([np.asarray(table["x_nm"]), np.asarray(table["y_nm"]), 2 * reach_nm * frame], axis=1)


def _candidates(
    reference: Localizations, test: Localizations, tolerance_nm: float, axial_tolerance_nm: float
) -> tuple[Rows, Rows, Floats]:
    """Return all pairs within the tolerances: rows, rows and distance in nm."""
    trees = [KDTree(_points(table, tolerance_nm)) for table in (reference, test)]
    pairs = trees[0].sparse_distance_matrix(trees[1], tolerance_nm, output_type="ndarray")
    rows, columns, distance = pairs["i"].astype(np.intp), pairs["j"].astype(np.intp), pairs["v"]
    if "z_nm" not in reference or "z_nm" not in test:
        return rows, columns, distance
    axial = np.subtract(reference["z_nm"][rows], test["z_nm"][columns], dtype=np.float64)
    near = np.abs(axial) <= axial_tolerance_nm
    return rows[near], columns[near], np.hypot(distance[near], axial[near])


def _groups(rows: Rows, columns: Rows, references: int, tests: int) -> Rows:
    """Return for each pair the number of its group; pairs of different groups share no row and no column."""
    size = references + tests
    graph = coo_array((np.ones(len(rows), bool), (rows, references + columns)), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    return np.asarray(label[rows], np.intp)


def _assign(rows: Rows, columns: Rows, distance: Floats) -> tuple[Rows, Rows]:
    """Choose among the pairs of one group."""
    if len(rows) == 0:
        return rows, columns
    row_names, row = np.unique(rows, return_inverse=True)
    column_names, column = np.unique(columns, return_inverse=True)
    prohibitive = distance.max() * (min(len(row_names), len(column_names)) + 1) + 1  # more than all real pairs together
    cost = np.full((len(row_names), len(column_names)), prohibitive)
    cost[row, column] = distance
    row, column = linear_sum_assignment(cost)
    real = cost[row, column] < prohibitive
    return row_names[row[real]], column_names[column[real]]
