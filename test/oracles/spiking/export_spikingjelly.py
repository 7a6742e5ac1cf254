"""SpikingJelly nets as ONNX files: python export_spikingjelly.py (spikingjelly 2.0.0 or 0.0.0.0.14, whichever is installed; torch 2.15.0, onnx 1.23.2)"""

from importlib.metadata import version

import torch
from spikingjelly.activation_based import functional, layer, neuron
from torch import nn

from record import Case, record, save

STEPS = 4
VERSION = version("spikingjelly")
SHORT = "sj2" if VERSION.startswith("2") else "sj14"


class Net(nn.Module):
    """Two linear layers of neurons, fed with the same features at every step; logits are the mean of the read-out over time."""

    def __init__(self, make, mode, gain=3.0):
        super().__init__()
        self.mode = mode
        self.fc1, self.fc2, self.head = nn.Linear(6, 8), nn.Linear(8, 5), nn.Linear(5, 3)
        self.lif1, self.lif2 = make(step_mode=mode), make(step_mode=mode)
        with torch.no_grad():
            for l in (self.fc1, self.fc2):
                l.weight.abs_().mul_(gain)

    def forward(self, x):
        functional.reset_net(self)
        if self.mode == "m":
            s = self.lif1(self.fc1(x).unsqueeze(0).repeat(STEPS, 1, 1))
            return self.head(self.lif2(self.fc2(s))).mean(0)
        total = 0
        for _ in range(STEPS):
            total = total + self.head(self.lif2(self.fc2(self.lif1(self.fc1(x)))))
        return total / STEPS


class Conv(nn.Module):
    """Convolution, batch normalisation, neurons, a pool, a linear layer with neurons and a read-out; frames [T, N, C, H, W], multi-step."""

    def __init__(self, make):
        super().__init__()
        self.conv = layer.SeqToANNContainer(nn.Conv2d(2, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3))
        self.lif1, self.lif2 = make(step_mode="m"), make(step_mode="m")
        self.pool = layer.SeqToANNContainer(nn.AvgPool2d(2), nn.Flatten())
        self.fc, self.head = nn.Linear(27, 4), nn.Linear(4, 3)
        with torch.no_grad():
            self.fc.weight.abs_()

    def forward(self, x):
        functional.reset_net(self)
        s = self.lif1(4 * self.conv(x))
        return self.head(self.lif2(8 * self.fc(self.pool(s)))).mean(0)


class Residual(nn.Module):
    """A spike-element-wise residual block: spikes are added to spikes; single-step, frames [T, N, C, H, W]."""

    def __init__(self, make):
        super().__init__()
        self.stem, self.conv = nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        self.lif1, self.lif2, self.lif3 = make(step_mode="s"), make(step_mode="s"), make(step_mode="s")
        self.head = nn.Linear(3, 3)

    def forward(self, x):
        functional.reset_net(self)
        total = 0
        for t in range(x.shape[0]):
            a = self.lif1(3 * self.stem(x[t]))
            b = self.lif2(3 * self.conv(a)) + a
            total = total + self.head(self.lif3(b).mean((2, 3)))
        return total / x.shape[0]


def neurons(net, many):
    found = []
    for name in ("lif1", "lif2", "lif3"):
        if not hasattr(net, name):
            continue
        n = getattr(net, name)
        found.append(
            dict(
                module=n,
                threshold=n.v_threshold,
                reset="soft" if n.v_reset is None else "hard",
                strict=False,
                spikes=(lambda out: list(out)) if many else (lambda out: [out]),
            )
        )
    return found


def of(net, many, *options):
    def build():
        built = net(*options).eval()
        return built, neurons(built, many)

    return build


lif = lambda **more: lambda **mode: neuron.LIFNode(**more, **mode)
kinds = {
    "lif": ("LIFNode", lif()),
    "lif-soft": ("LIFNode, soft reset", lif(v_reset=None)),
    "lif-no-decay": ("LIFNode, decay_input=False", lif(decay_input=False)),
    "lif-no-decay-soft": ("LIFNode, decay_input=False, soft reset", lif(decay_input=False, v_reset=None)),
    "lif-reset": ("LIFNode, v_reset 0.1, v_threshold 0.8", lif(v_reset=0.1, v_threshold=0.8)),
    "if": ("IFNode", lambda **mode: neuron.IFNode(**mode)),
    "if-soft": ("IFNode, soft reset", lambda **mode: neuron.IFNode(v_reset=None, **mode)),
    "plif": ("ParametricLIFNode", lambda **mode: neuron.ParametricLIFNode(init_tau=2.5, **mode)),
    "plif-soft": ("ParametricLIFNode, soft reset", lambda **mode: neuron.ParametricLIFNode(init_tau=2.5, v_reset=None, **mode)),
}
cases = [
    *(Case(f"{SHORT}-{key}-single", f"{about}, single-step", of(Net, False, make, "s"), (1, 6)) for key, (about, make) in kinds.items()),
    *(Case(f"{SHORT}-{key}-multi", f"{about}, multi-step", of(Net, True, make, "m"), (1, 6)) for key, (about, make) in kinds.items()),
    Case(f"{SHORT}-conv", "LIFNode, multi-step, conv + BN", of(Conv, True, kinds["lif"][1]), (3, 1, 2, 6, 6), "TNCHW", axis=1),
    Case(f"{SHORT}-residual", "IFNode, single-step, spikes added to spikes", of(Residual, False, kinds["if"][1]), (3, 1, 2, 4, 4), "TNCHW", axis=1),
]

if __name__ == "__main__":
    rows = []
    record("SpikingJelly", VERSION, cases, rows)
    save(rows, f"spikingjelly-{SHORT}")
