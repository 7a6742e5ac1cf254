"""Norse nets as ONNX files: python export_norse.py (norse 1.1.0, torch 2.15.0, onnx 1.23.2)"""

import norse.torch as norse
import torch
from norse.torch.functional.reset import reset_subtract
from torch import nn

from record import Case, record, save

STEPS = 5


class Net(nn.Module):
    """Two linear layers of cells, fed with the same features at every step; logits are the mean of the read-out over time."""

    def __init__(self, make, gain):
        super().__init__()
        self.fc1, self.fc2, self.head = nn.Linear(6, 8), nn.Linear(8, 5), nn.Linear(5, 3)
        self.lif1, self.lif2 = make(8), make(5)
        with torch.no_grad():
            for layer in (self.fc1, self.fc2):
                layer.weight.abs_().mul_(gain)

    def forward(self, x):
        a = b = None
        total = 0
        for _ in range(STEPS):
            s, a = self.lif1(self.fc1(x), a)
            s, b = self.lif2(self.fc2(s), b)
            total = total + self.head(s)
        return total / STEPS


class Sequence(nn.Module):
    """Modules that run over time themselves; features [T, N, F]."""

    def __init__(self, gain):
        super().__init__()
        self.fc1, self.fc2, self.head = nn.Linear(6, 8), nn.Linear(8, 5), nn.Linear(5, 3)
        self.lif1, self.lif2 = norse.LIF(), norse.LIF()
        with torch.no_grad():
            for layer in (self.fc1, self.fc2):
                layer.weight.abs_().mul_(gain)

    def forward(self, x):
        s, _ = self.lif1(self.fc1(x))
        s, _ = self.lif2(self.fc2(s))
        return self.head(s).mean(0)


def neurons(net, threshold, reset, split=False):
    return [
        dict(module=m, threshold=threshold, reset=reset, strict=True, spikes=(lambda out: list(out[0])) if split else (lambda out: [out[0]]))
        for m in (net.lif1, net.lif2)
    ]


def cells(make, gain, threshold=1.0, reset="hard"):
    def build():
        net = Net(make, gain).eval()
        return net, neurons(net, threshold, reset)

    return build


def sequence():
    net = Sequence(20.0).eval()
    return net, neurons(net, 1.0, "hard", split=True)


LIF = norse.LIFParameters
# LSNN cells hand their current on one step later: the first step (of the second layer: the first two) sees nothing of the input, and the first layer's last step reaches nobody
cases = [
    Case("norse-lif-cell", "LIFCell", cells(lambda _: norse.LIFCell(), 20.0), (1, 6)),
    Case("norse-lif-cell-reset", "LIFCell, v_th 0.5, v_reset -0.2", cells(lambda _: norse.LIFCell(LIF(v_th=torch.as_tensor(0.5), v_reset=torch.as_tensor(-0.2))), 20.0, 0.5), (1, 6)),
    Case("norse-lif-recurrent", "LIFRecurrentCell", cells(lambda n: norse.LIFRecurrentCell(n, n), 20.0), (1, 6)),
    Case("norse-lif-box", "LIFBoxCell", cells(lambda _: norse.LIFBoxCell(), 20.0), (1, 6)),
    Case("norse-lif-box-subtract", "LIFBoxCell, reset_subtract", cells(lambda _: norse.LIFBoxCell(norse.LIFBoxParameters(reset_method=reset_subtract)), 20.0, reset="soft"), (1, 6)),
    Case("norse-iaf", "IAFCell", cells(lambda _: norse.IAFCell(), 2.0), (1, 6)),
    Case("norse-lsnn-cell", "LSNNCell (ALIF)", cells(lambda _: norse.LSNNCell(), 40.0, "adaptive"), (1, 6), live=[(1, 4), (2, 5)]),
    Case("norse-lif-ex", "LIFExCell", cells(lambda _: norse.LIFExCell(), 20.0), (1, 6)),
    Case("norse-lif-module", "LIF over time", sequence, (5, 1, 6), "TNC", axis=1),
]

if __name__ == "__main__":
    rows = []
    record("Norse", "1.1.0", cases, rows)
    save(rows, "norse")
