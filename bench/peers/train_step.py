"""Peer of the benchmark train-step: training steps of the same nets from the same first weights in PyTorch, eager mode.

usage: train_step.py CASE THREADS FILE.npz, where FILE holds the batch (input, label), the weights (weight/NAME) and the settings (setting/NAME) and,
for comparing losses, the random inputs of the first steps (noise/STEP/INDEX). Prints its version, then for each line read
  step     the seconds of one step, dropout drawn by PyTorch
  loss     the loss a step began with, dropout from the file while it lasts
  memory   the most memory the process ever held (MB)
"""
import math
import resource
import sys
import time

import torch
import numpy as np  # after torch: where both are missing, the bench looks for torch's name
from torch import nn
from torch.nn import functional as F

case, threads, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
torch.set_num_threads(threads)
torch.manual_seed(0)
data = np.load(path)
given = {name.split("/", 1)[1]: torch.from_numpy(data[name]) for name in data.files if name.startswith("weight/")}
setting = {name.split("/", 1)[1]: float(data[name]) for name in data.files if name.startswith("setting/")}
x, label = torch.from_numpy(data["input"]), torch.from_numpy(data["label"])


class Dropout(nn.Module):
    """nn.functional.dropout with a mask of its own shape, or with the uniform numbers it is given."""

    noise = []

    def __init__(self, share, mask):
        super().__init__()
        self.share, self.mask = share, mask

    def forward(self, x):
        if Dropout.noise:
            return x * ((Dropout.noise.pop(0) >= self.share).float() / (1 - self.share))
        if self.mask == tuple(x.shape[1:]):
            return F.dropout(x, self.share)
        return x * F.dropout(torch.ones(x.shape[0], *self.mask), self.share)


class CnnLstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.conv3 = nn.Conv2d(1, 16, 5), nn.Conv2d(16, 32, 3), nn.Conv2d(32, 64, 3)
        self.bn1 = nn.BatchNorm2d(16, eps=1e-3, momentum=0.01)
        self.element, self.feature = Dropout(0.3, (9, 64 * 26)), Dropout(0.2, (1, 64 * 26))
        self.lstm = nn.LSTM(64 * 26, 256, bidirectional=True)
        for name, value in self.lstm.named_parameters():
            value.requires_grad_("bias_hh" not in name)  # Keras' LSTM has one bias
        self.head = nn.Linear(512, 5)

    def forward(self, x):
        y = x.reshape(-1, 1, 29, 128)
        y = F.max_pool2d(self.bn1(F.relu(self.conv1(y))), 4, 2)
        y = F.max_pool2d(F.relu(self.conv2(y)), 2, 2)
        y = F.max_pool2d(F.relu(self.conv3(y)), 2, 1)
        y = y.permute(0, 2, 3, 1).reshape(-1, 9, 64 * 26)
        y = self.feature(self.element(y)).transpose(0, 1)
        _, (last, _) = self.lstm(y)
        return self.head(last.transpose(0, 1).reshape(-1, 512))

    def take(self, given):
        """Our recurrent weights are those of ONNX: gates i, o, f, c, both directions in one tensor."""
        def gates(t):
            i, o, f, c = t.chunk(4)
            return torch.cat([i, f, c, o])

        state = {name: value for name, value in given.items() if not name.startswith("lstm.")}
        for d, suffix in enumerate(["", "_reverse"]):
            state[f"lstm.weight_ih_l0{suffix}"] = gates(given["lstm.W"][d])
            state[f"lstm.weight_hh_l0{suffix}"] = gates(given["lstm.R"][d])
            state[f"lstm.bias_ih_l0{suffix}"] = gates(given["lstm.B"][d])
            state[f"lstm.bias_hh_l0{suffix}"] = torch.zeros(4 * 256)
        return state


class Spike(torch.autograd.Function):
    """A step with the derivative of the arctangent, alpha = 2."""

    @staticmethod
    def forward(ctx, u):
        ctx.save_for_backward(u)
        return (u >= 0).to(u.dtype)

    @staticmethod
    def backward(ctx, dy):
        (u,) = ctx.saved_tensors
        return dy / (1 + (math.pi * u).square())


class Lif(nn.Module):
    """Time first, so that the steps of a layer lie side by side in memory."""

    def __init__(self):
        super().__init__()
        for i, (a, b) in enumerate([(2, 32), (32, 64), (64, 128), (128, 128)], 1):
            setattr(self, f"conv{i}", nn.Conv2d(a, b, 3, padding=1, bias=False))
            setattr(self, f"bn{i}", nn.BatchNorm2d(b))
        self.head = nn.Linear(128 * 4 * 4, 10)

    @staticmethod
    def fire(x):
        v, spikes = 0.0, []
        for current in (0.5 * x).chunk(4):
            u = 0.5 * v + current
            spikes.append(Spike.apply(u - 1))
            v = u.masked_fill(u.detach() >= 1, 0.0)
        return torch.cat(spikes)

    def forward(self, x):
        y = 2 * x.transpose(0, 1).flatten(0, 1) - 1
        for i in range(1, 5):
            y = y if i == 1 else F.avg_pool2d(y, 2)
            y = self.fire(getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y)))
        return self.head(y.unflatten(0, (4, -1)).mean(dim=0).flatten(1))

    def take(self, given):
        return given


def resnet18():
    from torchvision.models import resnet18 as make

    net = make(num_classes=7)
    net.take = lambda given: given
    return net


net = {"resnet18": resnet18, "cnn-lstm": CnnLstm, "lif": Lif}[case]().train()
missing = net.load_state_dict(net.take(given), strict=False)
assert not missing.unexpected_keys and all("running" in name or "batches" in name for name in missing.missing_keys), missing
trained = [p for p in net.parameters() if p.requires_grad]
if "momentum" in setting:
    optimiser = torch.optim.SGD(trained, lr=setting["lr"], momentum=setting["momentum"], weight_decay=setting["weightDecay"])
else:
    optimiser = torch.optim.Adam(trained, lr=setting["lr"], betas=(setting["beta1"], setting["beta2"]), eps=setting["eps"])


def step():
    optimiser.zero_grad(set_to_none=True)
    loss = F.cross_entropy(net(x), label)
    loss.backward()
    optimiser.step()
    return loss


print(f"torch {torch.__version__}", flush=True)
done = 0
for line in sys.stdin:
    what = line.strip()
    if what == "memory":
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
    elif what == "loss":
        names = sorted((n for n in data.files if n.startswith(f"noise/{done}/")), key=lambda n: int(n.split("/")[2]))
        Dropout.noise = [torch.from_numpy(data[n]) for n in names]
        print(step().item(), flush=True)
        done += 1
    else:
        started = time.perf_counter()
        step().item()
        print(time.perf_counter() - started, flush=True)
