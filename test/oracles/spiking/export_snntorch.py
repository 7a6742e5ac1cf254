"""snnTorch nets as ONNX files: python export_snntorch.py (snntorch 1.0.0, torch 2.15.0, onnx 1.23.2)"""

import snntorch as snn
import torch
from snntorch import surrogate
from torch import nn

from record import Case, record, save

STEPS = 4
KIND = {"subtract": "soft", "zero": "hard", "none": "none"}


class Net(nn.Module):
    """Two linear layers of neurons, fed with the same features at every step; logits are the mean of the last layer over time."""

    def __init__(self, make, states=1, gain=2.0):
        super().__init__()
        self.fc1, self.fc2, self.head = nn.Linear(6, 8), nn.Linear(8, 5), nn.Linear(5, 3)
        self.lif1, self.lif2 = make(8), make(5)
        self.states = states
        with torch.no_grad():
            for layer in (self.fc1, self.fc2):
                layer.weight.abs_().mul_(gain)

    def forward(self, x):
        self.lif1.mem = self.lif2.mem = torch.zeros(0)
        kept1, kept2, total = [], [], 0
        for _ in range(STEPS):
            s, *kept1 = self.lif1(self.fc1(x), *kept1)
            s, *kept2 = self.lif2(self.fc2(s), *kept2)
            total = total + self.head(s)
        return total / STEPS


class Conv(nn.Module):
    """Convolution, batch normalisation, neurons with hidden state, a pool, and a linear read-out; frames [N, T, C, H, W]."""

    def __init__(self, make):
        super().__init__()
        self.conv, self.norm, self.pool = nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.AvgPool2d(2)
        self.fc = nn.Linear(3 * 3 * 3, 4)
        self.head = nn.Linear(4, 3)
        self.a, self.b = make(3), make(4)
        with torch.no_grad():
            self.fc.weight.abs_()

    def forward(self, x):
        a, b = self.a.reset_mem(), self.b.reset_mem()
        total = 0
        for t in range(x.shape[1]):
            s, a = self.a(3 * self.norm(self.conv(x[:, t])), a)
            s, b = self.b(4 * self.fc(self.pool(s).flatten(1)), b)
            total = total + self.head(s)
        return total / x.shape[1]


def neurons(net, names=("lif1", "lif2")):
    found = []
    for name in names:
        n = getattr(net, name)
        threshold = n.threshold.detach()
        found.append(
            dict(
                module=n,
                threshold=threshold.item() if threshold.numel() == 1 else threshold.tolist(),
                # Alpha subtracts what its inhibitory synapse holds, which is neither a constant nor everything
                reset="unknown" if isinstance(n, snn.Alpha) and n.reset_mechanism == "subtract" else KIND[n.reset_mechanism],
                strict=True,
                spikes=lambda out: [out[0]],
            )
        )
    return found


def flat(make, **options):
    def build():
        net = Net(make, **options).eval()
        return net, neurons(net)

    return build


def conv(make):
    def build():
        net = Conv(make).eval()
        return net, neurons(net, ("a", "b"))

    return build


def recurrent():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.head = nn.Linear(6, 8), nn.Linear(8, 3)
            self.lif1 = snn.RLeaky(beta=0.8, linear_features=8, reset_mechanism="subtract")

        def forward(self, x):
            s, m = self.lif1.init_rleaky()
            total = 0
            for _ in range(STEPS):
                s, m = self.lif1(2 * self.fc1(x), s, m)
                total = total + self.head(s)
            return total / STEPS

    net = Recurrent().eval()
    return net, neurons(net, ("lif1",))


leaky = lambda **more: lambda size: snn.Leaky(beta=0.8, **more)
cases = [
    Case("snn-leaky-subtract", "Leaky subtract", flat(leaky(reset_mechanism="subtract")), (1, 6)),
    Case("snn-leaky-zero", "Leaky zero", flat(leaky(reset_mechanism="zero")), (1, 6)),
    Case("snn-leaky-none", "Leaky none", flat(leaky(reset_mechanism="none"), gain=0.7), (1, 6)),
    Case("snn-leaky-fast-sigmoid", "Leaky subtract, fast_sigmoid", flat(leaky(spike_grad=surrogate.fast_sigmoid(slope=25))), (1, 6)),
    Case("snn-leaky-disabled", "Leaky subtract, surrogate_disable", flat(leaky(surrogate_disable=True)), (1, 6)),
    Case("snn-leaky-zero-at-once", "Leaky zero, reset_delay=False", flat(leaky(reset_mechanism="zero", reset_delay=False)), (1, 6)),
    Case("snn-leaky-graded", "Leaky subtract, graded spikes", flat(leaky(threshold=0.7, graded_spikes_factor=1.5)), (1, 6)),
    Case(
        "snn-leaky-channels",
        "Leaky zero, a threshold and a beta per neuron",
        flat(lambda size: snn.Leaky(beta=torch.linspace(0.5, 0.9, size), threshold=torch.linspace(0.5, 1.5, size), reset_mechanism="zero")),
        (1, 6),
    ),
    Case("snn-synaptic-subtract", "Synaptic subtract", flat(lambda size: snn.Synaptic(alpha=0.5, beta=0.8, reset_mechanism="subtract")), (1, 6)),
    Case("snn-synaptic-zero", "Synaptic zero", flat(lambda size: snn.Synaptic(alpha=0.5, beta=0.8, reset_mechanism="zero")), (1, 6)),
    Case("snn-alpha-subtract", "Alpha subtract", flat(lambda size: snn.Alpha(alpha=0.9, beta=0.8, reset_mechanism="subtract"), gain=6.0), (1, 6)),
    Case("snn-alpha-zero", "Alpha zero", flat(lambda size: snn.Alpha(alpha=0.9, beta=0.8, reset_mechanism="zero"), gain=6.0), (1, 6)),
    Case("snn-lapicque", "Lapicque zero", flat(lambda size: snn.Lapicque(beta=0.8, reset_mechanism="zero")), (1, 6)),
    Case("snn-rleaky", "RLeaky subtract", recurrent, (1, 6)),
    Case("snn-conv", "Leaky subtract, conv + BN", conv(leaky(reset_mechanism="subtract")), (1, 3, 2, 6, 6), "NTCHW"),
]

if __name__ == "__main__":
    rows = []
    record("snnTorch", "1.0.0", cases, rows)
    save(rows, "snntorch")
