"""Twenty steps of a small smooth net in PyTorch float64 under several optimisers: the parameters at the end.

    python trajectories.py > ../../fixtures/nn/trajectories.json
"""

import base64
import json

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from formula import fill, uniform

STEPS, SAMPLES, CLASSES = 20, 12, 3


class Smooth(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.hidden = nn.Linear(4 * 16, 6)
        self.norm = nn.LayerNorm(6)
        self.head = nn.Linear(6, CLASSES)

    def forward(self, x):
        x = torch.tanh(self.conv(x)).flatten(1)
        return self.head(self.norm(F.gelu(self.hidden(x))))


def matrices(model, decay):
    """Weight decay on tensors of two and more axes alone."""
    wide = [p for p in model.parameters() if p.dim() >= 2]
    thin = [p for p in model.parameters() if p.dim() < 2]
    return [{"params": wide, "weight_decay": decay}, {"params": thin, "weight_decay": 0}]


# use, our options, theirs
CASES = [
    ("adam", {"lr": 0.01}, lambda m: torch.optim.Adam(m.parameters(), lr=0.01)),
    (
        "adam",
        {"lr": 0.003, "beta1": 0.8, "beta2": 0.99, "eps": 1e-3, "weightDecay": 0.1},
        lambda m: torch.optim.Adam(m.parameters(), lr=0.003, betas=(0.8, 0.99), eps=1e-3, weight_decay=0.1),
    ),
    ("adamw", {"lr": 0.01, "weightDecay": 0.2}, lambda m: torch.optim.AdamW(m.parameters(), lr=0.01, weight_decay=0.2)),
    (
        "adamw",
        {"lr": 0.01, "weightDecay": 0.2, "decay": "matrices", "clip": 0.3},
        lambda m: torch.optim.AdamW(matrices(m, 0.2), lr=0.01),
    ),
    ("sgd", {"lr": 0.1, "momentum": 0}, lambda m: torch.optim.SGD(m.parameters(), lr=0.1)),
    (
        "sgd",
        {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weightDecay": 0.01},
        lambda m: torch.optim.SGD(m.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    ),
    (
        "sgd",
        {"lr": 0.1, "momentum": 0.9, "weightDecay": 0.01, "decay": "matrices", "clip": 0.3},
        lambda m: torch.optim.SGD(matrices(m, 0.01), lr=0.1, momentum=0.9),
    ),
]


def run(options, make, dtype):
    model = Smooth().to(dtype)
    fill(model)
    first = {name: p.detach().double().numpy().copy() for name, p in model.named_parameters()}
    optimiser = make(model)
    rates = [0.5 + (step % 4) / 4 for step in range(STEPS)]
    norms, clipped = [], 0
    for step in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = options["lr"] * rates[step]
        x = torch.from_numpy(uniform(f"x{step}", (SAMPLES, 1, 4, 4))).to(dtype)
        label = (torch.arange(SAMPLES) + step) % CLASSES
        optimiser.zero_grad()
        F.cross_entropy(model(x), label).backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), options.get("clip", float("inf"))).item()
        norms.append(norm)
        optimiser.step()
    return first, {name: p.detach().double().numpy() for name, p in model.named_parameters()}, norms


def change(end, other, first):
    squares = sum(np.sum((end[k] - other[k]) ** 2) for k in end)
    return float(np.sqrt(squares / sum(np.sum((end[k] - first[k]) ** 2) for k in end)))


torch.set_num_threads(1)
cases = []
for use, options, make in CASES:
    first, end, norms = run(options, make, torch.float64)
    _, end32, _ = run(options, make, torch.float32)
    cases.append(
        {
            "use": use,
            "options": options,
            "norms": norms,
            "float32": change(end, end32, first),
            "end": {k: base64.b64encode(v.astype("<f4").tobytes()).decode() for k, v in end.items()},
        }
    )
versions = {"torch": torch.__version__, "numpy": np.__version__}
print(json.dumps({"versions": versions, "steps": STEPS, "samples": SAMPLES, "classes": CLASSES, "cases": cases}, separators=(",", ":")))
