"""Leaves out readings that no sensor of this kind can have, and smooths the rest within a device's batch.

labels: [device], fields: {temp: float, smooth: float}
"""

import numpy as np

from fogline.operator import Batch, operator

COLDEST, HOTTEST = -40.0, 85.0
WEIGHT = 0.3
"""Of a new reading against those before it."""


@operator(columns=["device", "temp"])
def denoise(batch: Batch) -> Batch:
    """Keep what can be, add the exponentially smoothed temperature of each device."""
    temp = batch["temp"]
    good = batch.filter((temp >= COLDEST) & (temp <= HOTTEST))
    smooth = np.empty(len(good))
    for device in set(good["device"]):
        rows = np.flatnonzero(good["device"] == device)
        smooth[rows] = smoothed(good["temp"][rows])
    return good.with_columns(smooth=smooth)


def smoothed(values: np.ndarray) -> np.ndarray:
    """Follow the values, each new one with a little weight."""
    found = np.empty(len(values))
    before = values[0]
    for place, value in enumerate(values):
        before = found[place] = before + WEIGHT * (value - before)
    return found
