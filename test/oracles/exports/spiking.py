"""Spiking nets as people write them: python spiking.py [NAME...] (torch 2.15.0)

Leaky integrate-and-fire neurons, four steps written out, reset by subtraction. The spike has no useful derivative: the file computes (v > 1), and what
PyTorch is given for the backward pass is the surrogate of an arctangent, 1 / (1 + (pi u)^2) for u = v - 1 (alpha = 2; Fang et al. 2021, arXiv 2007.05785).
The recorded gradients are those of PyTorch with that surrogate; without it they are zero.
"""

import math

import torch
from torch import nn

from common import Input
from torch_side import Net, main

CLASSES = 4
STEPS = 4


class Spike(torch.autograd.Function):
    """Heaviside forwards, the arctangent's derivative backwards; `form` says how the file writes it."""

    @staticmethod
    def forward(ctx, u, form):
        ctx.save_for_backward(u)
        return FORMS[form](u)

    @staticmethod
    def backward(ctx, dy):
        (u,) = ctx.saved_tensors
        return dy / (1 + (math.pi * u) ** 2), None


FORMS = {
    "cast": lambda u: (u > 0).to(u.dtype),
    "where": lambda u: torch.where(u > 0, torch.ones_like(u), torch.zeros_like(u)),
    "sign": lambda u: torch.relu(torch.sign(u)),
}


class LIF(nn.Module):
    def __init__(self, form, decay):
        super().__init__()
        self.form, self.decay = form, decay

    def forward(self, currents):
        """One list of spikes for one list of currents."""
        v, spikes = torch.zeros_like(currents[0]), []
        for current in currents:
            v = self.decay * v + current
            # tracing does not pass through autograd functions, and a file holds no derivative
            s = FORMS[self.form](v - 1.0) if torch.compiler.is_exporting() or torch.jit.is_tracing() else Spike.apply(v - 1.0, self.form)
            v = v - s
            spikes.append(s)
        return spikes


class SpikingNet(nn.Module):
    def __init__(self, form):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6))
        self.first, self.second = LIF(form, 0.5), LIF(form, 0.75)
        self.pool = nn.AvgPool2d(2)
        self.hidden = nn.Linear(6 * 16, 16)
        self.head = nn.Linear(16, CLASSES)

    def forward(self, image):
        current = 2.0 * self.conv(image)
        spikes = self.first([current] * STEPS)
        spikes = self.second([4.0 * self.hidden(self.pool(s).flatten(1)) for s in spikes])
        return self.head(torch.stack(spikes).mean(0))


cuts = {"cast": ["Greater"], "where": ["Greater"], "sign": ["Sign"]}
nets = [
    Net(f"spiking-{form}", lambda form=form: SpikingNet(form), [Input("image", (1, 8, 8))], more={"cuts": cuts[form], "surrogate": "atan"})
    for form in FORMS
]

if __name__ == "__main__":
    main("spiking", nets)
