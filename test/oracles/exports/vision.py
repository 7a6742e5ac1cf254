"""Images and video as torchvision and timm define them, small, with random weights: python vision.py [NAME...] (torch 2.15, torchvision 0.29, timm 1.0.31)"""

import timm
import torch
import torchvision
from torchvision.models.resnet import BasicBlock, ResNet

from common import Input
from torch_side import Net, main

image = lambda size: [Input("image", (3, size, size))]  # noqa: E731

nets = [
    Net("resnet", lambda: thin_resnet(), image(32), more={"unit": True}),
]


def thin_resnet():
    net = ResNet(BasicBlock, [1, 1, 1, 1], num_classes=7)
    widths = {64: 8, 128: 12, 256: 16, 512: 24, 3: 3}
    return thinned(net, widths)


def thinned(module, widths):
    """The same module with every convolution and normalisation rebuilt at other widths (by a map of the old widths)."""
    for name, child in module.named_children():
        if isinstance(child, (torch.nn.Conv2d, torch.nn.Conv3d)):
            groups = widths.get(child.groups, child.groups) if child.groups > 1 else 1
            kind = type(child)
            made = kind(widths[child.in_channels], widths[child.out_channels], child.kernel_size, child.stride, child.padding, child.dilation, groups, child.bias is not None, child.padding_mode)
            setattr(module, name, made)
        elif isinstance(child, torch.nn.modules.batchnorm._BatchNorm):
            setattr(module, name, type(child)(widths[child.num_features], child.eps))
        elif isinstance(child, torch.nn.Linear):
            setattr(module, name, torch.nn.Linear(widths.get(child.in_features, child.in_features), child.out_features))
        else:
            thinned(child, widths)
    return module


if __name__ == "__main__":
    main("vision", nets, {"torchvision": torchvision.__version__, "timm": timm.__version__})
