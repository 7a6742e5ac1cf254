"""Peer of the benchmark event-reading: SpikingJelly's loaders of event files.

Prints its version, then for every line "FORMAT PATH" the seconds of reading that file into arrays.
"""
import sys
import time
from importlib.metadata import version
from types import ModuleType

# the package's sets of speech want it, and it has to fit PyTorch; nothing here is sound
for module in ("torchaudio", "torchaudio.functional", "torchaudio.transforms"):
    sys.modules[module] = ModuleType(module)

from spikingjelly.datasets import cifar10_dvs, utils

loaders = {
    "aedat-2.0": cifar10_dvs._load_origin_data,
    "aedat-3.1": utils.load_aedat_v3,
    "atis": utils.load_ATIS_bin,
}

print(f"spikingjelly {version('spikingjelly')}", flush=True)
for line in sys.stdin:
    name, path = line.strip().split(" ", 1)
    started = time.perf_counter()
    loaders[name](path)
    print(time.perf_counter() - started, flush=True)
