"""DDN, FMN and sigma-zero of adversarial-library (jeromerony, 9dec220), DDN and FMN of foolbox 3.3.4, on the shared oracle.

All are deterministic on these nets: no gradient is zero. Records how far the first samples' pixels were moved and the norm reached for every sample
(null where the example does not fool the net).
"""

import eagerpy
import foolbox
import torch
from adv_lib.attacks import ddn, fmn, sigma_zero
from shared import images, labels, net, record

SAMPLES = 8
NORMS = {"linf": float("inf"), "l2": 2, "l1": 1, "l0": 0}
FOOLBOX_FMN = {
    "linf": foolbox.attacks.LInfFMNAttack,
    "l2": foolbox.attacks.L2FMNAttack,
    "l1": foolbox.attacks.L1FMNAttack,
    "l0": foolbox.attacks.L0FMNAttack,
}


def case(name, peer, attack, norm, run, *, options=None, targeted=False, examples=True):
    model, x, y = net(name), images(name), labels(name)
    goal = (y + 1) % model.classes if targeted else y
    found = run(model, x, goal)
    predicted = net(name)(found).argmax(1)
    flat = (found - x).flatten(1)
    sizes = (flat != 0).sum(1).float() if norm == "l0" else flat.norm(p=NORMS[norm], dim=1)
    sizes[(predicted != goal) if targeted else (predicted == goal)] = float("inf")
    middle = sizes.sort().values[11:13].mean()
    print(f"{name} {peer} {attack} {norm} {options or ''}{' targeted' if targeted else ''}: {int(sizes.isfinite().sum())} of 24, median {middle:.5f}")
    return {
        "net": name,
        "peer": peer,
        "attack": attack,
        "norm": norm,
        "targeted": targeted,
        "options": options or {},
        "sizes": sizes.tolist(),
        **({"deltas": (found - x)[:SAMPLES]} if examples else {}),
    }


def in_foolbox(attack, targeted=False):
    def run(model, x, goal):
        bounded = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
        criterion = foolbox.criteria.TargetedMisclassification(goal) if targeted else foolbox.criteria.Misclassification(goal)
        return attack.run(bounded, x, criterion)

    return run


def cases():
    for name in ("smooth", "relu"):
        yield case(name, "adv-lib", "ddn", "l2", lambda m, x, y: ddn(m, x, y, levels=None))
        yield case(name, "foolbox", "ddn", "l2", in_foolbox(foolbox.attacks.DDNAttack()))
        for norm, p in NORMS.items():
            yield case(name, "adv-lib", "fmn", norm, lambda m, x, y, p=p: fmn(m, x, y, norm=p, steps=100))
            yield case(name, "foolbox", "fmn", norm, in_foolbox(FOOLBOX_FMN[norm]()), examples=False)
        yield case(name, "adv-lib", "sigma-zero", "l0", sigma_zero, examples=False)
    yield case("smooth", "adv-lib", "sigma-zero", "l0", lambda m, x, y: sigma_zero(m, x, y, num_steps=25), options={"steps": 25})
    yield case("smooth", "adv-lib", "ddn", "l2", ddn, options={"levels": 256})
    yield case("smooth", "adv-lib", "ddn", "l2", lambda m, x, y: ddn(m, x, y, targeted=True, levels=None), targeted=True)
    yield case("smooth", "adv-lib", "fmn", "linf", lambda m, x, y: fmn(m, x, y, norm=float("inf"), targeted=True, steps=100), targeted=True)


def foolbox_projection():
    """The norm of what foolbox's l2 FMN calls a projection into the ball of 0.1 around zero."""
    torch.manual_seed(0)
    x, x0 = torch.randn(1, 192), torch.zeros(1, 192)
    attack = foolbox.attacks.L2FMNAttack()
    projected = attack.project(eagerpy.astensor(x), eagerpy.astensor(x0), eagerpy.astensor(torch.full((1,), 0.1))).raw
    return {"before": x.norm(), "eps": 0.1, "after": projected.norm()}


if __name__ == "__main__":
    record(
        "minimum-norm.json",
        {"cases": list(cases()), "projection": foolbox_projection()},
        ["adversarial-library 9dec220", "foolbox 3.3.4", f"torch {torch.__version__}"],
    )
