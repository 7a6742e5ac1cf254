"""FAB (auto-attack, fra31 a392200), untargeted and targeted, and DeepFool (foolbox 3.3.4, torchattacks 3.5.1) on the shared oracle.

Records the examples of the first samples of a net: all of these attacks are deterministic without restarts. With one, sizes for five seeds.
"""

import foolbox
import torch
import torchattacks
from autoattack.fab_pt import FABAttack_PT
from shared import images, labels, net, record

SAMPLES = 8
STEPS = 20


def fab(name, norm, targets):
    """The examples; with targets the smallest over one run per target, as each run by itself would return it."""
    model, x, y = net(name), images(name)[:SAMPLES], labels(name)[:SAMPLES]
    attack = FABAttack_PT(model, norm=norm, n_iter=STEPS, targeted=targets > 0, n_target_classes=max(1, targets), device=torch.device("cpu"))
    if targets == 0:
        return attack.attack_single_run(x, y)
    best, least = x.clone(), torch.full((SAMPLES,), float("inf"))
    for rank in range(2, targets + 2):
        attack.target_class = rank
        found = attack.attack_single_run(x, y, is_targeted=True)
        size = sizes(found - x, norm)
        better = (model(found).argmax(1) != y) & (size < least)
        best[better], least[better] = found[better], size[better]
    return best


def restarted(name, norm, eps, seeds=5):
    """Sizes per seed of the run from a random point at distance eps / 2 alone: on these nets it never beats the one from the original."""
    model, x, y = net(name), images(name)[:SAMPLES], labels(name)[:SAMPLES]
    attack = FABAttack_PT(model, norm=norm, n_iter=STEPS, eps=eps, device=torch.device("cpu"))
    per_seed = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        size = sizes(attack.attack_single_run(x, y, use_rand_start=True) - x, norm)
        # a run that fails returns the original
        per_seed.append(torch.where(size == 0, float("inf"), size).tolist())
    return per_seed


def sizes(delta, norm):
    flat = delta.flatten(1)
    return {"Linf": flat.abs().amax(1), "L2": flat.norm(dim=1), "L1": flat.abs().sum(1)}[norm]


def foolbox_deepfool(name, norm):
    x, y = images(name)[:SAMPLES], labels(name)[:SAMPLES]
    low, high = (0, 1) if name != "sequence" else (-1000, 1000)
    model = foolbox.PyTorchModel(net(name), bounds=(low, high), device="cpu")
    attack = {"L2": foolbox.attacks.L2DeepFoolAttack, "Linf": foolbox.attacks.LinfDeepFoolAttack}[norm]()
    return attack.run(model, x, foolbox.criteria.Misclassification(y))


def torchattacks_deepfool(name):
    x, y = images(name)[:SAMPLES], labels(name)[:SAMPLES]
    attack = torchattacks.DeepFool(net(name))
    attack.set_device("cpu")
    found = attack(x, y)
    return sizes(found - x, "L2") + torch.where(net(name)(found).argmax(1) == y, float("inf"), 0.0)


record(
    "fab.json",
    {
        "steps": STEPS,
        "cases": [
            {"net": name, "norm": norm.lower(), "targets": targets, "examples": fab(name, norm, targets)}
            for name, targets in (("smooth", 0), ("smooth", 3), ("relu", 0))
            for norm in ("Linf", "L2", "L1")
        ],
        "restarted": [
            {"net": name, "norm": norm.lower(), "eps": eps, "sizes": restarted(name, norm, eps)}
            for name, norm, eps in (("relu", "Linf", 0.1), ("relu", "L2", 1.0), ("relu", "L1", 5.0), ("smooth", "L1", 5.0))
        ],
    },
    ["auto-attack a392200", f"torch {torch.__version__}"],
)
record(
    "deepfool.json",
    {
        "cases": [
            {"net": name, "norm": norm.lower(), "examples": foolbox_deepfool(name, norm)}
            for name in ("smooth", "relu", "sequence")
            for norm in ("L2", "Linf")
        ],
        "torchattacks": [{"net": name, "sizes": torchattacks_deepfool(name).tolist()} for name in ("smooth", "relu")],
    },
    ["foolbox 3.3.4", "torchattacks 3.5.1", f"torch {torch.__version__}"],
)
