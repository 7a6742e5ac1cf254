"""Derivative cases of elementwise arithmetic, broadcasting included."""

import torch
from casefile import CaseFile, Numbers, constant

n = Numbers(2)
f = CaseFile("arithmetic")

SHAPES = {
    "": ((4, 3, 2), (4, 3, 2)),
    ", second broadcast": ((4, 3, 2), (3, 1)),
    ", first broadcast": ((2,), (4, 3, 2)),
    ", both broadcast": ((4, 1, 2), (3, 1)),
    ", scalar": ((4, 3), ()),
    ", scalar first": ((), (4, 3)),
}
BINARY = {
    "Add": (torch.add, lambda *d: n.normal(*d)),
    "Sub": (torch.sub, lambda *d: n.normal(*d)),
    "Mul": (torch.mul, lambda *d: n.normal(*d)),
    "Div": (torch.div, lambda *d: n.apart(*d)),
    "Pow": (torch.pow, lambda *d: n.uniform(0.3, 2, *d)),
}
for op, (function, draw) in BINARY.items():
    for label, (a, b) in SHAPES.items():
        f.add(op + label, op, function, [draw(*a), draw(*b)])
    f.add(f"{op}, batch", op, function, [draw(4, 3), draw(4, 3)], batch=[0, 1])
    f.add(f"{op}, batch against a vector", op, function, [draw(4, 3), draw(3)], batch=True)
    f.add(f"{op}, batch second, first without it", op, function, [draw(3), draw(4, 3)], batch=[1])
    f.add(f"{op}, batch against a column", op, function, [draw(4, 1), draw(4, 3)], batch=[0, 1])
    f.add(f"{op}, constant second", op, function, [draw(4, 3), constant(draw(3))], batch=True)
    f.add(f"{op}, constant first", op, function, [constant(draw(3)), draw(4, 3)], batch=[1])

for exponent in (0.0, 1.0, 2.0, 3.0, 0.5, -1.0, -2.0, 1.7):
    f.add(f"Pow, constant exponent {exponent}", "Pow", torch.pow, [n.uniform(0.3, 2, 4, 3), constant(exponent)], batch=True)
for exponent in (1.0, 2.0, 3.0, -1.0):
    f.add(f"Pow, negative bases, constant exponent {exponent}", "Pow", torch.pow, [n.apart(4, 3), constant([exponent])])
f.add("Pow, square at 0", "Pow", torch.pow, [[0.0, 1.0, -2.0], constant(2.0)])
f.add("Pow, cube at 0", "Pow", torch.pow, [[0.0, 1.0, -2.0], constant([3.0, 3.0, 2.0])])
f.add("Pow, zeroth power at 0", "Pow", torch.pow, [[0.0, 1.0, -2.0], constant([0.0, 0.0, 0.0])], wrt=[0], kink=True)
f.add("Pow, base 0 with a variable exponent", "Pow", torch.pow, [constant([0.0, 1.0, 2.0]), [1.5, 1.0, 2.0]])
f.add("Pow, integer exponents", "Pow", lambda a, b: a ** b.to(a.dtype), [n.apart(4, 3), constant([[2, 3, 1]])])
f.add("Pow, one integer exponent", "Pow", lambda a, b: a ** b.to(a.dtype), [n.apart(4, 3), constant(2)])
f.add("Mod, fmod", "Mod", torch.fmod, [n.uniform(-7, 7, 4, 3), n.uniform(1, 2, 3)], attrs={"fmod": 1})
f.add("Mod, fmod, negative divisor", "Mod", torch.fmod, [n.uniform(-7, 7, 4, 3), -n.uniform(1, 2, 4, 3)], attrs={"fmod": 1})


def reduce_pairs(function):
    def of(*xs):
        total = xs[0]
        for x in xs[1:]:
            total = function(total, x)
        return total

    return of


def mean(*xs):
    return sum(xs[1:], xs[0]) / len(xs)


