"""Writes test/fixtures/npy: arrays as NumPy writes them, and what they hold. Run: python test/oracles/npy.py [FILE.npz written by us to check].

Made with numpy 2.x; the format has not changed since version 3 of numpy.lib.format.
"""
import json
import pathlib
import sys

import numpy as np

FOLDER = pathlib.Path(__file__).parent.parent / "fixtures" / "npy"


def arrays():
    base = np.arange(6).reshape(2, 3)
    for name in ["float32", "float64", "float16", "int64", "uint64", "int32", "uint32", "int16", "uint16", "int8", "uint8"]:
        yield name, (base * 7 + 1).astype(name)
    yield "bool", base % 2 == 1
    yield "scalar", np.array(2.5, np.float32)
    yield "empty", np.zeros((0, 4), np.float32)
    yield "vector", np.array([-1.5, 0.25], np.float64)
    yield "fortran", np.asfortranarray(np.arange(24, dtype=np.float32).reshape(2, 3, 4))
    yield "big-endian", np.arange(4, dtype=">i4").reshape(2, 2)
    yield "text", np.array(["angry", "sad", "\u00fcbel"])
    yield "limits", np.array([-(2**63), 2**63 - 1], np.int64)


def write():
    FOLDER.mkdir(parents=True, exist_ok=True)
    content = {}
    for name, a in arrays():
        np.save(FOLDER / f"{name}.npy", a)
        content[name] = {"dims": list(a.shape), "values": [v if isinstance(v, str) else str(v.item()) for v in a.flatten()]}
    for version in [(2, 0), (3, 0)]:
        with open(FOLDER / f"version{version[0]}.npy", "wb") as f:
            np.lib.format.write_array(f, np.arange(3, dtype=np.float32), version=version)
    np.save(FOLDER / "complex.npy", np.array([1j]))
    np.save(FOLDER / "structured.npy", np.zeros(2, [("a", "f4"), ("b", "i4")]))
    np.save(FOLDER / "object.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
    np.savez(FOLDER / "stored.npz", x=np.arange(3, dtype=np.float32), label=np.array([4]))
    np.savez_compressed(FOLDER / "deflated.npz", x=np.arange(3, dtype=np.float32), label=np.array([4]))
    (FOLDER / "content.json").write_text(json.dumps({"numpy": np.__version__, "arrays": content}, indent=1) + "\n")


def check(path):
    ours = np.load(path, allow_pickle=False)
    for name, a in arrays():
        np.testing.assert_array_equal(ours[name], a)
        assert ours[name].dtype.newbyteorder("=") == a.dtype.newbyteorder("="), name
    print("numpy", np.__version__, "reads all", len(ours.files), "arrays as they were written")


check(sys.argv[1]) if len(sys.argv) > 1 else write()
