"""Nets on skeletons: graph convolutions over joints and convolutions over heatmaps. Written from the papers, at small sizes."""

import torch
from torch import nn
from torch.nn import functional as F

from common import Input
from torch_side import Net, main

EDGES = [(0, 1), (1, 2), (2, 3), (1, 4), (4, 5), (1, 6), (6, 7)]
JOINTS = 8


def partitions():
    """Self, towards the root, away from it: [3, joints, joints], columns normalised."""
    a = torch.zeros(3, JOINTS, JOINTS)
    a[0] = torch.eye(JOINTS)
    for i, j in EDGES:
        a[1, j, i] = a[2, i, j] = 1.0
    return a / a.sum(1, keepdim=True).clamp(min=1)


class StGcnBlock(nn.Module):
    """Spatial graph convolution by einsum, temporal convolution, residual (Yan et al. 2018)."""

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.outputs = outputs
        self.spatial = nn.Conv2d(inputs, 3 * outputs, 1)
        self.importance = nn.Parameter(1 + 0.3 * torch.randn(3, JOINTS, JOINTS))
        self.temporal = nn.Sequential(
            nn.BatchNorm2d(outputs), nn.ReLU(inplace=True), nn.Conv2d(outputs, outputs, (3, 1), (stride, 1), (1, 0)), nn.BatchNorm2d(outputs), nn.Dropout(0.5, inplace=True)
        )
        self.short = nn.Sequential(nn.Conv2d(inputs, outputs, 1, (stride, 1)), nn.BatchNorm2d(outputs)) if inputs != outputs else nn.Identity()

    def forward(self, x, a):
        y = self.spatial(x)
        n, kc, t, v = y.size()
        y = torch.einsum("nkctv,kvw->nctw", y.view(n, 3, kc // 3, t, v), a * self.importance).contiguous()
        return F.relu(self.temporal(y) + self.short(x))


class StGcn(nn.Module):
    """Two persons of eight joints over eight frames: [N, C, T, V, M]."""

    def __init__(self):
        super().__init__()
        self.register_buffer("a", partitions())
        self.norm = nn.BatchNorm1d(3 * JOINTS)
        self.blocks = nn.ModuleList([StGcnBlock(3, 6), StGcnBlock(6, 6), StGcnBlock(6, 8, 2)])
        self.head = nn.Conv2d(8, 5, 1)

    def forward(self, x):
        n, c, t, v, m = x.size()
        x = x.permute(0, 4, 3, 1, 2).contiguous().view(n * m, v * c, t)
        x = self.norm(x).view(n, m, v, c, t).permute(0, 1, 3, 4, 2).contiguous().view(n * m, c, t, v)
        for block in self.blocks:
            x = block(x, self.a)
        x = F.avg_pool2d(x, x.size()[2:]).view(n, m, -1, 1, 1).mean(1)
        return self.head(x).view(n, -1)


class AdaptiveBlock(nn.Module):
    """Fixed, learned and attention-made adjacency summed, for each of the three subsets (Shi et al. 2019, 2s-AGCN)."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.register_buffer("a", partitions())
        self.learned = nn.Parameter(torch.randn(3, JOINTS, JOINTS) * 0.1)
        self.inner = 4
        self.q = nn.ModuleList(nn.Conv2d(inputs, 4, 1) for _ in range(3))
        self.k = nn.ModuleList(nn.Conv2d(inputs, 4, 1) for _ in range(3))
        self.v = nn.ModuleList(nn.Conv2d(inputs, outputs, 1) for _ in range(3))
        self.bn = nn.BatchNorm2d(outputs)
        self.down = nn.Sequential(nn.Conv2d(inputs, outputs, 1), nn.BatchNorm2d(outputs))
        self.temporal = nn.Sequential(nn.Conv2d(outputs, outputs, (5, 1), padding=(2, 0)), nn.BatchNorm2d(outputs))

    def forward(self, x):
        n, c, t, v = x.size()
        total = None
        for i in range(3):
            q = self.q[i](x).permute(0, 3, 1, 2).contiguous().view(n, v, self.inner * t)
            k = self.k[i](x).view(n, self.inner * t, v)
            attention = torch.softmax(torch.matmul(q, k) / q.size(-1), -2) + self.a[i] + self.learned[i]
            z = self.v[i](torch.matmul(x.view(n, c * t, v), attention).view(n, c, t, v))
            total = z if total is None else total + z
        y = F.relu(self.bn(total) + self.down(x))
        return F.relu(self.temporal(y))


class Agcn(nn.Module):
    """Joints and bones, each through adaptive blocks; the scores are summed."""

    def __init__(self):
        super().__init__()
        stream = lambda: nn.Sequential(AdaptiveBlock(3, 6), AdaptiveBlock(6, 8))
        self.joints, self.bones = stream(), stream()
        self.parents = [0, 0, 1, 2, 1, 4, 1, 6]
        self.head = nn.ModuleList([nn.Linear(8, 4), nn.Linear(8, 4)])

    def forward(self, x):
        n, c, t, v, m = x.size()
        bones = x - x[:, :, :, self.parents]
        total = 0
        for stream, head, y in ((self.joints, self.head[0], x), (self.bones, self.head[1], bones)):
            y = stream(y.permute(0, 4, 1, 2, 3).contiguous().view(n * m, c, t, v))
            total = total + head(y.view(n, m, 8, -1).mean(3).mean(1))
        return total


class CtrGc(nn.Module):
    """Channel-wise topology refinement: one adjacency per channel (Chen et al. 2021, CTR-GCN)."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.a, self.b = nn.Conv2d(inputs, 4, 1), nn.Conv2d(inputs, 4, 1)
        self.v, self.expand = nn.Conv2d(inputs, outputs, 1), nn.Conv2d(4, outputs, 1)
        self.alpha = nn.Parameter(torch.tensor(0.6))

    def forward(self, x, a):
        q, k = self.a(x).mean(-2), self.b(x).mean(-2)
        refined = torch.tanh(q.unsqueeze(-1) - k.unsqueeze(-2))
        refined = self.expand(refined) * self.alpha + a.unsqueeze(0).unsqueeze(0)
        return torch.einsum("ncuv,nctv->nctu", refined, self.v(x))


class MultiScale(nn.Module):
    """Temporal branches: two dilations, a max-pool, a point-wise one; joined."""

    def __init__(self, width):
        super().__init__()
        part = width // 4
        point = lambda: nn.Sequential(nn.Conv2d(width, part, 1), nn.BatchNorm2d(part), nn.ReLU())
        self.a = nn.Sequential(point(), nn.Conv2d(part, part, (3, 1), padding=(1, 0)), nn.BatchNorm2d(part))
        self.b = nn.Sequential(point(), nn.Conv2d(part, part, (3, 1), padding=(2, 0), dilation=(2, 1)), nn.BatchNorm2d(part))
        self.c = nn.Sequential(point(), nn.MaxPool2d((3, 1), 1, (1, 0)), nn.BatchNorm2d(part))
        self.d = nn.Sequential(nn.Conv2d(width, part, 1), nn.BatchNorm2d(part))

    def forward(self, x):
        return torch.cat([self.a(x), self.b(x), self.c(x), self.d(x)], 1)


class CtrGcn(nn.Module):
    """One refined block with multi-scale time."""

    def __init__(self):
        super().__init__()
        self.adjacency = nn.Parameter(partitions())
        self.norm = nn.BatchNorm1d(3 * JOINTS * 2)
        self.gc = nn.ModuleList(CtrGc(3, 8) for _ in range(3))
        self.bn = nn.BatchNorm2d(8)
        self.time = MultiScale(8)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        n, c, t, v, m = x.size()
        x = self.norm(x.permute(0, 4, 3, 1, 2).contiguous().view(n, m * v * c, t))
        x = x.view(n, m, v, c, t).permute(0, 1, 3, 4, 2).contiguous().view(n * m, c, t, v)
        y = sum(gc(x, self.adjacency[i]) for i, gc in enumerate(self.gc))
        y = F.relu(self.bn(y))
        y = F.relu(self.time(y) + y)
        return self.head(y.view(n, m, 8, -1).mean(3).mean(1))


class PoseConv3d(nn.Module):
    """Gaussian heatmaps of joint coordinates drawn inside the graph, then a 3-D net (Duan et al. 2022)."""

    def __init__(self):
        super().__init__()
        self.register_buffer("grid", torch.arange(10).float())
        self.conv = nn.Sequential(
            nn.Conv3d(JOINTS, 6, 3, padding=1, bias=False), nn.BatchNorm3d(6), nn.ReLU(), nn.Conv3d(6, 8, (3, 1, 1), (1, 2, 2), (1, 0, 0)), nn.BatchNorm3d(8), nn.ReLU()
        )
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        """x: [N, T, V, 3]: position in pixels, confidence."""
        u, v, score = x[..., 0:1], x[..., 1:2], x[..., 2]
        across = torch.exp(-((self.grid - u) ** 2) / 2)
        down = torch.exp(-((self.grid - v) ** 2) / 2)
        maps = down.unsqueeze(-1) * across.unsqueeze(-2) * score[..., None, None]
        y = self.conv(maps.transpose(1, 2))
        return self.head(F.adaptive_avg_pool3d(y, 1).flatten(1))


clip = [Input("skeleton", (3, 8, JOINTS, 2), -1, 1)]

nets = [
    Net("st-gcn", StGcn, clip, (("dynamo", 18, "dynamic"), ("dynamo", 21, 1), ("torchscript", 12, 1), ("torchscript", 17, 1))),
    Net("agcn", Agcn, clip),
    Net("ctr-gcn", CtrGcn, clip, (("dynamo", 18, "dynamic"), ("dynamo", 20, 1), ("torchscript", 12, "dynamic"), ("torchscript", 16, 1))),
    Net("pose-conv3d", PoseConv3d, [Input("pose", (5, JOINTS, 3), 1, 9)]),
]

if __name__ == "__main__":
    main("skeletons", nets)
