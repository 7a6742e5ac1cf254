"""torchvision's ResNet-18 in float64: its parameters in their order, and ten of its logits for weights made from their names.

    python test/oracles/nn/resnet.py test/fixtures/nn

Written with torch 2.15.0 and torchvision's resnet18.
"""

import json
import math
import sys
from pathlib import Path

import torch
import torchvision

from layers import chirp, listed


def weight(name, dims):
    if name.endswith("running_var") or (len(dims) == 1 and name.endswith("weight")):
        return chirp(name, dims, 0.5, 1.0)
    if len(dims) == 1:
        return chirp(name, dims, 0.5)
    return chirp(name, dims, math.sqrt(3 / math.prod(dims[1:])))


def main(folder):
    net = torchvision.models.resnet18(num_classes=1000).eval()
    counted = {n: list(p.shape) for n, p in net.named_parameters()}
    state = {n: weight(n, list(t.shape)) if t.is_floating_point() else t for n, t in net.state_dict().items()}
    net.load_state_dict(state)
    logits = net(chirp("x", [2, 3, 48, 40], 1.0))[:, :10]
    made = {
        "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__},
        "parameters": counted,
        "statistics": [n for n in net.state_dict() if "running" in n],
        "logits": listed(logits),
    }
    (Path(folder) / "resnet18.json").write_text(json.dumps(made, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
