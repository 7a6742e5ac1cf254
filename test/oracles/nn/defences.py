"""TRADES and MART as PyTorch computes them in float64: values per sample, and gradients of their mean.

    python test/oracles/nn/defences.py

writes test/fixtures/nn/defences.json. Two cases: logits themselves, and a linear layer z = x W^T + b whose weight gradients come through both of its
calls. MART's probabilities are those of the paper, without the small constants that the authors' code adds to keep logarithms finite.
"""
import json
from pathlib import Path

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
BETA, LAMBDA = 6.0, 5.0


def kl(z, other):
    return F.kl_div(F.log_softmax(other, 1), F.log_softmax(z, 1), reduction="none", log_target=True).sum(1)


def trades(clean, adversarial, y):
    return F.cross_entropy(clean, y, reduction="none") + BETA * kl(clean, adversarial)


def mart(clean, adversarial, y):
    q = F.softmax(adversarial, 1)
    others = q.scatter(1, y[:, None], -1.0)
    strongest = q.gather(1, others.argmax(1, keepdim=True))[:, 0]
    bce = F.cross_entropy(adversarial, y, reduction="none") - torch.log1p(-strongest)
    doubt = 1 - F.softmax(clean, 1).gather(1, y[:, None])[:, 0]
    return bce + LAMBDA * kl(clean, adversarial) * doubt


def fed(*shape, scale=1.0):
    """Values that float32 holds exactly."""
    return (scale * torch.randn(*shape)).float().double()


def grads(loss, wrt):
    return [g.tolist() for g in torch.autograd.grad(loss.mean(), wrt)]


torch.manual_seed(0)
cases = []
for name, loss in [("trades", trades), ("mart", mart)]:
    for classes, scale in [(5, 1.5), (2, 1.0), (7, 8.0)]:
        clean, adversarial = fed(6, classes, scale=scale), fed(6, classes, scale=scale)
        y = torch.arange(6) % classes
        for z in (clean, adversarial):
            z.requires_grad_()
        value = loss(clean, adversarial, y)
        d_clean, d_adversarial = grads(value, [clean, adversarial])
        cases.append(dict(kind="logits", loss=name, classes=classes, clean=clean.tolist(), adversarial=adversarial.tolist(),
                          label=y.tolist(), value=value.tolist(), dClean=d_clean, dAdversarial=d_adversarial))
    x, moved, weight, bias = fed(6, 4), fed(6, 4), fed(3, 4).requires_grad_(), fed(3).requires_grad_()
    y = torch.arange(6) % 3
    value = loss(F.linear(x, weight, bias), F.linear(moved, weight, bias), y)
    d_weight, d_bias = grads(value, [weight, bias])
    cases.append(dict(kind="weights", loss=name, classes=3, x=x.tolist(), moved=moved.tolist(), weight=weight.tolist(), bias=bias.tolist(),
                      label=y.tolist(), value=value.tolist(), dWeight=d_weight, dBias=d_bias))

out = Path("test/fixtures/nn/defences.json")
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text(json.dumps(dict(made_by="test/oracles/nn/defences.py", torch=torch.__version__, cases=cases), separators=(",", ":")) + "\n")
