"""The one place where stars become a like."""

import numpy as np

LIKE_STARS = 4.0


def likes(stars: np.ndarray) -> np.ndarray:
    """1.0 from LIKE_STARS stars up, else 0.0, float32 [N]."""
    return (stars >= LIKE_STARS).astype(np.float32)
