"""Numbers both sides make by themselves: weights, data and probes from a hash of the name and the place; test/kit/nn/formula.ts is the same in TypeScript."""

import numpy as np
import torch

PROBES = 16


def mix(x):
    """The finaliser of MurmurHash3, on uint32."""
    x = x.astype(np.uint32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    return x


def salt(name):
    """FNV-1a of the name."""
    h = 0x811C9DC5
    for c in name.encode():
        h = ((h ^ c) * 0x01000193) & 0xFFFFFFFF
    return h


def uniform(name, dims):
    """Multiples of 2^-24 in [0, 1)."""
    n = int(np.prod(dims, dtype=np.int64))
    h = mix((np.arange(n, dtype=np.uint64) + salt(name)).astype(np.uint32))
    return ((h >> np.uint32(8)).astype(np.float64) / 2**24).reshape(dims)


def weight(name, dims):
    """Uniform around 0 within the largest power of two whose square times the fan-in is at most 6; scales of normalisations around 1. Numbers of float32."""
    u = uniform(name, dims) - 0.5
    if len(dims) < 2:
        return (1 + u / 2).astype(np.float32).astype(np.float64) if name.endswith("weight") else u / 4
    fan = int(np.prod(dims)) // dims[0] if len(dims) != 3 or name.split(".")[-1] not in ("W", "R") else dims[-1]
    scale = 1.0
    while scale * scale * fan > 6:
        scale /= 2
    return 2 * scale * u


def probe(values):
    """Sums of the values with signs from the bits of a hash of the place: an estimate of a distance from few numbers."""
    flat = np.asarray(values, dtype=np.float64).reshape(-1)
    h = mix(np.arange(flat.size, dtype=np.uint32))
    return [float(np.sum(np.where((h >> np.uint32(j)) & np.uint32(1), flat, -flat))) for j in range(PROBES)]


def fill(model):
    """Gives every parameter of a module the weights of its name."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(torch.from_numpy(weight(name, tuple(p.shape))).to(p.dtype))
