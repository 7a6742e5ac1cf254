"""Nets on brain, heart and skin signals, and on several of them with video. Written from the papers, at small sizes."""

import torch
from torch import nn
from torch.nn import functional as F

from common import Input
from torch_side import Net, main


class EegNet(nn.Module):
    """Temporal, depthwise spatial and separable convolutions with ELU and average pools (Lawhern et al. 2018)."""

    def __init__(self):
        super().__init__()
        self.temporal = nn.Sequential(nn.Conv2d(1, 4, (1, 16), padding="same", bias=False), nn.BatchNorm2d(4))
        self.spatial = nn.Sequential(nn.Conv2d(4, 8, (8, 1), groups=4, bias=False), nn.BatchNorm2d(8), nn.ELU(), nn.AvgPool2d((1, 4)), nn.Dropout(0.5))
        self.separable = nn.Sequential(
            nn.Conv2d(8, 8, (1, 8), padding="same", groups=8, bias=False), nn.Conv2d(8, 8, 1, bias=False), nn.BatchNorm2d(8), nn.ELU(), nn.AvgPool2d((1, 4)), nn.Dropout(0.5)
        )
        self.head = nn.Linear(8 * 4, 3)

    def forward(self, x):
        return self.head(self.separable(self.spatial(self.temporal(x.unsqueeze(1)))).flatten(1))


class DeepConvNet(nn.Module):
    """Convolutions over time and sensors with max-pools and ELU (Schirrmeister et al. 2017)."""

    def __init__(self):
        super().__init__()
        block = lambda a, b: nn.Sequential(nn.Dropout(0.5), nn.Conv2d(a, b, (1, 5), bias=False), nn.BatchNorm2d(b), nn.ELU(), nn.MaxPool2d((1, 2)))
        self.net = nn.Sequential(
            nn.Conv2d(1, 6, (1, 5)), nn.Conv2d(6, 6, (8, 1), bias=False), nn.BatchNorm2d(6), nn.ELU(), nn.MaxPool2d((1, 2)), block(6, 8), block(8, 10), nn.Conv2d(10, 3, (1, 4))
        )

    def forward(self, x):
        return self.net(x[:, None])[:, :, 0, 0]


class ShallowConvNet(nn.Module):
    """Squares, mean over windows, logarithm (Schirrmeister et al. 2017)."""

    def __init__(self):
        super().__init__()
        self.time = nn.Conv2d(1, 6, (9, 1))
        self.space = nn.Conv2d(6, 6, (1, 8), bias=False)
        self.bn = nn.BatchNorm2d(6)
        self.head = nn.Conv2d(6, 3, (6, 1))

    def forward(self, x):
        y = self.bn(self.space(self.time(x[:, :, :, None].permute(0, 3, 2, 1))))
        y = torch.log(torch.clamp(F.avg_pool2d(y * y, (12, 1), (8, 1)), min=1e-6))
        return torch.squeeze(torch.squeeze(self.head(y[:, :, :6]), 3), 2)


class EegConformer(nn.Module):
    """Convolutional patches, a transformer over them (Song et al. 2023)."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Sequential(nn.Conv2d(1, 8, (1, 9)), nn.Conv2d(8, 8, (8, 1)), nn.BatchNorm2d(8), nn.ELU(), nn.AvgPool2d((1, 12), (1, 8)), nn.Conv2d(8, 8, 1))
        self.qkv = nn.Linear(8, 24)
        self.out = nn.Linear(8, 8)
        self.norm = nn.LayerNorm(8)
        self.mlp = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        y = self.patches(x[:, None]).squeeze(2).transpose(1, 2)
        n, t, c = y.shape
        q, k, v = self.qkv(self.norm(y)).reshape(n, t, 3, 2, 4).permute(2, 0, 3, 1, 4)
        energy = torch.einsum("bhqd,bhkd->bhqk", q, k)
        z = torch.einsum("bhal,bhlv->bhav", F.softmax(energy / 8**0.5, dim=-1), v)
        y = y + self.out(z.transpose(1, 2).reshape(n, t, c))
        return self.head((y + self.mlp(y)).mean(1))


class Dgcnn(nn.Module):
    """Chebyshev graph convolution over electrodes with a learned adjacency, on band features [N, electrodes, bands] (Song et al. 2018)."""

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.rand(10, 10))
        self.bn = nn.BatchNorm1d(5)
        self.weights = nn.ParameterList(nn.Parameter(torch.randn(5, 8) * 0.4) for _ in range(3))
        self.head = nn.Sequential(nn.Linear(80, 16), nn.ReLU(), nn.Linear(16, 3))

    def forward(self, x):
        x = self.bn(x.transpose(1, 2)).transpose(1, 2)
        a = F.relu(self.a)
        d = torch.diag_embed(1 / torch.sqrt(a.sum(1) + 1e-10))
        laplacian = d @ a @ d
        powers = [torch.eye(10, dtype=x.dtype), laplacian, laplacian @ laplacian]
        y = F.relu(sum(p @ x @ w for p, w in zip(powers, self.weights)))
        return self.head(y.reshape(x.shape[0], -1))


class Tsception(nn.Module):
    """Temporal kernels of three lengths, then whole-head and hemisphere kernels, powers pooled (Ding et al. 2022)."""

    def __init__(self):
        super().__init__()
        branch = lambda k: nn.Sequential(nn.Conv2d(1, 4, (1, k)), nn.LeakyReLU(), nn.AvgPool2d((1, 4), (1, 4)))
        self.times = nn.ModuleList(branch(k) for k in (16, 8, 4))
        space = lambda h, s: nn.Sequential(nn.Conv2d(4, 4, (h, 1), (s, 1)), nn.LeakyReLU(), nn.AvgPool2d((1, 2), (1, 2)))
        self.spaces = nn.ModuleList([space(8, 1), space(4, 4)])
        self.bn = nn.ModuleList([nn.BatchNorm2d(4), nn.BatchNorm2d(4)])
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = x[:, None]
        y = self.bn[0](torch.cat([t(x) for t in self.times], dim=-1))
        y = self.bn[1](torch.cat([s(y) for s in self.spaces], dim=2))
        return self.head(torch.mean(y, dim=(2, 3)))


class EcgResNet(nn.Module):
    """A residual 1-D net over one lead, normalised per record, average and maximum joined."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv1d(1, 6, 7, 2, 3, bias=False), nn.BatchNorm1d(6), nn.ReLU(), nn.MaxPool1d(3, 2, 1))
        unit = lambda a, b, s: nn.Sequential(nn.Conv1d(a, b, 5, s, 2, bias=False), nn.BatchNorm1d(b), nn.ReLU(), nn.Conv1d(b, b, 5, 1, 2, bias=False), nn.BatchNorm1d(b))
        self.a, self.b = unit(6, 6, 1), unit(6, 8, 2)
        self.short = nn.Sequential(nn.AvgPool1d(2, 2, ceil_mode=True), nn.Conv1d(6, 8, 1))
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        mean, deviation = x.mean(-1, keepdim=True), x.std(-1, keepdim=True)
        y = self.stem((x - mean) / (deviation + 1e-6))
        y = F.relu(self.a(y) + y)
        y = F.relu(self.b(y) + self.short(y))
        return self.head(torch.cat([F.adaptive_avg_pool1d(y, 1), F.adaptive_max_pool1d(y, 1)], 1).flatten(1))


