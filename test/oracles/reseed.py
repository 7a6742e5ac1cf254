"""The weights of bench/models/reseed.ts, from its published formula: numpy 2, any version.

    python reseed.py SEED NUMBER BOUND COUNT    prints the sha256 of COUNT float32 values (2u - 1) BOUND of constant NUMBER
"""

import hashlib
import sys

import numpy as np


def philox(blocks: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    """Philox4x32-10 with counters [block, 0, 0, 0]: uint32 [blocks, 4]."""
    mask = np.uint64(0xFFFFFFFF)
    c0 = blocks.astype(np.uint64)
    c1 = np.zeros_like(c0)
    c2 = np.zeros_like(c0)
    c3 = np.zeros_like(c0)
    k0, k1 = key
    for _ in range(10):
        p0 = c0 * np.uint64(0xD2511F53)
        p1 = c2 * np.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = (
            (p1 >> np.uint64(32)) ^ c1 ^ np.uint64(k0),
            p1 & mask,
            (p0 >> np.uint64(32)) ^ c3 ^ np.uint64(k1),
            p0 & mask,
        )
        k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF
        k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=1).astype(np.uint32)


def uniform(seed: int, number: int, count: int) -> np.ndarray:
    """u of the first `count` elements of constant `number`, float64 in [0, 1)."""
    words = philox(np.arange((count + 3) // 4), (seed, number)).reshape(-1)[:count]
    return words / 2.0**32


if __name__ == "__main__":
    seed, number, bound, count = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    weights = ((2 * uniform(seed, number, count) - 1) * bound).astype(np.float32)
    print(hashlib.sha256(weights.tobytes()).hexdigest())
