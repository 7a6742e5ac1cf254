"""What the loaders of SpikingJelly and TONIC read from the files of event-files.ts, and SpikingJelly's frames of them.

usage: events.py FOLDER > test/fixtures/spiking/events.json    (spikingjelly 2.0.0, tonic 1.7.0, numpy 2)
Hashes are SHA-256 of x, y, p, t as little-endian int64 one after the other, and of the frames as float32.
"""
import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import numpy as np

# the package's sets of speech want it, and it has to fit PyTorch; nothing here is sound
for module in ("torchaudio", "torchaudio.functional", "torchaudio.transforms"):
    sys.modules[module] = ModuleType(module)

from spikingjelly.datasets import cifar10_dvs, utils
from tonic.io import read_mnist_file

folder = Path(sys.argv[1])


def sha(*arrays):
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def described(events, side, frames):
    events = {key: np.asarray(events[key]).astype(np.int64) for key in "xypt"}
    out = {
        "count": int(events["t"].size),
        "first": [int(events[key][0]) for key in "xypt"],
        "last": [int(events[key][-1]) for key in "xypt"],
        "events": sha(*(events[key] for key in "xypt")),
    }
    if frames:
        for by in ("number", "time"):
            binned = utils.integrate_events_by_fixed_frames_number(events, by, 10, side, side).astype(np.float32)
            out[by] = {"sum": binned.sum((1, 2, 3)).tolist(), "sha256": sha(binned)}
    return out


tonic_dtype = np.dtype([("x", int), ("y", int), ("t", int), ("p", int)])
tonic = {name: read_mnist_file(str(folder / name), tonic_dtype) for name in ("nmnist.bin", "overflow.bin")}
archive = np.load(folder / "npz.npz")
print(json.dumps({
    "versions": {name: version(name) for name in ("spikingjelly", "tonic", "numpy")},
    "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())},
    "spikingjelly": {
        "dvs128.aedat": described(cifar10_dvs._load_origin_data(folder / "dvs128.aedat"), 128, True),
        "gesture.aedat": described(utils.load_aedat_v3(folder / "gesture.aedat"), 128, True),
        "nmnist.bin": described(utils.load_ATIS_bin(folder / "nmnist.bin"), 34, True),
        "npz.npz": described(archive, 64, True),
    },
    "tonic": {name: described(events, 34, True) for name, events in tonic.items()},
}, indent=1))
