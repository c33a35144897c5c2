"""What the gateway is told of a variant: from its profile to its part of the tier table."""

import numpy as np

from profiler.record.calibrate import edges
from profiler.tasks.classification import names_one_class
from tailq.guarantee import Floats
from tailq.profile import Metric, VariantProfile
from tailq.tier import ConfidenceSpread, Served


def served(variant: VariantProfile, metric: Metric, confidence: Floats) -> Served:
    """Tell what live estimates of the variant rest on. confidence: [N] of all its answers."""
    told = variant.confidence is not None
    return Served(
        service_s=variant.service_s,
        quality=variant.quality,
        confidence=variant.confidence,
        classes=told and names_one_class(metric.task, metric.name),
        spread=spread(confidence) if told else None,
        calibration=variant.calibration,
        under_load=variant.under_load,
    )


def spread(confidence: Floats) -> ConfidenceSpread:
    """Cut confidences [N] in [0, 1], N >= 1, into bins of equal mass; equal ones share a bin.

    The profile keeps them in single precision, and the gateway computes the same ones in double:
    so an edge lies half way to the next number of single precision, and what was rounded to an
    edge, up or down, falls into the same bin live.
    """
    upper = np.unique(np.append(edges(confidence), confidence.max()))
    share = np.bincount(np.searchsorted(upper, confidence, side="left")) / confidence.size
    above = np.nextafter(upper.astype(np.float32), np.float32(2)).astype(np.float64)
    half_way = np.minimum((upper + above) / 2, 1.0)
    return ConfidenceSpread(upper=tuple(half_way.tolist()), share=tuple(share.tolist()))