EXTREMA = {"Max": reduce_pairs(torch.maximum), "Min": reduce_pairs(torch.minimum)}
NARY = {**EXTREMA, "Sum": lambda *xs: sum(xs[1:], xs[0]), "Mean": mean}
for op, function in NARY.items():
    parts = n.apart(3, 4, 3)
    f.add(f"{op} of one", op, function, [parts[0]])
    f.add(f"{op} of two", op, function, [parts[0], parts[1]], batch=[0, 1])
    f.add(f"{op} of three", op, function, [parts[0], parts[1], parts[2]])
    f.add(f"{op} of three, broadcast", op, function, [parts[0], parts[1][0], parts[2][1:2, :1]], batch=True)
    f.add(f"{op}, constant second", op, function, [parts[0], constant(parts[1])])
    f.add(f"{op} against a constant scalar", op, function, [parts[0], constant(0.05)], batch=True)
for op, function in EXTREMA.items():
    f.add(f"{op}, tied", op, function, [[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]], kink=True)

condition = n.uniform(0, 1, 4, 3) > 0.5
f.add("Where", "Where", torch.where, [condition, n.normal(4, 3), n.normal(4, 3)])
f.add("Where, broadcast values", "Where", torch.where, [condition, n.normal(3), n.normal(4, 1)])
f.add("Where, broadcast condition", "Where", torch.where, [condition[0], n.normal(4, 3), n.normal()])
f.add("Where, constant condition, batch", "Where", torch.where, [constant(condition[0]), n.normal(4, 3), constant(-1.0)], batch=[1])

x = n.apart(4, 3)
clip = lambda x, low=None, high=None: torch.clamp(x, low, high) if low is not None or high is not None else x * 1  # noqa: E731
f.add("Clip, no bounds", "Clip", clip, [x])
f.add("Clip, low", "Clip", clip, [x, constant(-0.33)], batch=True)
f.add("Clip, high", "Clip", clip, [x, None, constant(0.33)])
f.add("Clip, both", "Clip", clip, [x, constant(-0.33), constant(0.53)], batch=True)
f.add("Clip, bounds differentiated", "Clip", clip, [x, -0.33, 0.53])
f.add("Clip, high differentiated", "Clip", clip, [x, None, 0.53], batch=True)


def inclusive(x, low, high):
    """At a bound the gradient passes, as in PyTorch's clamp up to 2.13; 2.15 gives 0 for number bounds and 1/2 for tensors."""
    return torch.where((x >= low) & (x <= high), x, torch.clamp(x.detach(), low, high))


f.add("Clip at its bounds", "Clip", inclusive, [[-1.0, 0.0, 0.5, 1.0, 2.0], constant(0.0), constant(1.0)], kink=True)

UNARY = {
    "Neg": (torch.neg, n.normal),
    "Abs": (torch.abs, n.apart),
    "Reciprocal": (torch.reciprocal, n.apart),
    "Sqrt": (torch.sqrt, lambda *d: n.uniform(0.1, 4, *d)),
    "Exp": (torch.exp, n.normal),
    "Log": (torch.log, lambda *d: n.uniform(0.1, 4, *d)),
    "Erf": (torch.erf, lambda *d: n.uniform(-3, 3, *d)),
    "Sin": (torch.sin, lambda *d: n.uniform(-4, 4, *d)),
    "Cos": (torch.cos, lambda *d: n.uniform(-4, 4, *d)),
    "Tan": (torch.tan, lambda *d: n.uniform(-1.2, 1.2, *d)),
    "Asin": (torch.asin, lambda *d: n.uniform(-0.9, 0.9, *d)),
    "Acos": (torch.acos, lambda *d: n.uniform(-0.9, 0.9, *d)),
    "Atan": (torch.atan, lambda *d: n.uniform(-4, 4, *d)),
    "Sinh": (torch.sinh, lambda *d: n.uniform(-3, 3, *d)),
    "Cosh": (torch.cosh, lambda *d: n.uniform(-3, 3, *d)),
    "Asinh": (torch.asinh, lambda *d: n.uniform(-4, 4, *d)),
    "Acosh": (torch.acosh, lambda *d: n.uniform(1.2, 4, *d)),
    "Atanh": (torch.atanh, lambda *d: n.uniform(-0.9, 0.9, *d)),
}
for op, (function, draw) in UNARY.items():
    f.add(op, op, function, [draw(4, 7)], batch=True)
f.add("Exp of a scalar", "Exp", torch.exp, [n.normal()])
f.add("Abs at its kink", "Abs", torch.abs, [[0.0, -1.0, 2.0]], kink=True)
f.add("Clip, low above high", "Clip", clip, [n.apart(4, 3), 0.53, -0.33], batch=True)

f.write()
