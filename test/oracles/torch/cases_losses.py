"""Derivative cases of the loss operations."""

import numpy as np
import torch
import torch.nn.functional as F
from casefile import CaseFile, Numbers, constant

n = Numbers(6)
f = CaseFile("losses")
classes = 5
weight = n.uniform(0.2, 2, classes)
vector = np.array([0, 4, 2, 2], dtype=np.int64)
image = n.rng.integers(0, classes, (3, 2, 2))


def likelihood(reduction, ignore=-100):
    return lambda x, t, w=None: F.nll_loss(x, t.long(), w, reduction=reduction, ignore_index=ignore)


def cross_entropy(reduction, ignore=-100, log=False):
    def of(x, t, w=None):
        loss = F.cross_entropy(x, t.long(), w, reduction=reduction, ignore_index=ignore)
        return (loss, torch.log_softmax(x, 1)) if log else loss

    return of


for op, function in {"NegativeLogLikelihoodLoss": likelihood, "SoftmaxCrossEntropyLoss": cross_entropy}.items():
    for reduction in ("none", "sum", "mean"):
        attrs = {"reduction": reduction}
        f.add(f"{op}, {reduction}", op, function(reduction), [n.normal(4, classes), vector], attrs=attrs, batch=[0, 1])
        f.add(f"{op}, {reduction}, weights", op, function(reduction), [n.normal(4, classes), vector, constant(weight)], attrs=attrs, batch=[0, 1])
        f.add(f"{op}, {reduction}, weights, index to ignore", op, function(reduction, 2), [n.normal(4, classes), constant(vector), constant(weight)],
              attrs={**attrs, "ignore_index": 2})
    f.add(f"{op} of images", op, function("mean", 1), [n.normal(3, classes, 2, 2), image], attrs={"ignore_index": 1}, batch=[0, 1])
f.add("SoftmaxCrossEntropyLoss with log probabilities", "SoftmaxCrossEntropyLoss", cross_entropy("mean", log=True), [n.normal(4, classes), vector], batch=[0, 1])
f.add("SoftmaxCrossEntropyLoss, 32-bit targets", "SoftmaxCrossEntropyLoss", cross_entropy("sum"), [n.normal(4, classes), vector.astype(np.int32)],
      attrs={"reduction": "sum"})

def weighted(reduction, ignore=-100, log=False):
    """PyTorch's own losses have no derivative by the class weights: the definition, in differentiable steps."""

    def of(x, t, w):
        p = torch.log_softmax(x, 1) if log else x
        counted = (t != ignore).to(x.dtype)
        each = counted * w[t]
        loss = -each * p.gather(1, t.unsqueeze(1)).squeeze(1)
        return loss if reduction == "none" else loss.sum() if reduction == "sum" else loss.sum() / each.sum()

    return of


for op, log in {"NegativeLogLikelihoodLoss": False, "SoftmaxCrossEntropyLoss": True}.items():
    for reduction in ("none", "sum", "mean"):
        f.add(f"{op}, {reduction}, weights differentiated", op, weighted(reduction, log=log), [n.normal(4, classes), vector, weight],
              attrs={"reduction": reduction}, batch=[0, 1])
    f.add(f"{op} of images, weights differentiated", op, weighted("mean", 1, log), [n.normal(3, classes, 2, 2), image, weight],
          attrs={"ignore_index": 1}, batch=[0, 1])

f.write()
