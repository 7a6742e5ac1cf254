"""Derivative cases of attention. Y is PyTorch's own scaled_dot_product_attention wherever it has the variant (no cap, no exposed scores)."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from casefile import CaseFile, Float, Input, Numbers, constant

n = Numbers(23)
f = CaseFile("attention")


def attention(name, q, k, v, heads=None, mask=None, past=None, valid=None, causal=False, scale=None, cap=0.0, mode=None, opset=23, batch=None, presents=False):
    """q, k, v: shapes; heads: (query heads, key heads) of three-dimensional ones; mask: an array or Input; mode: expose the scores."""
    attrs = {"is_causal": int(causal)}
    if heads:
        attrs |= {"q_num_heads": heads[0], "kv_num_heads": heads[1]}
    if scale is not None:
        attrs["scale"] = Float(scale)
        scale = float(np.float32(scale))
    if cap:
        attrs["softcap"] = Float(cap)
        cap = float(np.float32(cap))
    if mode is not None:
        attrs["qk_matmul_output_mode"] = mode

    def split(t, h):
        return t if heads is None else t.reshape(t.shape[0], t.shape[1], h, -1).transpose(1, 2)

    def function(q, k, v, mask=None, past_k=None, past_v=None, valid=None):
        flat = q.ndim == 3
        q, k, v = split(q, heads and heads[0]), split(k, heads and heads[1]), split(v, heads and heads[1])
        if past_k is not None:
            k, v = torch.cat([past_k, k], 2), torch.cat([past_v, v], 2)
        present = (k, v)
        shared = q.shape[1] // k.shape[1]
        k, v = k.repeat_interleave(shared, 1), v.repeat_interleave(shared, 1)
        allowed = torch.ones(q.shape[0], 1, q.shape[2], k.shape[2], dtype=torch.bool)
        i, j = torch.arange(q.shape[2]).reshape(-1, 1), torch.arange(k.shape[2])
        if causal:
            before = past_k.shape[2] if past_k is not None else 0 if valid is None else (valid - q.shape[2]).reshape(-1, 1, 1, 1)
            allowed = allowed & (j <= i + before)
        if valid is not None:
            allowed = allowed & (j < valid.reshape(-1, 1, 1, 1))
        if mask is not None and mask.dtype == torch.bool:
            allowed = allowed & mask
        bias = torch.zeros(1, dtype=q.dtype) if mask is None or mask.dtype == torch.bool else mask
        bias = torch.where(allowed, bias, -torch.inf)
        s = scale or 1 / math.sqrt(q.shape[-1])
        scores = s * q @ k.transpose(-1, -2)
        capped = cap * torch.tanh(scores / cap) if cap else scores
        empty = ~allowed.any(-1, keepdim=True)
        p = torch.softmax(torch.where(empty, 0.0, capped + bias), -1).masked_fill(empty, 0.0)
        if cap or mode is not None or bool(empty.any()):
            y = p @ v
        else:
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.expand(q.shape[0], q.shape[1], q.shape[2], k.shape[2]), scale=s)
        if flat:
            y = y.transpose(1, 2).flatten(2)
        exposed = None if mode is None else (scores, capped, capped + bias, p)[mode]
        return [y, *(present if presents else (None, None)), exposed][: 4 if mode is not None else 3 if presents else 1]

    inputs = [n.normal(*q), n.normal(*k), n.normal(*v), mask]
    if past is not None:
        inputs += [n.normal(q[0], k[1] if heads is None else heads[1], past, (k[-1] // (heads[1] if heads else 1)))]
        inputs += [n.normal(q[0], v[1] if heads is None else heads[1], past, (v[-1] // (heads[1] if heads else 1)))]
    if valid is not None:
        inputs += [None, None, Input(np.array(valid, dtype=np.int64))]
    while inputs[-1] is None:
        inputs.pop()
    f.add(name, "Attention", function, inputs, attrs, opset=opset, batch=batch)


def boolean(*shape):
    mask = n.uniform(0, 1, *shape) < 0.6
    mask[..., 0] = True
    return mask


attention("Attention", [3, 2, 4, 5], [3, 2, 6, 5], [3, 2, 6, 3], batch=[0, 1, 2])
attention("Attention, three axes", [2, 4, 6], [2, 5, 6], [2, 5, 4], heads=(2, 2), batch=[0, 1, 2])
attention("Attention causal", [2, 2, 4, 3], [2, 2, 4, 3], [2, 2, 4, 3], causal=True, batch=[0, 1, 2])
attention("Attention causal, more keys than queries", [2, 2, 3, 3], [2, 2, 5, 3], [2, 2, 5, 3], causal=True)
attention("Attention scale", [2, 1, 3, 4], [2, 1, 4, 4], [2, 1, 4, 2], scale=0.875)
attention("Attention boolean mask", [2, 2, 3, 4], [2, 2, 5, 4], [2, 2, 5, 4], mask=boolean(3, 5))
attention("Attention boolean mask with an empty row", [1, 1, 2, 4], [1, 1, 2, 4], [1, 1, 2, 4], mask=np.array([[True, False], [False, False]]))
attention("Attention boolean mask per sample, causal", [2, 2, 3, 4], [2, 2, 3, 4], [2, 2, 3, 4], mask=boolean(2, 1, 3, 3), causal=True)
attention("Attention additive mask", [2, 2, 3, 4], [2, 2, 5, 4], [2, 2, 5, 4], mask=n.normal(3, 5))
attention("Attention additive mask per head", [2, 4, 3, 4], [2, 2, 5, 4], [2, 2, 5, 4], mask=n.normal(4, 3, 5))
attention("Attention additive mask per sample", [2, 2, 3, 4], [2, 2, 5, 4], [2, 2, 5, 4], mask=n.normal(2, 1, 3, 5), batch=[0, 1, 2, 3])
attention("Attention constant additive mask, causal", [2, 2, 3, 4], [2, 2, 3, 4], [2, 2, 3, 4], mask=constant(n.normal(2, 1, 3, 3)), causal=True)
attention("Attention grouped queries", [2, 6, 3, 4], [2, 2, 5, 4], [2, 2, 5, 3], batch=[0, 1, 2])
attention("Attention grouped queries, three axes, causal", [2, 4, 12], [2, 4, 6], [2, 4, 4], heads=(4, 2), causal=True, batch=[0, 1, 2])
attention("Attention multi-query", [2, 3, 4, 4], [2, 1, 4, 4], [2, 1, 4, 4], mask=boolean(4, 4))
attention("Attention cap", [2, 2, 3, 4], [2, 2, 4, 4], [2, 2, 4, 4], cap=1.5)
attention("Attention cap, grouped, causal, mask", [2, 4, 3, 4], [2, 2, 3, 4], [2, 2, 3, 4], cap=2.0, causal=True, mask=n.normal(3, 3))
attention("Attention past", [2, 2, 3, 4], [2, 2, 3, 4], [2, 2, 3, 3], past=2, presents=True)
attention("Attention past, causal", [2, 2, 3, 4], [2, 2, 3, 4], [2, 2, 3, 3], past=2, causal=True, presents=True)
attention("Attention past, grouped, three axes, causal", [2, 3, 8], [2, 3, 4], [2, 3, 4], heads=(4, 2), past=3, causal=True, presents=True)
for mode, what in enumerate(["scores", "capped scores", "masked scores", "probabilities"]):
    attention(f"Attention exposes {what}", [2, 4, 3, 4], [2, 2, 4, 4], [2, 2, 4, 4], cap=1.0, mask=n.normal(3, 4), mode=mode, opset=24)
attention("Attention valid keys", [2, 2, 3, 4], [2, 2, 5, 4], [2, 2, 5, 4], valid=[3, 5], opset=24)
attention("Attention valid keys, causal", [2, 2, 3, 4], [2, 2, 5, 4], [2, 2, 5, 4], valid=[4, 5], causal=True, opset=24)


def rotary(name, x, heads=None, interleaved=0, turned=0, positions=None, batch=None):
    flat = len(x) == 3
    width = x[2] // heads if flat else x[3]
    count = x[1] if flat else x[2]
    used = turned or width
    attrs = {"interleaved": interleaved, "rotary_embedding_dim": turned} | ({"num_heads": heads} if flat or turned else {})
    table = [7, used // 2] if positions is not None else [x[0], count, used // 2]
    angles = n.uniform(-3, 3, *table)
    inputs = [n.normal(*x), constant(np.cos(angles)), constant(np.sin(angles))]
    if positions is not None:
        inputs.append(constant(np.array(positions, dtype=np.int64)))

    def function(x, cos, sin, positions=None):
        t = x.reshape(x.shape[0], x.shape[1], heads, width) if flat else x.transpose(1, 2)
        if positions is not None:
            cos, sin = cos[positions], sin[positions]
        cos, sin = cos.unsqueeze(2), sin.unsqueeze(2)
        a, b = (t[..., 0:used:2], t[..., 1:used:2]) if interleaved else (t[..., : used // 2], t[..., used // 2 : used])
        first, second = a * cos - b * sin, a * sin + b * cos
        y = torch.stack([first, second], -1).flatten(-2) if interleaved else torch.cat([first, second], -1)
        y = torch.cat([y, t[..., used:]], -1)
        return y.flatten(2) if flat else y.transpose(1, 2)

    f.add(name, "RotaryEmbedding", function, inputs, attrs, opset=23, batch=batch)


rotary("RotaryEmbedding", [2, 3, 4, 6], positions=[[0, 1, 2, 3], [3, 4, 5, 6]])
rotary("RotaryEmbedding interleaved", [2, 3, 4, 6], interleaved=1, positions=[[0, 1, 2, 3], [3, 4, 5, 6]])
rotary("RotaryEmbedding three axes", [2, 4, 12], heads=3, positions=[[0, 1, 2, 3], [3, 4, 5, 6]])
rotary("RotaryEmbedding in part", [2, 3, 4, 8], heads=3, turned=4, positions=[[0, 1, 2, 3], [3, 4, 5, 6]])
rotary("RotaryEmbedding, angles per sample", [2, 3, 4, 6])

f.write()
