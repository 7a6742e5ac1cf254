"""C&W, EAD and JSMA of other libraries on the shared nets, every sample in a batch of its own (their early abort looks at the whole batch).

Run with `adv_lib` on PYTHONPATH. foolbox 3.3.4, adversarial-library 9dec220, adversarial-robustness-toolbox 1.20.1, torchattacks 3.5.1, torch 2.15.
"""

import foolbox
import numpy as np
import torch
from adv_lib.attacks import carlini_wagner_l2
from art.attacks.evasion import ElasticNet, SaliencyMapMethod
from art.estimators.classification import PyTorchClassifier
from torchattacks import JSMA

import shared

SHORT = {"searches": 3, "steps": 15, "c0": 0.5}
FULL = {"searches": 9, "steps": 300, "c0": 1e-3}


def one_by_one(attack, x, y):
    return torch.cat([attack(x[k : k + 1], y[k : k + 1]) for k in range(len(x))])


def sizes(model, x, adv, wanted, norm):
    """Norms of the changes, None for failures; `wanted` says of predictions which are what was asked for."""
    reached = wanted(model(adv).argmax(1))
    found = (adv - x).flatten(1).norm(p=norm, dim=1)
    return [float(s) if ok else None for s, ok in zip(found, reached, strict=True)]


def foolbox_of(attack, model, targeted=False):
    wrapped = foolbox.PyTorchModel(model, bounds=(0, 1))
    criterion = foolbox.criteria.TargetedMisclassification if targeted else foolbox.criteria.Misclassification

    def run(x, y):
        return attack.run(wrapped, x, criterion(y))

    return run


def cw_foolbox(model, searches, steps, c0, abort, targeted=False):
    attack = foolbox.attacks.L2CarliniWagnerAttack(
        binary_search_steps=searches, steps=steps, stepsize=0.01, initial_const=c0, abort_early=abort
    )
    return foolbox_of(attack, model, targeted)


def cw_adv_lib(model, searches, steps, c0, abort, targeted=False):
    return lambda x, y: carlini_wagner_l2(
        model, x, y, targeted=targeted, binary_search_steps=searches, max_iterations=steps, initial_const=c0, abort_early=abort
    )


def ead_foolbox(model, searches, steps, c0, abort, rule="EN", beta=0.01):
    attack = foolbox.attacks.EADAttack(
        binary_search_steps=searches, steps=steps, initial_const=c0, abort_early=abort, regularization=beta, decision_rule=rule
    )
    return foolbox_of(attack, model)


def art_of(model, x, classes):
    return PyTorchClassifier(
        model, torch.nn.CrossEntropyLoss(), x.shape[1:], classes, clip_values=(0.0, 1.0), device_type="cpu"
    )


def ead_art(model, x, classes, searches, steps, c0, beta):
    attack = ElasticNet(
        art_of(model, x, classes), max_iter=steps, binary_search_steps=searches, initial_const=c0, beta=beta, decision_rule="L1", verbose=False
    )
    return lambda a, y: torch.from_numpy(attack.generate(a.numpy(), np.eye(classes)[y.numpy()]))


def jsma_art(model, x, classes, theta):
    attack = SaliencyMapMethod(art_of(model, x, classes), theta=theta, gamma=1.0, verbose=False)
    return lambda a, y: torch.from_numpy(attack.generate(a.numpy(), np.eye(classes)[y.numpy()]))


def jsma_torchattacks(model):
    attack = JSMA(model, theta=1.0, gamma=1.0)
    attack.set_mode_targeted_by_label(quiet=True)
    return attack


class Constant(torch.nn.Module):
    """The same logits everywhere."""

    def forward(self, x):
        return x.flatten(1)[:, :2] * 0 + torch.tensor([1.0, 0.0])


def main():
    data = {"short": SHORT, "full": FULL, "nets": {}}
    for name in ("smooth", "relu"):
        model, x, y = shared.net(name), shared.images(name), shared.labels(name)
        classes = model.classes
        targets = (y + 1) % classes
        few = slice(0, 8)
        left = lambda predicted: predicted != y
        hit = lambda predicted: predicted == targets
        entry = {}
        entry["cwShort"] = {
            "foolbox": one_by_one(cw_foolbox(model, **SHORT, abort=False), x[few], y[few]),
            "advLib": one_by_one(cw_adv_lib(model, **SHORT, abort=False), x[few], y[few]),
            "foolboxTargeted": one_by_one(cw_foolbox(model, **SHORT, abort=False, targeted=True), x[few], targets[few]),
            "advLibTargeted": one_by_one(cw_adv_lib(model, **SHORT, abort=False, targeted=True), x[few], targets[few]),
        }
        entry["cwFull"] = {
            "foolbox": sizes(model, x, one_by_one(cw_foolbox(model, **FULL, abort=True), x, y), left, 2),
            "advLib": sizes(model, x, one_by_one(cw_adv_lib(model, **FULL, abort=True), x, y), left, 2),
        }
        entry["eadShort"] = one_by_one(ead_foolbox(model, **SHORT, abort=False), x, y)
        entry["eadFull"] = {
            "foolbox": sizes(model, x, one_by_one(ead_foolbox(model, **FULL, abort=True, rule="L1"), x, y), left, 1),
            "foolboxBeta03": sizes(model, x, one_by_one(ead_foolbox(model, **FULL, abort=True, rule="L1", beta=0.03), x, y), left, 1),
            "art": sizes(model, x, one_by_one(ead_art(model, x, classes, 9, 100, 1e-3, 1e-2), x, y), left, 1),
        }
        entry["jsma"] = one_by_one(jsma_torchattacks(model), x, targets)
        entry["jsmaSizes"] = {
            "torchattacks": sizes(model, x, entry["jsma"], hit, 0),
            "art": sizes(model, x, one_by_one(jsma_art(model, x, classes, 1.0), x, targets), hit, 0),
        }
        entry["jsma"] = entry["jsma"][few]
        data["nets"][name] = entry
        for key in ("cwFull", "eadFull", "jsmaSizes"):
            print(name, key, {peer: (np.median([np.inf if v is None else v for v in all]), sum(v is None for v in all)) for peer, all in entry[key].items()})
    still = torch.full((1, 4), 0.5)
    data["unattackable"] = {
        "foolboxCw": cw_foolbox(Constant(), 2, 10, 1.0, False)(still, torch.tensor([0])),
        "foolboxEad": ead_foolbox(Constant(), 2, 10, 1.0, False)(still, torch.tensor([0])),
    }
    shared.record(
        "penalty.json",
        data,
        ["foolbox 3.3.4", "adversarial-library 9dec220", "adversarial-robustness-toolbox 1.20.1", "torchattacks 3.5.1", f"torch {torch.__version__}"],
    )


if __name__ == "__main__":
    main()
