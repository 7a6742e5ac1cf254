"""The one oracle that feeds the peers and us: the forward pass is the committed ONNX file, the backward pass our own vector-Jacobian product.

Peers: foolbox 3.3.4, torchattacks 3.5.1, adversarial-robustness-toolbox 1.20.1, auto-attack (fra31, a392200), adversarial-library (jeromerony, 9dec220).
The last two are imported as `autoattack` and `adv_lib`, put on PYTHONPATH by whoever runs a script.
"""

import base64
import json
import pathlib

import numpy as np
import onnxruntime
import torch

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "attacks"
NETS = FIXTURES / "nets"

torch.set_num_threads(1)


def _session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _numpy(x):
    return np.ascontiguousarray(x.detach().cpu().numpy(), dtype=np.float32)


class Net(torch.nn.Module):
    """A net as peers call it: inputs in the file's order, logits out. `forwards` and `backwards` count samples."""

    def __init__(self, name):
        super().__init__()
        self.name = name
        self.facts = json.loads((NETS / f"{name}.json").read_text())
        self.names = list(self.facts["inputs"])
        self.classes = self.facts["classes"]
        self.forward_session = _session(NETS / f"{name}.onnx")
        self.backward_session = _session(NETS / f"{name}.vjp.onnx")
        self.reset()
        # peers ask the first parameter for a device
        self.anchor = torch.nn.Parameter(torch.zeros(()), requires_grad=False)
        self.eval()

    def reset(self):
        self.forwards = self.backwards = 0

    def forward(self, *inputs):
        return _Call.apply(self, *inputs)


class _Call(torch.autograd.Function):
    @staticmethod
    def forward(ctx, net, *inputs):
        ctx.net = net
        ctx.save_for_backward(*inputs)
        net.forwards += len(inputs[0])
        feeds = {name: _numpy(x) for name, x in zip(net.names, inputs, strict=True)}
        return torch.from_numpy(net.forward_session.run(["logits"], feeds)[0])

    @staticmethod
    def backward(ctx, cotangent):
        net, inputs = ctx.net, ctx.saved_tensors
        net.backwards += len(inputs[0])
        feeds = {name: _numpy(x) for name, x in zip(net.names, inputs, strict=True)}
        found = net.backward_session.run([f"grad_{n}" for n in net.names], {**feeds, "cotangent_logits": _numpy(cotangent)})
        return None, *(torch.from_numpy(g) for g in found)


def net(name):
    """smooth, relu, sequence or two-stream."""
    return Net(name)


def _values(name, of):
    facts = json.loads((NETS / f"{name}.json").read_text())
    entry = facts["inputs"][of]
    return torch.from_numpy(unpacked(entry["values"]).reshape(-1, *entry["shape"]))


def images(name, of=None):
    """The samples [24, ...] of a net's first input, or of the one named."""
    facts = json.loads((NETS / f"{name}.json").read_text())
    return _values(name, of or next(iter(facts["inputs"])))


def labels(name):
    """Right classes, int64 [24]; all samples are classified right."""
    return torch.tensor(json.loads((NETS / f"{name}.json").read_text())["labels"])


def packed(values):
    """base64 of little-endian float32, row-major."""
    array = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
    return base64.b64encode(np.ascontiguousarray(array, dtype="<f4").tobytes()).decode()


def unpacked(text):
    return np.frombuffer(base64.b64decode(text), dtype="<f4").copy()


def record(file, data, versions):
    """Writes test/fixtures/attacks/FILE: {"versions": [...], ...data}. Tensors and arrays in `data` become base64 float32 (`golden` of shared.ts reads them)."""

    def plain(value):
        if isinstance(value, torch.Tensor):
            return plain(value.item()) if value.dim() == 0 else packed(value)
        if isinstance(value, np.ndarray):
            return packed(value)
        if isinstance(value, np.generic):
            return plain(value.item())
        if isinstance(value, float):
            return None if value != value or value in (float("inf"), float("-inf")) else float(f"{value:.9g}")
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [plain(v) for v in value]
        return value

    path = FIXTURES / file
    path.write_text(json.dumps({"versions": list(versions), **plain(data)}, separators=(",", ":")) + "\n")
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def _check():
    """Both graphs answer alike, and the product is the derivative (central differences along a random direction)."""
    for name in ("smooth", "relu", "sequence", "two-stream"):
        model = net(name)
        inputs = [images(name, n).requires_grad_() for n in model.names]
        z = model(*inputs)
        assert (z.argmax(1) == labels(name)).all()
        assert np.abs(z.detach().numpy().ravel() - unpacked(model.facts["logits"])).max() < 1e-5
        torch.manual_seed(0)
        weights = torch.randn_like(z)
        gradients = torch.autograd.grad((z * weights).sum(), inputs)
        steps = [torch.randn_like(x) for x in inputs]
        h = 1e-2
        up, down = (model(*[x.detach() + s * h * d for x, d in zip(inputs, steps, strict=True)]) for s in (1, -1))
        numeric = ((up - down) * weights).sum(1) / (2 * h)
        exact = sum((g * d).flatten(1).sum(1) for g, d in zip(gradients, steps, strict=True))
        print(f"{name}: largest deviation from differences {(numeric - exact).abs().max() / exact.abs().max():.1e} of the largest derivative")


if __name__ == "__main__":
    _check()
