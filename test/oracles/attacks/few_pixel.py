"""OnePixel of torchattacks 3.5.1 on the committed nets: what share falls at equal queries, for five seeds.

Its strategy is best/1/bin with F drawn from [.5, 1) every generation; success is looked for once a generation, at the best candidate.
"""

import numpy
import shared
import torch
import torchattacks

CASES = [("smooth", 5, 100, 20), ("relu", 5, 100, 20), ("smooth", 1, 100, 10)]

cases = []
for name, pixels, population, generations in CASES:
    x, y = shared.images(name), shared.labels(name)
    fallen = []
    for seed in range(5):
        numpy.random.seed(seed)
        torch.manual_seed(seed)
        net = shared.net(name)
        attack = torchattacks.OnePixel(net, pixels=pixels, steps=generations, popsize=population)
        adversarial = attack(x, y)
        fallen.append(int((net(adversarial).argmax(1) != y).sum()))
    cases.append({"net": name, "pixels": pixels, "population": population, "generations": generations, "samples": len(y), "fallen": fallen})
    print(cases[-1])

shared.record("few-pixel.json", {"cases": cases}, ["torchattacks 3.5.1"])
