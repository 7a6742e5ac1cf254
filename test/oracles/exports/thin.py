"""Library nets whose constructors have no width argument, made narrow: every convolution, normalisation and linear layer rebuilt at mapped widths."""

import torch
from torch import nn


def thinned(module, width):
    """The module with every width w replaced by width(w); the same w always becomes the same, so residual sums still fit."""
    for name, child in module.named_children():
        if isinstance(child, (nn.Conv2d, nn.Conv3d)):
            # torchvision's video convolutions are subclasses with constructors of their own
            kind = nn.Conv3d if isinstance(child, nn.Conv3d) else nn.Conv2d
            groups = 1 if child.groups == 1 else width(child.groups)
            made = kind(
                width(child.in_channels), width(child.out_channels), child.kernel_size, child.stride, child.padding, child.dilation, groups, child.bias is not None
            )
            setattr(module, name, made)
        elif isinstance(child, torch.nn.modules.batchnorm._BatchNorm):
            setattr(module, name, type(child)(width(child.num_features), child.eps))
        elif isinstance(child, nn.Linear):
            setattr(module, name, nn.Linear(width(child.in_features), child.out_features, child.bias is not None))
        else:
            thinned(child, width)
    return module


def by(factor):
    """Widths divided by a factor; the colour channels stay."""
    return lambda w: w if w <= 4 else max(1, round(w / factor))
