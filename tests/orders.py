"""Observed orders of convergence."""

import numpy as np


def slope(steps, errors):
    """p of the least-squares fit error = C·hᵖ."""
    errors = np.asarray(errors, float)
    assert np.all(errors > 0), "an error of exactly zero has no order"
    return float(np.polyfit(np.log(np.asarray(steps, float)), np.log(errors), 1)[0])


def distance(a, b):
    """max |a − b| as a float."""
    return float(np.max(np.abs(np.asarray(a, float) - np.asarray(b, float))))
