"""Writes derivative cases: one ONNX node, its inputs, and what PyTorch says of outputs and gradients.

Every case is evaluated in float64 (the truth) and in float32 (the yardstick: how far PyTorch's own float32 gradient is from the truth).
Inputs and cotangents are rounded to float32 first, so both libraries see exactly the same numbers.
"""

import json
import platform
import zlib
from pathlib import Path

import numpy as np
import torch

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "rules"


class Float:
    """A float attribute (plain numbers are ints)."""

    def __init__(self, value):
        self.json = {"float": float(value)}


class Floats:
    """A list-of-floats attribute."""

    def __init__(self, values):
        self.json = {"floats": [float(v) for v in values]}


class Input:
    """An input: float32 unless its array is integer or bool; `constant` ones are initializers, neither fed nor differentiated."""

    def __init__(self, array, constant=False):
        array = np.asarray(array)
        self.array = array.astype(np.float32).astype(np.float64) if array.dtype.kind == "f" else array
        self.constant = constant
        self.floating = array.dtype.kind == "f"

    def tensor(self, dtype):
        if self.floating:
            return torch.tensor(self.array, dtype=dtype)
        return torch.tensor(self.array)

    def json(self):
        record = {"dims": list(self.array.shape), "data": numbers(self.array, 9)}
        if not self.floating:
            record["dtype"] = {"b": "bool", "i": str(self.array.dtype), "u": str(self.array.dtype)}[self.array.dtype.kind]
        if self.constant:
            record["constant"] = True
        return record


def constant(array):
    return Input(array, constant=True)


class Numbers:
    """Seeded draws that stay away from kinks."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def normal(self, *dims):
        return self.rng.standard_normal(dims)

    def uniform(self, low, high, *dims):
        return self.rng.uniform(low, high, dims)

    def apart(self, *dims, gap=0.1):
        """Values of both signs, all at least `gap` from zero and from each other."""
        n = int(np.prod(dims, dtype=int))
        grid = np.concatenate([np.arange(1, n + 1), -np.arange(1, n + 1)]) * gap * 2 + self.rng.uniform(-0.4, 0.4, 2 * n) * gap
        return self.rng.permutation(grid)[:n].reshape(dims)


def numbers(array, digits):
    flat = np.asarray(array).reshape(-1)
    if flat.dtype.kind in "iub":
        return [int(v) for v in flat]
    return [int(v) if v == int(v) and abs(v) < 1e6 else float(f"{v:.{digits}g}") for v in flat.astype(float)]


def tensor_json(tensor, digits):
    return {"dims": list(tensor.shape), "data": numbers(tensor.detach().numpy(), digits)}


class CaseFile:
    def __init__(self, family):
        self.family = family
        self.cases = []

    def add(self, name, op, function, inputs, attrs=None, opset=18, wrt=None, batch=None, kink=False, cotangents=None):
        """One case. `function` maps torch tensors (None for a left-out input) to a tensor or a tuple of them (None: output left out).

        wrt: indices to differentiate (default: every float input that is not constant). batch: True (axis 0 of input 0 is symbolic) or a list
        of such inputs. kink: not differentiable here, so finite differences are not asked. cotangents: one bool per output (default: all
        floating outputs).
        """
        inputs = [i if i is None or isinstance(i, Input) else Input(i) for i in inputs]
        if wrt is None:
            wrt = [k for k, i in enumerate(inputs) if i is not None and i.floating and not i.constant]
        rng = np.random.default_rng(zlib.crc32(name.encode()))

        def evaluate(dtype, given):
            tensors = [None if i is None else i.tensor(dtype) for i in inputs]
            for k in wrt:
                tensors[k].requires_grad_(True)
            outputs = function(*tensors)
            outputs = list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]
            if given is None:
                used = [o is not None and o.is_floating_point() and (cotangents is None or cotangents[k]) for k, o in enumerate(outputs)]
                given = [rng.standard_normal(tuple(o.shape)).astype(np.float32).astype(np.float64) if u else None for o, u in zip(outputs, used)]
            total = sum((o * torch.tensor(c, dtype=dtype)).sum() for o, c in zip(outputs, given) if c is not None)
            grads = torch.autograd.grad(total, [tensors[k] for k in wrt], allow_unused=True)
            grads = [torch.zeros_like(tensors[k]) if g is None else g for k, g in zip(wrt, grads)]
            return outputs, given, grads

        outputs, given, grads = evaluate(torch.float64, None)
        _, _, coarse = evaluate(torch.float32, given)
        error = [float(torch.linalg.norm(c.double() - g) / max(float(torch.linalg.norm(g)), 1e-300)) for c, g in zip(coarse, grads)]
        for k, g in zip(wrt, grads):
            assert bool(torch.isfinite(g).all()), f"{name}: gradient {k} is not finite"
        record = {
            "name": name,
            "op": op,
            "opset": opset,
            "attrs": {k: v.json if hasattr(v, "json") else v for k, v in (attrs or {}).items()},
            "inputs": [None if i is None else i.json() for i in inputs],
            "wrt": wrt,
            "outputs": [None if o is None else tensor_json(o.double() if o.is_floating_point() else o, 13) for o in outputs],
            "cotangents": [None if c is None else {"dims": list(c.shape), "data": numbers(c, 9)} for c in given],
            "grads": {str(k): tensor_json(g, 12) for k, g in zip(wrt, grads)},
            "float32Error": {str(k): float(f"{e:.2g}") for k, e in zip(wrt, error)},
        }
        if batch is not None:
            record["batch"] = batch
        if kink:
            record["kink"] = True
        self.cases.append(record)

    def write(self):
        versions = {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()}
        FIXTURES.mkdir(parents=True, exist_ok=True)
        lines = ",\n".join(json.dumps(c, separators=(",", ":"), allow_nan=False) for c in self.cases)
        text = f'{{"versions":{json.dumps(versions)},"cases":[\n{lines}\n]}}\n'
        (FIXTURES / f"{self.family}.json").write_text(text)
        print(f"{self.family}: {len(self.cases)} cases, {len(text)} bytes")
