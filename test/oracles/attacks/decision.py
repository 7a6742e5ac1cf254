"""HopSkipJump and Boundary of foolbox 3.3.4 and adversarial-robustness-toolbox 1.20.1 on the shared nets: what they have found after so many queries.

Usage: python decision.py
Every sample runs alone (foolbox lets the samples of a batch influence each other), with five seeds. Queries are counted, and the smallest example kept, where
the net is asked: every point shown to it counts, starts included, as for us. A run that fails leaves what it had found.
"""

import logging
import statistics
import warnings

import foolbox
import numpy as np
import torch
from art.attacks.evasion import BoundaryAttack, HopSkipJump
from art.estimators.classification import PyTorchClassifier
from shared import images, labels, net, record

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

SAMPLES = 12
LIMITS = (500, 1500)
SEEDS = range(5)
NETS = ("smooth", "relu")


class OutOfQueries(Exception):
    pass


class Counter(torch.nn.Module):
    """The net for one sample: remembers the size of the smallest example after each limit and stops at the last."""

    def __init__(self, inner, x, label, norm):
        super().__init__()
        self.inner, self.x, self.label, self.norm = inner, x, label, norm
        self.asked = 0
        self.best = float("inf")
        self.at = {}

    def forward(self, points):
        logits = self.inner(points)
        for point, z in zip(points, logits, strict=True):
            if self.asked == LIMITS[-1]:
                raise OutOfQueries
            self.asked += 1
            if z.argmax() != self.label:
                change = (point - self.x).flatten()
                size = change.norm() if self.norm == "l2" else change.abs().max()
                self.best = min(self.best, float(size))
            if self.asked in LIMITS:
                self.at[self.asked] = self.best
        return logits

    def found(self):
        return [self.at.get(limit, self.best) for limit in LIMITS]


def with_foolbox(attack):
    def run(counter, x, label):
        model = foolbox.PyTorchModel(counter, bounds=(0, 1), device="cpu")
        attack().run(model, x[None], foolbox.criteria.Misclassification(label[None]))

    return run


def with_art(attack):
    def run(counter, x, label):
        classifier = PyTorchClassifier(
            counter, loss=torch.nn.CrossEntropyLoss(), input_shape=tuple(x.shape), nb_classes=counter.inner.classes, clip_values=(0, 1)
        )
        attack(classifier).generate(x[None].numpy(), y=label[None].numpy())

    return run


RUNS = [
    ("hop-skip-jump", "l2", "foolbox", with_foolbox(lambda: foolbox.attacks.HopSkipJumpAttack(constraint="l2"))),
    ("hop-skip-jump", "l2", "art", with_art(lambda c: HopSkipJump(c, norm=2, verbose=False))),
    ("hop-skip-jump", "linf", "foolbox", with_foolbox(lambda: foolbox.attacks.HopSkipJumpAttack(constraint="linf"))),
    ("hop-skip-jump", "linf", "art", with_art(lambda c: HopSkipJump(c, norm="inf", verbose=False))),
    ("boundary", "l2", "foolbox", with_foolbox(lambda: foolbox.attacks.BoundaryAttack())),
    ("boundary", "l2", "art", with_art(lambda c: BoundaryAttack(c, targeted=False, verbose=False))),
]


def main():
    unseeded = np.random.RandomState
    rows = []
    for name in NETS:
        inner, x, y = net(name), images(name)[:SAMPLES], labels(name)[:SAMPLES]
        for attack, norm, peer, run in RUNS:
            sizes = []
            failed = set()
            for seed in SEEDS:
                found = []
                for k in range(SAMPLES):
                    torch.manual_seed(1000 * seed + k)
                    np.random.seed(1000 * seed + k)
                    # ART draws its start from a generator without a seed
                    np.random.RandomState = lambda s=1000 * seed + k: unseeded(s)
                    counter = Counter(inner, x[k], y[k], norm).eval()
                    try:
                        with torch.no_grad():
                            run(counter, x[k], y[k])
                    except OutOfQueries:
                        pass
                    except (ValueError, AssertionError, IndexError) as error:
                        failed.add(f"{type(error).__name__}: {error}")
                    found.append(counter.found())
                sizes.append(found)
            # [limit][seed]
            medians = [[statistics.median(f[i] for f in found) for found in sizes] for i in range(len(LIMITS))]
            rates = [[sum(f[i] < float("inf") for f in found) / SAMPLES for found in sizes] for i in range(len(LIMITS))]
            print(name, attack, norm, peer, medians, rates, sorted(failed), flush=True)
            rows.append({"net": name, "attack": attack, "norm": norm, "peer": peer, "medians": medians, "successes": rates})
    record(
        "decision.json",
        {"samples": SAMPLES, "limits": list(LIMITS), "runs": rows},
        ["foolbox 3.3.4", "adversarial-robustness-toolbox 1.20.1", f"torch {torch.__version__}", f"numpy {np.__version__}"],
    )


if __name__ == "__main__":
    main()
