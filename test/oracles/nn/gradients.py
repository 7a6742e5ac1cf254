"""Weight gradients of one training step in PyTorch float64, and how far PyTorch's own float32 is from them.

    python gradients.py > ../../fixtures/nn/gradients.json
"""

import json

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from formula import fill, probe, uniform


class CnnLstm(nn.Module):
    """The speech model with its LSTM written out, weights in the layout of ONNX (rows: input, output, forget, candidate)."""

    def __init__(self, classes, units):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 5)
        self.bn1 = nn.BatchNorm2d(16, eps=1e-3, momentum=0.01)
        self.conv2 = nn.Conv2d(16, 32, 3)
        self.conv3 = nn.Conv2d(32, 64, 3)
        self.lstm = nn.Module()
        self.lstm.W = nn.Parameter(torch.zeros(2, 4 * units, 26 * 64))
        self.lstm.R = nn.Parameter(torch.zeros(2, 4 * units, units))
        self.lstm.B = nn.Parameter(torch.zeros(2, 4 * units))
        self.head = nn.Linear(2 * units, classes)
        self.units = units

    def forward(self, x):
        n = x.shape[0]
        x = x.reshape(n * 9, 1, 29, 128)
        x = F.max_pool2d(self.bn1(F.relu(self.conv1(x))), 4, 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2, 2)
        x = F.max_pool2d(F.relu(self.conv3(x)), 2, 1)
        x = x.permute(0, 2, 3, 1).reshape(n, 9, -1)
        last = []
        for d in range(2):
            h = c = x.new_zeros(n, self.units)
            for t in range(9) if d == 0 else reversed(range(9)):
                gates = x[:, t] @ self.lstm.W[d].T + h @ self.lstm.R[d].T + self.lstm.B[d]
                i, o, f, g = gates.chunk(4, 1)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(c)
            last.append(h)
        return self.head(torch.cat(last, 1))


class Transformer(nn.Module):
    def __init__(self, classes, width, depth, heads, patch, size):
        super().__init__()
        self.patch = nn.Conv2d(1, width, patch, patch)
        self.positions = nn.Parameter(torch.zeros((size // patch) ** 2, width))
        self.depth = depth
        for i in range(depth):
            layer = nn.TransformerEncoderLayer(width, heads, 4 * width, 0, "gelu", batch_first=True, norm_first=True)
            setattr(self, f"block{i + 1}", layer)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2) + self.positions
        for i in range(self.depth):
            x = getattr(self, f"block{i + 1}")(x)
        return self.head(self.norm(x).mean(1))


CASES = {
    "resnet18": (lambda: torchvision.models.resnet18(num_classes=7), (8, 3, 64, 64), 7),
    "cnn-lstm": (lambda: CnnLstm(5, 64), (4, 1, 261, 128), 5),
    "cnn-lstm, whole": (lambda: CnnLstm(5, 256), (4, 1, 261, 128), 5),
    "transformer": (lambda: Transformer(4, 32, 2, 4, 4, 16), (8, 1, 16, 16), 4),
}


def step(make, shape, classes, dtype):
    model = make().to(dtype).train()
    fill(model)
    x = torch.from_numpy(uniform("x", shape)).to(dtype)
    label = torch.arange(shape[0]) % classes
    loss = F.cross_entropy(model(x), label)
    loss.backward()
    gradients = {name: p.grad.double().numpy() for name, p in model.named_parameters()}
    statistics = {name: b.double().numpy() for name, b in model.named_buffers() if name.split(".")[-1].startswith("running")}
    return loss.item(), gradients, statistics


def distance(a, b):
    squares = sum(np.sum((a[name] - b[name]) ** 2) for name in b)
    return float(np.sqrt(squares / sum(np.sum(v**2) for v in b.values())))


torch.set_num_threads(1)
cases = {}
for name, (make, shape, classes) in CASES.items():
    loss, gradients, statistics = step(make, shape, classes, torch.float64)
    loss32, gradients32, _ = step(make, shape, classes, torch.float32)
    cases[name] = {
        "shape": shape,
        "loss": loss,
        "norm": float(np.sqrt(sum(np.sum(v**2) for v in gradients.values()))),
        "float32": distance(gradients32, gradients),
        "gradients": {k: {"norm": float(np.linalg.norm(v)), "probes": probe(v)} for k, v in gradients.items()},
        "statistics": {k: {"norm": float(np.linalg.norm(v)), "probes": probe(v)} for k, v in statistics.items()},
    }
versions = {"torch": torch.__version__, "torchvision": torchvision.__version__, "numpy": np.__version__}
print(json.dumps({"versions": versions, "cases": cases}, separators=(",", ":")))
