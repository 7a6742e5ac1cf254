"""Gradients of whole nets with respect to their input, in float64, and how far PyTorch's own float32 is from them.

    npx tsx test/oracles/write-nets.ts FOLDER; python test/oracles/torch/net_gradients.py FOLDER [NAME...]

Writes test/fixtures/gradients/nets.json (names given: only those are made anew). Made with torch 2.15, onnx 1.23, onnxruntime 1.31, numpy 2.4.
Per net: sha256 of its file; `moved`: flat positions (int32) and new values (float32) of the input elements that were moved off kinks (kinks.py);
`gradient`: float64 at the recorded positions, of the outputs weighted by the recorded cotangent; `norm`: of the whole; `float32Error`: relative L2
of PyTorch's float32 gradient over all elements; `ce`: the same for the summed cross-entropy of the outputs at `labels`. Arrays are little-endian base64.
"""

import base64
import json
import pathlib
import platform
import sys
import time

import numpy as np
import onnx
import onnxruntime
import torch
from torch.nn import functional as F

from kinks import MARGIN, moved_off, near_units, recorded

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "bench" / "peers"))
import onnx_torch  # noqa: E402

OUT = ROOT / "test" / "fixtures" / "gradients" / "nets.json"
ROUNDS = 16
torch.set_num_threads(2)


def base(array, dtype):
    return base64.b64encode(np.ascontiguousarray(array, dtype=dtype).tobytes()).decode()


def off_kinks(run32, run64, sample, cotangent):
    """A sample [1, ...] with no unit near a kink, how many units there are, and how many had to be moved."""
    x, moves = sample, 0
    for _ in range(ROUNDS):
        with torch.no_grad():
            _, seen32 = recorded(run32, onnx_torch.OPS, x)
        x64 = x.double().requires_grad_(True)
        y64, seen64 = recorded(run64, onnx_torch.OPS, x64)
        outputs = [y for _, _, y, _ in seen64]
        adjoints = torch.autograd.grad((y64[0] * cotangent.double()).sum(), outputs, retain_graph=True)
        near = near_units(seen32, seen64, adjoints)
        print(f"    {len(near)} near", flush=True)
        if not near:
            return x, sum(y.numel() for y in outputs), moves
        moves += len(near)
        x = moved_off(x, x64, near)
    raise SystemExit(f"units are still near their kinks after {ROUNDS} rounds")


def gradients(run, x, scalar, dtype):
    x = x.to(dtype).requires_grad_(True)
    return torch.autograd.grad(scalar(run(x)[0]), x)[0].double()


def record(run32, run64, x, scalar, positions):
    g = gradients(run64, x, scalar, torch.float64)
    norm = float(torch.linalg.norm(g))
    error = float(torch.linalg.norm(gradients(run32, x, scalar, torch.float32) - g)) / norm
    return {"gradient": base(g.reshape(-1)[positions], "<f8"), "norm": norm, "float32Error": float(f"{error:.4g}")}


def measure(folder, net):
    path = folder / net["file"]
    run32, run64 = onnx_torch.load(f"{path}.onnx"), onnx_torch.load(f"{path}.onnx", torch.float64)
    drawn = torch.from_numpy(np.load(f"{path}.inputs.npy"))
    cotangent = torch.from_numpy(np.load(f"{path}.cotangent.npy"))
    positions = torch.from_numpy(np.load(f"{path}.positions.npy"))
    moved = [off_kinks(run32, run64, drawn[i : i + 1], cotangent[i : i + 1]) for i in range(net["batch"])]
    x = torch.cat([s for s, _, _ in moved])
    changed = (x != drawn).reshape(-1).nonzero().reshape(-1)

    session = onnxruntime.InferenceSession(f"{path}.onnx", providers=["CPUExecutionProvider"])
    theirs = session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]
    with torch.no_grad():
        ours = run64(x.double())[0].numpy()
    assert np.abs(theirs - ours).max() <= 1e-5 * np.abs(ours).max(), f"{net['name']}: PyTorch does not compute what onnxruntime computes"

    result = {
        "name": net["name"],
        "sha256": net["sha256"],
        "kinks": {"margin": MARGIN, "units": sum(n for _, n, _ in moved), "moved": sum(m for _, _, m in moved)},
        "moved": {"positions": base(changed.numpy(), "<i4"), "values": base(x.reshape(-1)[changed].numpy(), "<f4")},
        **record(run32, run64, x, lambda y: (y * cotangent.to(y.dtype)).sum(), positions),
    }
    if net["labels"]:
        labels = torch.tensor(net["labels"])
        result["ce"] = record(run32, run64, x, lambda y: F.cross_entropy(y, labels, reduction="sum"), positions)
    return result


def main():
    folder, only = pathlib.Path(sys.argv[1]), sys.argv[2:]
    previous = json.loads(OUT.read_text())["nets"] if only and OUT.exists() else []
    results = {r["name"]: r for r in previous}
    nets = json.loads((folder / "nets.json").read_text())
    for net in nets:
        if only and net["name"] not in only:
            continue
        started = time.time()
        r = results[net["name"]] = measure(folder, net)
        print(f"{r['name']}: {r['kinks']}, |g| {r['norm']:.3g}, float32 {r['float32Error']:.2e}, {time.time() - started:.0f} s", flush=True)
        versions = {"torch": torch.__version__, "onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__, "numpy": np.__version__}
        versions["python"] = platform.python_version()
        OUT.parent.mkdir(parents=True, exist_ok=True)
        lines = ",\n".join(json.dumps(results[n["name"]]) for n in nets if n["name"] in results)
        OUT.write_text(f'{{"versions":{json.dumps(versions)},"nets":[\n{lines}\n]}}\n')


main()
