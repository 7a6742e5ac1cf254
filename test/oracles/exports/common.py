"""What every suite of real exports shares: how inputs are drawn, what is recorded of a net, and where files go. Needs numpy only.

A suite (vision.py, sequences.py ...) makes nets from library code, exports each in several ways (torch_side.py) and records once per net, in float64
from the framework itself, what all its files must compute. Written are test/fixtures/exports/SUITE/NAME-VARIANT.onnx.gz and
test/fixtures/exports/SUITE.json; test/slow/exports.test.ts reads every such index.

Numbers follow from seeds by `hashed`, which the test repeats, so neither inputs nor cotangents are stored.
Per net: `inputs` (drawn as low + (high - low) u; integer inputs as floor); `seeds`: one per sample; `cotangent`: seed of the weights (-1..1) of the
outputs; `outputs`: float64 outputs of the first output, whole; `gradients`: per float input the float64 gradient of the weighted sum of outputs at
`positions(count, elements, seed)`, `norm` of the whole, `float32Error`: relative L2 of the framework's own float32 gradient over all elements.
Samples: the first of a series of seeds at which no unit of the net lies near a kink (`smooth`). Arrays are little-endian base64.
"""

import base64
import gzip
import json
import pathlib
import sys
import tempfile
from dataclasses import dataclass, field

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]
OUT = ROOT / "test" / "fixtures" / "exports"
SAMPLES = 3
POSITIONS = 512


@dataclass(frozen=True)
class Input:
    """One input: sizes of a sample without the batch, the range it is drawn from, its type, and where the batch axis lies."""

    name: str
    shape: tuple
    low: float = 0.0
    high: float = 1.0
    dtype: str = "float32"
    axis: int = 0


@dataclass
class Record:
    name: str
    inputs: list
    record: dict
    files: list = field(default_factory=list)