class FaceAndPulse(nn.Module):
    """A clip through 3-D convolutions and signals through 1-D ones, joined with a gate."""

    def __init__(self):
        super().__init__()
        self.video = nn.Sequential(nn.Conv3d(3, 4, 3, (1, 2, 2), 1), nn.BatchNorm3d(4), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(4, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool3d(1))
        self.signals = nn.Sequential(nn.Conv1d(4, 6, 5, 2), nn.BatchNorm1d(6), nn.ReLU(), nn.Conv1d(6, 8, 5, 2), nn.PReLU(8), nn.AdaptiveAvgPool1d(1))
        self.gate = nn.Linear(16, 8)
        self.head = nn.Linear(8, 4)

    def forward(self, video, signals):
        a, b = self.video(video).flatten(1), self.signals(signals).flatten(1)
        g = torch.sigmoid(self.gate(torch.cat([a, b], 1)))
        return self.head(g * a + (1 - g) * b)


class DeapNet(nn.Module):
    """Electrodes placed on a 9 x 9 grid inside the graph, frames through a small CNN, an LSTM over the frames."""

    def __init__(self):
        super().__init__()
        place = torch.zeros(8, 81)
        place[torch.arange(8), torch.tensor([4, 20, 24, 36, 40, 44, 60, 76])] = 1
        self.register_buffer("place", place)
        self.cnn = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.SELU(), nn.Conv2d(4, 4, 3, 2), nn.SELU())
        self.lstm = nn.LSTM(64, 6, batch_first=True)
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        n, c, t = x.shape
        grid = torch.matmul(x.transpose(1, 2), self.place).reshape(-1, 1, 9, 9)
        y = self.cnn(grid).flatten(1).reshape(n, t, -1)
        return self.head(self.lstm(y)[0][:, -1, :])


EEG = [Input("eeg", (8, 96), -2, 2)]
OLD = (("dynamo", 18, "dynamic"), ("dynamo", 20, 1), ("torchscript", 11, "dynamic"), ("torchscript", 16, 1))

nets = [
    Net("eegnet", EegNet, [Input("eeg", (8, 64), -2, 2)], more={"unit": True}),
    Net("deep-conv-net", DeepConvNet, EEG, OLD),
    Net("shallow-conv-net", ShallowConvNet, EEG, OLD),
    Net("eeg-conformer", EegConformer, EEG, (("dynamo", 18, "dynamic"), ("dynamo", 20, 1), ("torchscript", 12, "dynamic"), ("torchscript", 17, 1))),
    Net("dgcnn", Dgcnn, [Input("bands", (10, 5), -1, 1)], (("dynamo", 18, "dynamic"), ("dynamo", 21, 1))),
    Net("tsception", Tsception, EEG, OLD),
    Net("ecg-resnet", EcgResNet, [Input("ecg", (1, 128), -2, 2)], OLD),
    Net("face-and-pulse", FaceAndPulse, [Input("video", (3, 6, 16, 16)), Input("signals", (4, 40), -1, 1)]),
    Net("deap-net", DeapNet, [Input("eeg", (8, 6), -1, 1)], OLD),
]

if __name__ == "__main__":
    main("physiology", nets)
