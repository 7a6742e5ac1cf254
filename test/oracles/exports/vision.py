"""Images as torchvision defines nets for them, small, with random weights: python vision.py [NAME...] (torch 2.15.0, torchvision 0.29.2)"""

import torch
import torchvision
from torch import nn
from torch.nn import functional as F
from torchvision import models
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.efficientnet import EfficientNet, FusedMBConvConfig, MBConvConfig
from torchvision.models.maxvit import MaxVit
from torchvision.models.mobilenetv3 import InvertedResidualConfig, MobileNetV3
from torchvision.models.regnet import BlockParams, RegNet
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet
from torchvision.models.swin_transformer import PatchMergingV2, SwinTransformer, SwinTransformerBlockV2

from common import Input
from thin import by, thinned
from torch_side import Net, main

CLASSES = 7
# scaled_dot_product_attention needs opset 14 of the older exporter
ATTENTION = (("dynamo", 18, "dynamic"), ("dynamo", 21, 1), ("torchscript", 14, "dynamic"), ("torchscript", 17, 1))
# of larger nets two files
TWO = (("dynamo", 18, "dynamic"), ("torchscript", 17, 1))
# other opsets than the default ones, and a fixed batch that is not 1
OLD = (("dynamo", 20, "dynamic"), ("dynamo", 18, 4), ("torchscript", 11, "dynamic"), ("torchscript", 16, 1))


def image(size):
    return [Input("image", (3, size, size))]


def mobilenet_v3():
    row = lambda *a: InvertedResidualConfig(*a, 1, 1.0)  # noqa: E731
    rows = [row(8, 3, 8, 8, True, "RE", 2), row(8, 5, 24, 12, False, "RE", 2), row(12, 5, 32, 16, True, "HS", 2), row(16, 5, 40, 16, True, "HS", 1)]
    return MobileNetV3(rows, 48, CLASSES)


def efficientnet():
    rows = [
        FusedMBConvConfig(2, 3, 1, 8, 8, 1),
        MBConvConfig(4, 3, 2, 8, 12, 2),
        MBConvConfig(4, 5, 2, 12, 16, 1),
    ]
    return EfficientNet(rows, 0.2, num_classes=CLASSES, last_channel=48)


def regnet():
    return RegNet(BlockParams.from_init_params(4, 16, 12.0, 2.0, 8, se_ratio=0.25), num_classes=CLASSES)


def convnext():
    return ConvNeXt([CNBlockConfig(12, 24, 1), CNBlockConfig(24, 32, 2), CNBlockConfig(32, None, 1)], num_classes=CLASSES)


def swin(width=16, **options):
    return SwinTransformer([4, 4], width, [2, 2], [2, 4], [4, 4], mlp_ratio=2, num_classes=CLASSES, **options)


class VggFace(nn.Module):
    """The face descriptor of the deep-face era: pairs of convolutions, ceil-mode pools, local response normalisation, wide fully connected layers."""

    def __init__(self):
        super().__init__()
        pair = lambda a, b: [nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.Conv2d(b, b, 3, padding=1), nn.ReLU()]  # noqa: E731
        self.features = nn.Sequential(
            *pair(3, 8), nn.MaxPool2d(2, 2, ceil_mode=True), nn.LocalResponseNorm(5), *pair(8, 16), nn.MaxPool2d(3, 2, ceil_mode=True), *pair(16, 24), nn.AvgPool2d(4, 3, 1, ceil_mode=True, count_include_pad=False)
        )
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(24 * 16, 48), nn.ReLU(True), nn.Dropout(), nn.Linear(48, CLASSES))

    def forward(self, x):
        return self.head(self.features(x * 255 - torch.tensor([129.2, 104.8, 93.6]).to(x).view(1, 3, 1, 1)))


class Residual(nn.Module):
    """A block of the improved residual face nets: normalisation first, PReLU between, squeeze and excitation."""

    def __init__(self, a, b, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(a), nn.Conv2d(a, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b), nn.PReLU(b), nn.Conv2d(b, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b)
        )
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(b, b // 4, 1), nn.PReLU(b // 4), nn.Conv2d(b // 4, b, 1), nn.Sigmoid())
        self.short = nn.MaxPool2d(1, stride) if a == b else nn.Sequential(nn.Conv2d(a, b, 1, stride, bias=False), nn.BatchNorm2d(b))

    def forward(self, x):
        y = self.body(x)
        return self.short(x) + y * self.gate(y)


class ArcFace(nn.Module):
    """Embedding of unit length, logits as scaled cosines."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8), nn.PReLU(8))
        self.blocks = nn.Sequential(Residual(8, 8, 2), Residual(8, 16, 2), Residual(16, 16, 1), Residual(16, 24, 2))
        self.embed = nn.Sequential(nn.BatchNorm2d(24), nn.Dropout(), nn.Flatten(), nn.Linear(24 * 16, 32), nn.BatchNorm1d(32))
        self.weight = nn.Parameter(torch.randn(CLASSES, 32))

    def forward(self, x):
        return 16 * F.linear(F.normalize(self.embed(self.blocks(self.stem(x * 2 - 1)))), F.normalize(self.weight))


nets = [
    Net("resnet", lambda: thinned(ResNet(BasicBlock, [1, 1, 1, 1], num_classes=CLASSES), by(16)), image(32), more={"unit": True}),
    Net("resnext", lambda: thinned(ResNet(Bottleneck, [1, 1, 1, 1], CLASSES, groups=32, width_per_group=4), by(32)), image(32), OLD),
    Net("mobilenet-v2", lambda: thinned(models.MobileNetV2(CLASSES, 1.0, [[1, 16, 1, 1], [4, 32, 2, 2], [4, 48, 2, 2]]), by(8)), image(32)),
    Net("mobilenet-v3", mobilenet_v3, image(32), more={"unit": True}),
    Net("efficientnet", efficientnet, image(32)),
    Net("regnet", regnet, image(32), TWO),
    Net("convnext", convnext, image(32)),
    Net("vit", lambda: models.VisionTransformer(32, 8, 2, 2, 32, 48, num_classes=CLASSES), image(32), ATTENTION, more={"unit": True}),
    Net("swin", swin, image(32), more={"unit": True}),
    Net("swin-v2", lambda: swin(8, block=SwinTransformerBlockV2, downsample_layer=PatchMergingV2), image(32)),
    Net("maxvit", lambda: MaxVit((32, 32), 8, 4, [8, 16], [1, 1], 8, 0.0, num_classes=CLASSES), image(32)),
    Net("densenet", lambda: models.DenseNet(6, (2, 2, 2), 12, num_classes=CLASSES), image(32)),
    Net("shufflenet", lambda: models.ShuffleNetV2([1, 2, 1], [8, 16, 24, 32, 40], CLASSES), image(32)),
    Net("inception", lambda: thinned(models.Inception3(CLASSES, aux_logits=False, init_weights=False), by(16)), image(75), TWO),
    Net("vgg-face", VggFace, image(37)),
    Net("arcface", ArcFace, image(32), TWO),
]

if __name__ == "__main__":
    main("vision", nets, {"torchvision": torchvision.__version__})
