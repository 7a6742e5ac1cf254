"""APGD of auto-attack (fra31, commit a392200) on the shared oracle: single runs from recorded random numbers, and success over five seeds.

    PYTHONPATH=<auto-attack> python test/oracles/attacks/apgd.py
"""

import math
import platform

import numpy as np
import onnxruntime
import torch
from autoattack.autopgd_base import APGDAttack, APGDAttack_targeted
from shared import images, labels, net, record

NORMS = {"linf": "Linf", "l2": "L2", "l1": "L1"}
LOSSES = ["ce", "dlr", "targeted"]
SAMPLES = 8
STEPS = 100


def attack(model, norm, loss, eps, **more):
    common = dict(n_iter=STEPS, norm=NORMS[norm], eps=eps, device="cpu", verbose=False, **more)
    if loss == "targeted":
        return APGDAttack_targeted(model, **common)
    return APGDAttack(model, loss=loss, **common)


class Recorded:
    """In place of torch's generators: the numbers recorded."""

    def __init__(self, uniform, normal):
        self.kept = torch.rand, torch.randn, torch.randn_like
        self.uniform, self.normal = uniform, normal

    def __enter__(self):
        torch.rand = lambda *_, **__: self.uniform.clone()
        torch.randn = lambda *_, **__: self.normal.clone()
        torch.randn_like = lambda *_, **__: self.normal.clone()

    def __exit__(self, *_):
        torch.rand, torch.randn, torch.randn_like = self.kept


def schedule(eps):
    """Budgets and steps of perturb() with use_largereps."""
    third = math.ceil(0.3 * STEPS)
    return [3.0 * eps, 2.0 * eps, eps], [third, third, STEPS - 2 * third]


def run(peer, x, y, norm, eps, numbers):
    with Recorded(*numbers):
        if norm == "l1":
            return peer.decr_eps_pgd(x, y, *schedule(eps))
        return peer.attack_single_run(x, y)


class Scripted(torch.nn.Module):
    """Answers that depend on the number of the question only, so that rounding cannot lead two attacks apart; apgd-peer.test.ts says the same."""

    def __init__(self):
        super().__init__()
        self.points = []

    def forward(self, x):
        return _Answer.apply(self, x)


class _Answer(torch.autograd.Function):
    @staticmethod
    def forward(ctx, script, x):
        k = len(script.points)
        script.points.append(x.detach().clone())
        s = np.arange(len(x))
        ctx.k, ctx.shape = k, x.shape
        lead = 3 - 2 * (1 - np.exp(-k / 25)) + 0.3 * np.sin(1.3 * k * k + s)
        return torch.from_numpy(np.stack([lead, np.where((k + s) % 7 == 6, 9, 0 * s)], 1)).float()

    @staticmethod
    def backward(ctx, _):
        n = math.prod(ctx.shape[1:])
        i, s = np.arange(1, n + 1)[None], np.arange(ctx.shape[0])[:, None]
        g = np.sin(12.9898 * i + 0.7 * s + 0.05 * ctx.k) + 0.5 * np.sin(78.233 * i * (ctx.k + 1))
        return None, torch.from_numpy(g).float().reshape(ctx.shape)


def coarse(values):
    """Multiples of 1/256: x + t - t is x then, and the peer counts no rounding residues as changed elements."""
    return (values * 256).floor() / 256


def scripted():
    x, y, (uniform, normal) = beginning()
    x, numbers = coarse(x), (uniform, coarse(normal))
    cases = []
    for norm, eps in [("linf", 0.03), ("l2", 0.5), ("l1", 4.0)]:
        script = Scripted()
        peer = attack(script, norm, "ce", eps)
        peer.init_hyperparam(x)
        best, _, _, found = run(peer, x, y * 0, norm, eps, numbers)
        weights = torch.from_numpy(np.sin(np.arange(1, x[0].numel() + 1))).float()
        sums = torch.stack([((p - x).flatten(1) * weights).sum(1) for p in script.points])
        cases.append({"norm": norm, "eps": eps, "sums": sums, "best": best, "found": found})
    return cases


def beginning():
    x, y = images("smooth")[:SAMPLES], labels("smooth")[:SAMPLES]
    generator = torch.Generator().manual_seed(1)
    return x, y, (torch.rand(x.shape, generator=generator), torch.randn(x.shape, generator=generator))


def single_runs():
    x, y, numbers = beginning()
    cases = []
    for norm, eps in [("linf", 0.022), ("l2", 0.25), ("l1", 1.6)]:
        for loss in LOSSES:
            model = net("smooth")
            peer = attack(model, norm, loss, eps)
            peer.init_hyperparam(x)
            # the class that targeted runs aim at: the second by the clean logits
            peer.y_target = model(x).sort(dim=1)[1][:, -2]
            model.reset()
            _, robust, best_loss, _ = run(peer, x, y, norm, eps, numbers)
            print(norm, loss, "fell", int((robust == 0).sum()), "of", SAMPLES, "passes", model.forwards, model.backwards)
            cases.append(
                {
                    "norm": norm,
                    "loss": loss,
                    "eps": eps,
                    "fell": [int(r == 0) for r in robust],
                    "bestLoss": best_loss,
                    "forwards": model.forwards // SAMPLES,
                    "backwards": model.backwards // SAMPLES,
                }
            )
    return {"samples": SAMPLES, "steps": STEPS, "uniform": numbers[0], "normal": numbers[1], "cases": cases, "scripted": scripted()}


def five_seeds():
    x, y = images("relu"), labels("relu")
    rates = []
    for norm, eps in [("linf", 0.022), ("l2", 0.22), ("l1", 1.5)]:
        for loss in LOSSES:
            counts = []
            for seed in range(5):
                model = net("relu")
                peer = attack(model, norm, loss, eps, seed=seed, use_largereps=norm == "l1")
                if loss == "targeted" and norm == "l1":
                    peer.n_target_classes = 5
                adversarial = peer.perturb(x.clone(), y.clone())
                counts.append(int((model(adversarial).argmax(1) != y).sum()))
            print(norm, loss, counts)
            rates.append({"norm": norm, "loss": loss, "eps": eps, "targets": 5 if norm == "l1" else 9, "fell": counts})
    return {"samples": len(y), "rates": rates}


if __name__ == "__main__":
    versions = [
        "auto-attack a392200",
        f"torch {torch.__version__}",
        f"onnxruntime {onnxruntime.__version__}",
        f"numpy {np.__version__}",
        f"python {platform.python_version()}",
    ]
    record("apgd.json", single_runs(), versions)
    record("apgd-seeds.json", five_seeds(), versions)
