"""Derivative cases of matrix products."""

import torch
from casefile import CaseFile, Float, Numbers, constant

n = Numbers(13)
f = CaseFile("matrix")


def matmul(name, a, b, batch=None, fixed=None):
    inputs = [n.normal(*a), n.normal(*b)]
    if fixed is not None:
        inputs[fixed] = constant(inputs[fixed])
    f.add(name, "MatMul", torch.matmul, inputs, batch=batch)


matmul("MatMul 2-D", [4, 3], [3, 5], batch=True)
matmul("MatMul 2-D, constant right", [4, 3], [3, 5], batch=True, fixed=1)
matmul("MatMul 2-D, constant left", [4, 3], [3, 5], fixed=0)
matmul("MatMul vector vector", [4], [4])
matmul("MatMul vector matrix", [3], [3, 4])
matmul("MatMul vector batch", [3], [2, 3, 4], batch=[1])
matmul("MatMul matrix vector", [4, 3], [3], batch=True)
matmul("MatMul batch vector", [2, 5, 4, 3], [3], batch=True)
matmul("MatMul batch constant vector", [2, 4, 3], [3], batch=True, fixed=1)
matmul("MatMul batch matrix", [3, 4, 2], [2, 5], batch=True)
matmul("MatMul batch constant matrix", [3, 4, 2], [2, 5], batch=True, fixed=1)
matmul("MatMul matrix batch", [4, 3], [2, 3, 5], batch=[1])
matmul("MatMul constant matrix batch", [4, 3], [2, 3, 5], batch=[1], fixed=0)
matmul("MatMul batch batch", [3, 2, 4, 2], [3, 2, 2, 3], batch=[0, 1])
matmul("MatMul broadcast batches", [3, 1, 4, 2], [2, 2, 3], batch=True)
matmul("MatMul broadcast both", [2, 1, 2, 3], [1, 4, 3, 2])
matmul("MatMul constant batch", [3, 2, 4, 3], [2, 3, 2], batch=True, fixed=1)
matmul("MatMul columns and rows", [3, 4, 1], [3, 1, 5], batch=[0, 1])


def gemm(name, a, b, c=None, trans=(0, 0), alpha=1.0, beta=1.0, fixed=False, batch=None):
    attrs = {"transA": trans[0], "transB": trans[1], "alpha": Float(alpha), "beta": Float(beta)}

    def function(a, b, c=None):
        y = alpha * (a.T if trans[0] else a) @ (b.T if trans[1] else b)
        return y if c is None else y + beta * c

    weights = n.normal(*b)
    inputs = [n.normal(*a), constant(weights) if fixed else weights]
    if c is not None:
        inputs.append(n.normal(*c))
    f.add(name, "Gemm", function, inputs, attrs, batch=batch)


for ta in (0, 1):
    for tb in (0, 1):
        a, b = ([3, 4] if ta else [4, 3]), ([5, 3] if tb else [3, 5])
        gemm(f"Gemm transA {ta} transB {tb}", a, b, [5], (ta, tb), 0.5, 2.0, batch=None if ta else True)
        gemm(f"Gemm transA {ta} transB {tb}, no bias, constant right", a, b, None, (ta, tb), fixed=True)
for c in ([], [1], [5], [1, 5], [4, 1], [4, 5]):
    gemm(f"Gemm bias {c}", [4, 3], [3, 5], c, beta=0.25, batch=True if c in ([], [1], [5], [1, 5]) else None)


def einsum(name, equation, *shapes, batch=None):
    f.add(name, "Einsum", lambda *xs: torch.einsum(equation, *xs), [n.normal(*s) for s in shapes], {"equation": equation}, batch=batch)


einsum("Einsum batched product", "bij,bjk->bik", [2, 3, 4], [2, 4, 2], batch=[0, 1])
einsum("Einsum attention scores", "bhqd,bhkd->bhqk", [2, 2, 3, 2], [2, 2, 4, 2], batch=[0, 1])
einsum("Einsum graph convolution", "nctv,vw->nctw", [2, 2, 3, 4], [4, 4], batch=True)
einsum("Einsum implicit output", "ij,jk", [3, 4], [4, 2])
einsum("Einsum permutation", "abc->cab", [2, 3, 4], batch=None)
einsum("Einsum sum over a label of one operand", "ijk,jl->il", [3, 4, 2], [4, 3], batch=True)
einsum("Einsum total", "ij->", [3, 4], batch=True)
einsum("Einsum three operands", "ab,bc,cd->ad", [3, 2], [2, 4], [4, 3], batch=True)
einsum("Einsum outer product", "i,j->ij", [3], [4])
einsum("Einsum ellipsis", "...ij,...jk->...ik", [2, 3, 4, 2], [2, 3, 2, 5], batch=[0, 1])
einsum("Einsum ellipsis in one operand", "...ij,jk->...ik", [2, 3, 4, 2], [2, 5], batch=True)
einsum("Einsum ellipsis of no axes", "...ij,jk->...ik", [3, 2], [2, 4])
einsum("Einsum ellipsis in the middle", "b...c,dc->b...d", [2, 3, 2, 4], [5, 4], batch=True)
einsum("Einsum ellipsis, implicit output", "...j,jk", [2, 3, 4], [4, 2])
einsum("Einsum diagonal of two", "ii->i", [4, 4])
einsum("Einsum trace", "bii->b", [2, 3, 3], batch=True)
einsum("Einsum diagonal of three", "iii->i", [3, 3, 3])
einsum("Einsum diagonal times vector", "bii,i->bi", [2, 3, 3], [3], batch=True)
einsum("Einsum diagonal among others", "biij,jk->bik", [2, 3, 3, 4], [4, 2], batch=True)
einsum("Einsum summed label broadcast in the other operand", "ij,ij->i", [2, 3], [2, 1], batch=[0, 1])
einsum("Einsum ellipsis, summed label broadcast", "...i,i->...", [2, 3], [1], batch=True)

f.write()
