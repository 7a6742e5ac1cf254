"""Square attack of auto-attack (fra31, a392200) on the committed nets: what share falls at equal queries, for five seeds.

Not rescaled, as AutoAttack runs it. Its first point is not one of its n_queries, ours is: it is given one less.
"""

import shared
from autoattack.square import SquareAttack

CASES = [("smooth", "Linf", 0.08, 500), ("relu", "Linf", 0.06, 500), ("smooth", "L2", 0.8, 500), ("relu", "L2", 0.6, 500)]

cases = []
for name, norm, eps, queries in CASES:
    x, y = shared.images(name), shared.labels(name)
    fallen = []
    for seed in range(5):
        net = shared.net(name)
        attack = SquareAttack(net, norm=norm, n_queries=queries - 1, eps=eps, seed=seed, p_init=0.8, resc_schedule=False, device="cpu")
        adversarial = attack.perturb(x, y)
        fallen.append(int((net(adversarial).argmax(1) != y).sum()))
    cases.append({"net": name, "norm": norm.lower(), "eps": eps, "queries": queries, "samples": len(y), "fallen": fallen})
    print(cases[-1])

shared.record("square.json", {"cases": cases}, ["auto-attack a392200"])