def hashed(seed, count):
    """`count` numbers in [0, 1) with 24 bits each: a counter through MurmurHash3's finalizer, keyed by the seed."""
    with np.errstate(over="ignore"):
        z = np.arange(count, dtype=np.uint32) + np.uint32(seed) * np.uint32(0x9E3779B9)
        z = (z ^ (z >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        z = (z ^ (z >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        z = z ^ (z >> np.uint32(16))
    return (z >> np.uint32(8)).astype(np.float64) / 2**24


def drawn(spec, seed, index):
    """The value of input number `index` of the sample with this seed, as the model is fed it, without the batch axis."""
    u = hashed(seed * 16 + index, int(np.prod(spec.shape)))
    value = spec.low + (spec.high - spec.low) * u
    value = value.astype(np.float32) if spec.dtype.startswith("float") else np.floor(value)
    return value.reshape(spec.shape).astype(spec.dtype)


def batch_of(inputs, seeds):
    """The inputs of a batch by name, one sample per seed."""
    return {s.name: np.stack([drawn(s, seed, i) for seed in seeds], axis=s.axis) for i, s in enumerate(inputs)}


def positions(count, elements, seed):
    """One position in each of `count` equal stretches; all of them where there are no more elements."""
    if elements <= count:
        return np.arange(elements)
    return np.floor((np.arange(count) + hashed(seed, count)) * elements / count).astype(np.int64)


def base(array, dtype="<f8"):
    return base64.b64encode(np.ascontiguousarray(array, dtype=dtype).tobytes()).decode()


def relative(a, b):
    return float(np.linalg.norm((a - b).reshape(-1)) / np.linalg.norm(b.reshape(-1)))


def smooth(inputs, evaluate, seed, cotangent):
    """Whether no unit lies near a kink: moved by 4e-6 to either side in the same random direction, the gradient bends by less than 1e-6 of its length.

    What is smooth bends by the square of the step; a ReLU, a clamp or a maximum that changes sides on one way changes the gradient by about 1e-3.
    """
    at = batch_of(inputs, [seed])
    rng = np.random.default_rng(seed)
    floats = [s for s in inputs if s.dtype.startswith("float")]
    middle = evaluate(at, cotangent, "float64")[1]
    for _ in range(6):
        step = {s.name: 4e-6 * (s.high - s.low) * rng.choice([-1.0, 1.0], at[s.name].shape) for s in floats}
        up, down = (
            evaluate({**at, **{n: at[n].astype(np.float64) + side * d for n, d in step.items()}}, cotangent, "float64")[1] for side in (1, -1)
        )
        for s in floats:
            size = np.linalg.norm(middle[s.name])
            if np.linalg.norm(up[s.name] + down[s.name] - 2 * middle[s.name]) > 1e-6 * size:
                return False
    return True


def measured(name, inputs, evaluate, first_seed=1, tries=400, out_axis=0):
    """Record of a net. `evaluate(feeds, cotangent, dtype)` -> (first output, {input: gradient}) as numpy float64, computed in `dtype`.

    The cotangent has the shape of the output of one sample; it is the same for all samples. None asks for outputs only.
    """
    probe, _ = evaluate(batch_of(inputs, [first_seed]), None, "float64")
    one = np.take(probe, 0, axis=out_axis).shape
    cotangent_seed = 90001
    cotangent = (2 * hashed(cotangent_seed, int(np.prod(one))) - 1).reshape(one)
    seeds, tried = [], 0
    while len(seeds) < SAMPLES:
        seed = first_seed + tried
        tried += 1
        if tried > tries:
            raise SystemExit(f"{name}: {len(seeds)} samples off kinks in {tries} tries")
        if smooth(inputs, evaluate, seed, cotangent):
            seeds.append(seed)
    feeds = batch_of(inputs, seeds)
    outputs, exact = evaluate(feeds, cotangent, "float64")
    _, single = evaluate(feeds, cotangent, "float32")
    gradients = {}
    for i, s in enumerate(inputs):
        if not s.dtype.startswith("float"):
            continue
        g = exact[s.name]
        if not np.linalg.norm(g) > 0:
            raise SystemExit(f"{name}: the gradient by {s.name} is zero")
        at = positions(POSITIONS, g.size, 777 + i)
        gradients[s.name] = {
            "values": base(g.reshape(-1)[at]),
            "positionSeed": 777 + i,
            "norm": float(np.linalg.norm(g)),
            "float32Error": float(f"{relative(single[s.name], g):.4g}"),
        }
    record = {
        "seeds": seeds,
        "tried": tried,
        "cotangent": cotangent_seed,
        "outputAxis": out_axis,
        "outputShape": list(outputs.shape),
        "outputs": base(outputs),
        "gradients": gradients,
    }
    return Record(name, inputs, record)


def machine_paths():
    """Folders of the machine this runs on that an exporter may have written into a file."""
    places = (sys.prefix, sys.base_prefix, tempfile.gettempdir(), pathlib.Path.home(), pathlib.Path.cwd(), pathlib.Path(__file__).resolve().parent)
    return {str(place) for place in places if len(pathlib.PurePath(place).parts) > 1}


class Suite:
    """The files and the index of one suite; records of nets that are not made anew stay."""

    def __init__(self, name, versions):
        self.name, self.versions = name, versions
        self.index = OUT / f"{name}.json"
        self.folder = OUT / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.nets = {n["name"]: n for n in json.loads(self.index.read_text())["nets"]} if self.index.exists() else {}

    def put(self, net, variant, data, facts):
        """Keeps one file of a net; `facts` say how it was made: exporter, opset, batch ('dynamic' or a number)."""
        found = [path for path in machine_paths() if path.encode() in data]
        if found:
            raise SystemExit(f"{net.name}-{variant}: a path of this machine is in the file: {found}")
        file = f"{net.name}-{variant}.onnx.gz"
        (self.folder / file).write_bytes(gzip.compress(data, 9, mtime=0))
        net.files.append({"file": f"{self.name}/{file}", **facts})
        packed = (self.folder / file).stat().st_size
        print(f"  {file}: {len(data) / 1000:.0f} kB, packed {packed / 1000:.0f} kB", flush=True)

    def keep(self, net, **more):
        """Enters a net in the index, and drops files of it that are no longer made. `more`: e.g. manifest, note, unit (whether the unit suite runs it)."""
        kept = {f["file"].split("/")[-1] for f in net.files}
        for old in self.nets.get(net.name, {}).get("files", []):
            if old["file"].split("/")[-1] not in kept:
                (OUT / old["file"]).unlink(missing_ok=True)
        inputs = [
            {"name": s.name, "shape": list(s.shape), "low": s.low, "high": s.high, "dtype": s.dtype, "axis": s.axis} for s in net.inputs
        ]
        self.nets[net.name] = {"name": net.name, "inputs": inputs, **net.record, **more, "files": net.files}
        lines = ",\n".join(json.dumps(n) for n in self.nets.values())
        self.index.write_text(f'{{"versions":{json.dumps(self.versions)},"nets":[\n{lines}\n]}}\n')
        errors = {n: g["float32Error"] for n, g in net.record["gradients"].items()}
        print(f"{net.name}: {net.record['tried']} tried, float32 {errors}", flush=True)
