"""Clips: torchvision's and Hugging Face's video nets, and small ones of the kinds people write: python video.py [NAME...] (torch 2.15.0, torchvision 0.29.2, transformers 5.23.0)"""

import sys

import torch
import torchvision

# transformers imports torchaudio where it is installed, and a build for another CUDA refuses to load; nothing here needs it
sys.modules["torchaudio"] = None
import transformers  # noqa: E402
from torch import nn
from torch.nn import functional as F
from torchvision.models.video.mvit import MSBlockConfig, MViT
from torchvision.models.video.resnet import BasicBlock, BasicStem, Conv2Plus1D, Conv3DSimple, R2Plus1dStem, VideoResNet
from torchvision.models.video.s3d import S3D, SepInceptionBlock3D, TemporalSeparableConv
from torchvision.models.video.swin_transformer import SwinTransformer3d

from common import Input
from thin import by, thinned
from torch_side import Net, main

CLASSES = 5
TORCHSCRIPT14 = (("dynamo", 18, "dynamic"), ("dynamo", 21, 1), ("torchscript", 14, "dynamic"), ("torchscript", 17, 1))


def clip(frames, size, name="clip"):
    """Channels first, then time."""
    return [Input(name, (3, frames, size, size))]


def frames(count, size):
    """Time first, then channels."""
    return [Input("frames", (count, 3, size, size))]


def video_resnet(block, conv, stem):
    return thinned(VideoResNet(block, [conv] * 4, [1, 1, 1, 1], stem, CLASSES), by(24))


class SmallS3D(nn.Module):
    """The beginning of torchvision's S3D with a head of its own."""

    def __init__(self):
        super().__init__()
        norm = nn.BatchNorm3d
        self.features = nn.Sequential(
            TemporalSeparableConv(3, 8, 5, 2, 2, norm),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            SepInceptionBlock3D(8, 4, 4, 6, 2, 4, 4, norm),
            nn.MaxPool3d((3, 3, 3), (2, 2, 2), (1, 1, 1)),
            SepInceptionBlock3D(18, 6, 4, 8, 2, 4, 4, norm),
        )
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Conv3d(22, CLASSES, 1))

    def forward(self, x):
        return self.head(F.adaptive_avg_pool3d(self.features(x), 1)).mean((2, 3, 4))


def mvit():
    blocks = [
        MSBlockConfig(1, 8, 16, [3, 3, 3], [3, 3, 3], [1, 1, 1], [1, 2, 2]),
        MSBlockConfig(2, 16, 24, [3, 3, 3], [3, 3, 3], [1, 2, 2], [1, 1, 1]),
    ]
    return MViT((32, 32), 4, blocks, residual_pool=True, residual_with_cls_embed=False, rel_pos_embed=True, proj_after_attn=True, num_classes=CLASSES)


def swin3d():
    return SwinTransformer3d([2, 4, 4], 12, [2, 1], [2, 2], [2, 4, 4], mlp_ratio=2, num_classes=CLASSES)


class C3D(nn.Module):
    def __init__(self):
        super().__init__()
        conv = lambda a, b: [nn.Conv3d(a, b, 3, padding=1), nn.ReLU()]  # noqa: E731
        self.features = nn.Sequential(
            *conv(3, 8), nn.MaxPool3d((1, 2, 2)), *conv(8, 12), nn.MaxPool3d(2), *conv(12, 16), nn.MaxPool3d(2, 2, (0, 1, 1))
        )
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(16 * 1 * 9, 24), nn.ReLU(), nn.Dropout(), nn.Linear(24, CLASSES))

    def forward(self, x):
        return self.head(self.features(x))


