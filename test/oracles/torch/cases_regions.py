"""Derivative cases of pooled regions and deformable convolution, with torchvision's operators as the truth."""

import numpy as np
import torch
import torchvision
from casefile import CaseFile, Float, Input, Numbers, constant

n = Numbers(28)
f = CaseFile("regions")
boxes = np.array([[0.3, 0.7, 4.2, 5.1], [2.1, 1.2, 6.9, 3.3], [-1.5, -2.2, 9.4, 8.8], [5.2, 5.3, 5.7, 5.6]])
owners = np.array([0, 1, 1, 0], dtype=np.int64)


def align(name, out, ratio, half_pixel=True, scale=1.0, fed=False):
    attrs = {
        "output_height": out[0],
        "output_width": out[1],
        "sampling_ratio": ratio,
        "spatial_scale": Float(scale),
        "coordinate_transformation_mode": "half_pixel" if half_pixel else "output_half_pixel",
    }

    def function(x, boxes, owners):
        rois = torch.cat([owners.to(boxes.dtype).unsqueeze(1), boxes], 1)
        return torchvision.ops.roi_align(x, rois, out, scale, ratio if ratio else -1, half_pixel)

    given = boxes / scale
    f.add(name, "RoiAlign", function, [n.normal(2, 2, 6, 7), given if fed else constant(given), Input(owners)], attrs, wrt=[0])


for half_pixel in (True, False):
    for ratio in (0, 2):
        align(f"RoiAlign, half_pixel {half_pixel}, sampling_ratio {ratio}", [2, 3], ratio, half_pixel)
align("RoiAlign, scale", [3, 2], 0, scale=0.5)
align("RoiAlign, boxes from the data", [2, 2], 0, fed=True)


def roi_pool(name, out, scale=1.0):
    rois = np.concatenate([owners[:, None], np.abs(boxes) / scale], 1)

    def function(x, rois):
        return torchvision.ops.roi_pool(x, rois, out, scale)

    f.add(name, "MaxRoiPool", function, [n.apart(2, 2, 9, 10), constant(rois)], {"pooled_shape": out, "spatial_scale": Float(scale)})


roi_pool("MaxRoiPool", [2, 3])
roi_pool("MaxRoiPool, scale", [3, 2], 0.5)


def deform(name, x, w, out, parts=1, mask=False, bias=True, stride=1, pad=0, dilation=1, groups=1):
    taps = w[2] * w[3]
    inputs = [n.normal(*x), n.normal(*w), n.uniform(-1.4, 1.4, x[0], 2 * parts * taps, *out), n.normal(w[0]) if bias else None]
    inputs.append(n.uniform(0.2, 1.5, x[0], parts * taps, *out) if mask else None)
    while inputs[-1] is None:
        inputs.pop()
    attrs = {
        "kernel_shape": w[2:],
        "strides": [stride] * 2,
        "pads": [pad] * 4,
        "dilations": [dilation] * 2,
        "group": groups,
        "offset_group": parts,
    }

    def function(x, w, o, b=None, m=None):
        return torchvision.ops.deform_conv2d(x, o, w, b, stride, pad, dilation, m)

    f.add(name, "DeformConv", function, inputs, attrs, opset=19)


deform("DeformConv", [2, 2, 4, 5], [3, 2, 2, 2], [3, 4])
deform("DeformConv, mask, padding, stride", [1, 2, 5, 5], [2, 2, 3, 3], [3, 3], mask=True, stride=2, pad=1)
deform("DeformConv, groups", [1, 4, 4, 4], [4, 2, 2, 2], [3, 3], parts=2, mask=True, bias=False, groups=2)
deform("DeformConv, dilation", [1, 2, 5, 5], [2, 2, 2, 2], [3, 3], dilation=2, bias=False)

f.write()
