"""PyTorch models with control flow, exported by both exporters: python export_control_flow.py FOLDER (torch 2.15, onnx 1.23, onnxscript as torch requires it).

Writes control-flow-NAME.onnx (weights random, seed 0) and control-flow.json: inputs, float64 outputs and the float64 gradients of sum(y * cotangent) by
PyTorch's own autograd, the loops written in plain Python there.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import torch
from torch._higher_order_ops import scan, while_loop


class Cond(torch.nn.Module):
    """torch.cond between two layers."""

    def __init__(self):
        super().__init__()
        self.a, self.b = torch.nn.Linear(3, 4), torch.nn.Linear(3, 4)

    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda x: torch.tanh(self.a(x)), lambda x: self.b(x) * x.mean(), (x,))

    def plain(self, x):
        return torch.tanh(self.a(x)) if x.sum() > 0 else self.b(x) * x.mean()


class While(torch.nn.Module):
    """torch.while_loop: a state is rotated until it is long enough."""

    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.randn(3, 3))

    def forward(self, x):
        w = self.w
        return while_loop(lambda i, h: (h * h).sum() < 20, lambda i, h: (i + 1, h + torch.tanh(h @ w) * 1.5 + 0.1 * h), (torch.tensor(0), x))[1]

    def plain(self, x):
        h = x
        while (h * h).sum() < 20:
            h = h + torch.tanh(h @ self.w) * 1.5 + 0.1 * h
        return h


class Scan(torch.nn.Module):
    """torch scan over time: a recurrence and its outputs."""

    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.randn(3, 3))

    def forward(self, x):
        def step(h, part):
            h = torch.tanh(h @ self.w + part)
            return h, h * part

        last, all = scan(step, torch.zeros(2, 3, dtype=x.dtype), x, dim=1)
        return torch.cat([last.unsqueeze(1), all], 1)

    def plain(self, x):
        h, all = torch.zeros(2, 3, dtype=x.dtype), []
        for t in range(x.shape[1]):
            h = torch.tanh(h @ self.w + x[:, t])
            all.append(h * x[:, t])
        return torch.cat([h.unsqueeze(1), torch.stack(all, 1)], 1)


class ScriptedFor(torch.nn.Module):
    """A leaky integrator over time in TorchScript, a branch in each step; the length is open."""

    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.randn(3, 3))

    def forward(self, x):
        h = torch.zeros(x.size(0), 3, dtype=x.dtype)
        total = torch.zeros(x.size(0), dtype=x.dtype)
        for t in range(x.size(1)):
            h = torch.tanh(torch.mm(h, self.w) + x[:, t])
            if bool(h.sum() > 0):
                total = total + h.sum(1)
            else:
                total = total * 0.5 - (h * h).sum(1)
        return torch.cat([h, total.unsqueeze(1)], 1)

    plain = forward


class ScriptedWhile(torch.nn.Module):
    """A while loop in TorchScript, and results that are collected in a list."""

    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.randn(3, 3))

    def forward(self, x):
        h = x
        n = 0
        while bool((h * h).sum() < 30) and n < 8:
            h = h + torch.tanh(torch.mm(h, self.w)) + 0.1 * h
            n += 1
        return h

    plain = forward


# name, module, inputs to record, exporter, open axes
cases = [
    ("cond", Cond, [(2, 3), (2, 3)], "dynamo", None),
    ("while", While, [(2, 3), (2, 3)], "dynamo", None),
    ("scan", Scan, [(2, 4, 3)], "dynamo", None),
    ("scripted-for", ScriptedFor, [(2, 4, 3), (3, 6, 3)], "script", {"x": {0: "N", 1: "T"}}),
    ("scripted-for-fixed", ScriptedFor, [(2, 4, 3)], "script", None),
    ("scripted-while", ScriptedWhile, [(2, 3), (2, 3)], "script", {"x": {0: "N"}}),
]


def rounded(t):
    return {"dims": list(t.shape), "data": [float(v) for v in t.detach().double().flatten()]}


def stripped(path):
    """Without the paths of the machine it was exported on."""
    model = onnx.load(path)
    del model.metadata_props[:]

    def clean(graph):
        graph.doc_string = ""
        del graph.metadata_props[:]
        for part in [*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer]:
            del part.metadata_props[:]
            part.doc_string = ""
        for node in graph.node:
            for a in node.attribute:
                if a.type == onnx.AttributeProto.GRAPH:
                    clean(a.g)

    clean(model.graph)
    for f in model.functions:
        f.doc_string = ""
        del f.metadata_props[:]
        for node in f.node:
            node.doc_string = ""
            del node.metadata_props[:]
    onnx.save(model, path)


folder = pathlib.Path(sys.argv[1])
recorded = []
for name, Net, shapes, exporter, axes in cases:
    torch.manual_seed(0)
    net = Net().eval()
    # different signs, so that branches and lengths differ from sample to sample
    inputs = [torch.randn(*shape) * 0.5 + (0.3 if i % 2 == 0 else -0.3) for i, shape in enumerate(shapes)]
    path = folder / f"control-flow-{name}.onnx"
    if exporter == "dynamo":
        torch.onnx.export(net, (inputs[0],), path, opset_version=18, input_names=["x"], output_names=["y"], dynamo=True, external_data=False)
    else:
        torch.onnx.export(torch.jit.script(net), (inputs[0],), path, opset_version=17, input_names=["x"], output_names=["y"], dynamo=False, dynamic_axes=axes)
    stripped(path)
    double = Net().double()
    double.load_state_dict(net.state_dict())
    points = []
    for x in inputs:
        x64 = x.double().requires_grad_()
        y = double.plain(x64)
        cotangent = torch.from_numpy(np.random.default_rng(0).normal(size=tuple(y.shape)).astype(np.float32)).double()
        (grad,) = torch.autograd.grad((y * cotangent).sum(), x64)
        points.append({"x": rounded(x64), "y": rounded(y), "cotangent": rounded(cotangent), "grad": rounded(grad)})
    recorded.append({"file": path.name, "points": points})
(folder / "control-flow.json").write_text(json.dumps({"torch": torch.__version__.split("+")[0], "onnx": onnx.__version__, "cases": recorded}) + "\n")