class Inception3d(nn.Module):
    """Four branches over a clip: 1, 1-3, 1-3 and pool-1, with pools padded as TensorFlow's SAME does."""

    def __init__(self, a, widths):
        super().__init__()
        unit = lambda i, o, k: nn.Sequential(nn.Conv3d(i, o, k, padding=k // 2, bias=False), nn.BatchNorm3d(o, eps=1e-3), nn.ReLU())  # noqa: E731
        w0, w1, w2, w3, w4, w5 = widths
        self.branches = nn.ModuleList(
            [unit(a, w0, 1), nn.Sequential(unit(a, w1, 1), unit(w1, w2, 3)), nn.Sequential(unit(a, w3, 1), unit(w3, w4, 3)), nn.Sequential(nn.MaxPool3d(3, 1, 1), unit(a, w5, 1))]
        )

    def forward(self, x):
        return torch.cat([b(x) for b in self.branches], 1)


class I3D(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv3d(3, 8, 3, bias=False), nn.BatchNorm3d(8), nn.ReLU())
        self.mixed = nn.Sequential(Inception3d(8, (4, 4, 6, 2, 3, 3)), Inception3d(16, (6, 4, 8, 2, 4, 4)))
        self.head = nn.Conv3d(22, CLASSES, 1)

    def same(self, x, kernel, stride):
        pads = []
        for size, k, s in reversed(list(zip(map(int, x.shape[2:]), kernel, stride))):
            total = max(k - s if size % s == 0 else k - size % s, 0)
            pads += [total // 2, total - total // 2]
        return F.pad(x, pads)

    def forward(self, x):
        x = F.pad(x, (0, 2, 0, 2, 0, 2))
        x = self.stem(x)
        x = F.max_pool3d(self.same(x, (1, 3, 3), (1, 2, 2)), (1, 3, 3), (1, 2, 2))
        x = self.mixed(x)
        x = F.avg_pool3d(x, (2, int(x.shape[3]), int(x.shape[4])), (1, 1, 1))
        return self.head(x).squeeze(4).squeeze(3).mean(2)


class X3DBlock(nn.Module):
    """Depthwise 3 x 3 x 3 between two pointwise convolutions, squeeze and excitation, swish."""

    def __init__(self, a, inner, b, stride):
        super().__init__()
        self.a = nn.Sequential(nn.Conv3d(a, inner, 1, bias=False), nn.BatchNorm3d(inner), nn.ReLU())
        self.b = nn.Sequential(nn.Conv3d(inner, inner, 3, (1, stride, stride), 1, groups=inner, bias=False), nn.BatchNorm3d(inner))
        self.gate = nn.Sequential(nn.AdaptiveAvgPool3d(1), nn.Conv3d(inner, 8, 1), nn.ReLU(), nn.Conv3d(8, inner, 1), nn.Sigmoid())
        self.c = nn.Sequential(nn.Conv3d(inner, b, 1, bias=False), nn.BatchNorm3d(b))
        self.short = nn.Sequential(nn.Conv3d(a, b, 1, (1, stride, stride), bias=False), nn.BatchNorm3d(b)) if a != b else nn.Identity()

    def forward(self, x):
        y = self.b(self.a(x))
        return F.relu(self.short(x) + self.c(F.silu(y * self.gate(y))))


class X3D(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv3d(3, 8, (1, 3, 3), (1, 2, 2), (0, 1, 1), bias=False), nn.Conv3d(8, 8, (5, 1, 1), padding=(2, 0, 0), groups=8, bias=False), nn.BatchNorm3d(8), nn.ReLU())
        self.blocks = nn.Sequential(X3DBlock(8, 16, 12, 2), X3DBlock(12, 24, 12, 1))
        self.head = nn.Sequential(nn.Conv3d(12, 24, 1, bias=False), nn.BatchNorm3d(24), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Conv3d(24, 32, 1), nn.ReLU())
        self.classes = nn.Linear(32, CLASSES)

    def forward(self, x):
        x = self.head(self.blocks(self.stem(x))).permute(0, 2, 3, 4, 1)
        return self.classes(x).mean((1, 2, 3))


class Shifted(nn.Module):
    """A 2-D residual block behind the temporal shift: an eighth of the channels comes from the next frame, an eighth from the one before."""

    def __init__(self, block, count, in_place):
        super().__init__()
        self.block, self.count, self.in_place = block, count, in_place

    def shift(self, x):
        x = x.reshape(-1, self.count, *x.shape[1:])
        fold = x.shape[2] // 8
        if self.in_place:
            y = torch.zeros_like(x)
            y[:, :-1, :fold] = x[:, 1:, :fold]
            y[:, 1:, fold : 2 * fold] = x[:, :-1, fold : 2 * fold]
            y[:, :, 2 * fold :] = x[:, :, 2 * fold :]
        else:
            none = torch.zeros_like(x[:, :1, :fold])
            forward = torch.cat([x[:, 1:, :fold], none], 1)
            back = torch.cat([none, x[:, :-1, fold : 2 * fold]], 1)
            y = torch.cat([forward, back, x[:, :, 2 * fold :]], 2)
        return y.flatten(0, 1)

    def forward(self, x):
        return F.relu(x + self.block(self.shift(x)))


class TSM(nn.Module):
    def __init__(self, in_place):
        super().__init__()
        block = lambda w: nn.Sequential(nn.Conv2d(w, w, 3, padding=1, bias=False), nn.BatchNorm2d(w), nn.ReLU(), nn.Conv2d(w, w, 3, padding=1, bias=False), nn.BatchNorm2d(w))  # noqa: E731
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.blocks = nn.Sequential(Shifted(block(16), 4, in_place), nn.Conv2d(16, 24, 1, 2), Shifted(block(24), 4, in_place))
        self.head = nn.Linear(24, CLASSES)

    def forward(self, x):
        n, t, c, h, w = x.shape
        y = self.blocks(self.stem(x.view(n * t, c, h, w)))
        return self.head(y.mean((2, 3))).view(n, t, -1).mean(1)


# as many samples as frames: sizes alone do not tell the two apart
SQUARE = (("dynamo", 18, "dynamic"), ("dynamo", 21, 1), ("dynamo", 20, 4), ("torchscript", 13, "dynamic"), ("torchscript", 17, 1), ("torchscript", 16, 4))


class SlowFast(nn.Module):
    """Two pathways over one clip: every fourth frame with many channels, every frame with few, joined by a strided convolution over time."""

    def __init__(self):
        super().__init__()
        unit = lambda a, b, k, s, p: nn.Sequential(nn.Conv3d(a, b, k, s, p, bias=False), nn.BatchNorm3d(b), nn.ReLU())  # noqa: E731
        self.slow1, self.fast1 = unit(3, 16, (1, 5, 5), (1, 2, 2), (0, 2, 2)), unit(3, 4, (5, 5, 5), (1, 2, 2), 2)
        self.lateral = nn.Conv3d(4, 8, (5, 1, 1), (4, 1, 1), (2, 0, 0), bias=False)
        self.slow2, self.fast2 = unit(24, 24, (1, 3, 3), (1, 2, 2), (0, 1, 1)), unit(4, 8, 3, (1, 2, 2), 1)
        self.head = nn.Linear(32, CLASSES)

    def forward(self, x):
        fast = self.fast1(x)
        slow = self.slow1(x[:, :, ::4])
        slow = self.slow2(torch.cat([slow, self.lateral(fast)], 1))
        fast = self.fast2(fast)
        return self.head(torch.cat([slow.mean((2, 3, 4)), fast.mean((2, 3, 4))], 1))


class TwoStream(nn.Module):
    """One frame and a stack of optical flow, each through its own net, scores averaged."""

    def __init__(self):
        super().__init__()
        net = lambda a: nn.Sequential(nn.Conv2d(a, 12, 5, 2), nn.ReLU(), nn.LocalResponseNorm(5, k=2.0), nn.MaxPool2d(3, 2), nn.Conv2d(12, 16, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(16 * 9, CLASSES))  # noqa: E731
        self.rgb, self.flow = net(3), net(8)

    def forward(self, rgb, flow):
        return (F.softmax(self.rgb(rgb), 1) + 1.5 * F.softmax(self.flow(flow), 1)) / 2.5


class CnnLstm(nn.Module):
    """A frame net under a recurrent one, as emotion from video is often done."""

    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.AvgPool2d(4), nn.Flatten())
        self.lstm = nn.LSTM(32, 16, batch_first=True, bidirectional=True)
        self.score = nn.Linear(32, 1)
        self.head = nn.Linear(32, CLASSES)

    def forward(self, x):
        n, t = x.shape[:2]
        steps, _ = self.lstm(self.cnn(x.flatten(0, 1)).unflatten(0, (n, t)))
        return self.head((torch.softmax(self.score(steps), 1) * steps).sum(1))


class Logits(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, frames):
        return self.net(frames).logits


def videomae():
    config = transformers.VideoMAEConfig(image_size=16, patch_size=8, num_frames=4, tubelet_size=2, hidden_size=24, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, num_labels=CLASSES)
    return Logits(transformers.VideoMAEForVideoClassification(config))


def timesformer():
    config = transformers.TimesformerConfig(image_size=16, patch_size=8, num_frames=3, hidden_size=24, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, num_labels=CLASSES)
    return Logits(transformers.TimesformerForVideoClassification(config))


def vivit():
    config = transformers.VivitConfig(image_size=16, tubelet_size=[2, 8, 8], num_frames=4, hidden_size=24, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, num_labels=CLASSES)
    return Logits(transformers.VivitForVideoClassification(config))


flow = Input("flow", (8, 32, 32), -1.0, 1.0)
nets = [
    Net("r3d", lambda: video_resnet(BasicBlock, Conv3DSimple, BasicStem), clip(4, 24)),
    Net("r2plus1d", lambda: video_resnet(BasicBlock, Conv2Plus1D, R2Plus1dStem), clip(4, 24)),
    Net("s3d", SmallS3D, clip(8, 24)),
    Net("mvit", mvit, clip(4, 32), TORCHSCRIPT14),
    Net("swin3d", swin3d, clip(4, 32)),
    Net("c3d", C3D, clip(4, 16)),
    Net("i3d", I3D, clip(6, 16)),
    Net("x3d", X3D, clip(4, 16)),
    Net("tsm", lambda: TSM(False), frames(4, 24), SQUARE, more={"unit": True}),
    Net("tsm-in-place", lambda: TSM(True), frames(4, 24), SQUARE),
    Net("slowfast", SlowFast, clip(8, 16)),
    Net("two-stream", TwoStream, [Input("rgb", (3, 32, 32)), flow]),
    Net("cnn-lstm", CnnLstm, frames(5, 16)),
    Net("videomae", videomae, frames(4, 16), TORCHSCRIPT14),
    Net("timesformer", timesformer, frames(3, 16), TORCHSCRIPT14),
    Net("vivit", vivit, frames(4, 16), TORCHSCRIPT14),
]

if __name__ == "__main__":
    main("video", nets, {"torchvision": torchvision.__version__, "transformers": transformers.__version__})
