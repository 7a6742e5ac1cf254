"""Nets over sequences: recurrent, convolutional in time, attention of several kinds."""

import torch
from torch import nn
from torch.nn import functional as F

from common import Input
from torch_side import Net, main


class CnnLstm(nn.Module):
    """Blocks of a spectrogram through one small CNN each, a bidirectional LSTM over the blocks, softmax scores' logits."""

    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.BatchNorm2d(4), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.ReLU(), nn.MaxPool2d(2, 1))
        self.lstm = nn.LSTM(24, 8, batch_first=True, bidirectional=True)
        self.head = nn.Linear(16, 5)

    def forward(self, x):
        n, t = x.shape[:2]
        y = self.cnn(x.reshape(n * t, 1, *x.shape[2:])).reshape(n, t, -1)
        _, (h, _) = self.lstm(y)
        return self.head(torch.cat([h[0], h[1]], 1))


class BiLstmAttention(nn.Module):
    """Two bidirectional layers, the steps weighted by a learned query."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 6, num_layers=2, bidirectional=True, batch_first=True, dropout=0.2)
        self.query = nn.Linear(12, 1)
        self.head = nn.Linear(12, 4)

    def forward(self, x):
        y, _ = self.lstm(x)
        w = torch.softmax(self.query(torch.tanh(y)), 1)
        return self.head((w * y).sum(1))


class Gru(nn.Module):
    """Two layers, time first inside, the last step classified."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(5, 8, num_layers=2)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        y, h = self.gru(x.transpose(0, 1))
        return self.head(torch.cat([y[-1]], 1) + h[0])


class PackedGru(nn.Module):
    """A sequence packed to its length; the second input tells how many steps count."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(5, 6, batch_first=True)
        self.head = nn.Linear(6, 4)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        y, _ = nn.utils.rnn.pad_packed_sequence(self.gru(packed)[0], batch_first=True)
        return self.head(y.sum(1) / lengths[:, None])


class ElmanRnn(nn.Module):
    """A plain recurrent net with ReLU, both directions averaged over time."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(5, 6, bidirectional=True, batch_first=True, nonlinearity="tanh")
        self.head = nn.Linear(12, 3)

    def forward(self, x):
        return self.head(self.rnn(x)[0].mean(1))


class LayerNormLstm(nn.Module):
    """A cell of one's own in a loop over the steps."""

    def __init__(self):
        super().__init__()
        self.x, self.h = nn.Linear(5, 24), nn.Linear(6, 24, bias=False)
        self.norm, self.out = nn.LayerNorm(24), nn.LayerNorm(6)
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        h = x.new_zeros(x.shape[0], 6)
        c = torch.zeros_like(h)
        for t in range(x.shape[1]):
            i, f, g, o = self.norm(self.x(x[:, t]) + self.h(h)).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(self.out(c))
        return self.head(h)


class LstmCells(nn.Module):
    """nn.LSTMCell stepped by hand, the states stacked and the largest taken."""

    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(5, 6)
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        h = torch.zeros(x.shape[0], 6, dtype=x.dtype)
        c = torch.zeros(x.shape[0], 6, dtype=x.dtype)
        steps = []
        for x_t in x.unbind(1):
            h, c = self.cell(x_t, (h, c))
            steps.append(h)
        return self.head(torch.stack(steps, 1).max(1)[0])


class CausalBlock(nn.Module):
    """Two dilated causal convolutions with weight normalisation and a residual."""

    def __init__(self, inputs, outputs, dilation):
        super().__init__()
        norm = nn.utils.parametrizations.weight_norm
        self.a = norm(nn.Conv1d(inputs, outputs, 3, padding=2 * dilation, dilation=dilation))
        self.b = norm(nn.Conv1d(outputs, outputs, 3, padding=2 * dilation, dilation=dilation))
        self.cut = 2 * dilation
        self.short = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x):
        y = F.relu(self.a(x)[:, :, : -self.cut].contiguous())
        y = F.relu(self.b(y)[:, :, : -self.cut].contiguous())
        return F.relu(y + self.short(x))


class Tcn(nn.Module):
    """Three causal blocks; the last step is classified."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(CausalBlock(6, 8, 1), CausalBlock(8, 8, 2), CausalBlock(8, 8, 4))
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        return self.head(self.blocks(x)[:, :, -1])


class LandmarkTransformer(nn.Module):
    """nn.TransformerEncoder over landmarks with a class token and learned positions."""

    def __init__(self, norm_first=False):
        super().__init__()
        self.embed = nn.Linear(3, 16)
        self.token = nn.Parameter(torch.randn(1, 1, 16))
        self.position = nn.Parameter(torch.randn(1, 13, 16) * 0.1)
        layer = nn.TransformerEncoderLayer(16, 2, 24, batch_first=True, norm_first=norm_first, activation="gelu")
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False, norm=nn.LayerNorm(16))
        self.head = nn.Linear(16, 5)

    def forward(self, x):
        y = torch.cat([self.token.expand(x.shape[0], -1, -1), self.embed(x)], 1) + self.position
        return self.head(self.encoder(y)[:, 0])


class MaskedTransformer(nn.Module):
    """Steps that are all zero are masked as padding, and no step sees the future; time is the first axis inside."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(4, 12)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(12, 3, 16), 1, enable_nested_tensor=False)
        self.head = nn.Linear(12, 3)

    def forward(self, x):
        padding = (x.abs().sum(-1) == 0).detach()
        causal = torch.triu(torch.full((x.shape[1], x.shape[1]), float("-inf"), dtype=x.dtype), 1)
        floats = torch.zeros_like(padding, dtype=x.dtype).masked_fill(padding, float("-inf"))
        y = self.encoder(self.embed(x).transpose(0, 1), mask=causal, src_key_padding_mask=floats, is_causal=False)
        return self.head(y.mean(0))


class Mixer(nn.Module):
    """MLP-Mixer over steps and features."""

    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(8) for _ in range(5))
        self.steps = nn.ModuleList(nn.Sequential(nn.Linear(12, 16), nn.GELU(approximate="tanh"), nn.Linear(16, 12)) for _ in range(2))
        self.features = nn.ModuleList(nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8)) for _ in range(2))
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        for i in range(2):
            x = x + self.steps[i](self.norms[2 * i](x).transpose(1, 2)).transpose(1, 2)
            x = x + self.features[i](self.norms[2 * i + 1](x))
        return self.head(self.norms[4](x).mean(1))


class Bahdanau(nn.Module):
    """A decoder state that looks at the steps of an encoder additively, three times."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.GRU(5, 8, batch_first=True)
        self.w, self.u, self.v = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 1, bias=False)
        self.cell = nn.GRUCell(8, 8)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        steps, h = self.encoder(x)
        h = h.squeeze(0)
        for _ in range(3):
            score = self.v(torch.tanh(self.w(steps) + self.u(h).unsqueeze(1))).squeeze(-1)
            context = torch.bmm(torch.softmax(score, -1).unsqueeze(1), steps).squeeze(1)
            h = self.cell(context, h)
        return self.head(h)


class Perceiver(nn.Module):
    """Learned latents read the input by cross-attention, then each other."""

    def __init__(self):
        super().__init__()
        self.latents = nn.Parameter(torch.randn(4, 12))
        self.kv_norm, self.q_norm, self.norm = nn.LayerNorm(6), nn.LayerNorm(12), nn.LayerNorm(12)
        self.cross = nn.MultiheadAttention(12, 2, kdim=6, vdim=6, batch_first=True)
        self.inner = nn.MultiheadAttention(12, 3, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(12, 16), nn.SiLU(), nn.Linear(16, 12))
        self.head = nn.Linear(12, 4)

    def forward(self, x):
        z = self.latents.unsqueeze(0).expand(x.shape[0], -1, -1)
        x = self.kv_norm(x)
        z = z + self.cross(self.q_norm(z), x, x, need_weights=False)[0]
        y = self.norm(z)
        z = z + self.inner(y, y, y)[0]
        return self.head((z + self.mlp(z)).mean(1))


class Attention(nn.Module):
    """scaled_dot_product_attention with grouped keys as the library calls it, once with and once without a causal mask."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(6, 36)
        self.out = nn.Linear(12, 6)
        self.head = nn.Linear(6, 4)

    def forward(self, x):
        for causal in (False, True):
            q, k, v = (t.unflatten(-1, (3, 4)).transpose(1, 2) for t in self.qkv(x).chunk(3, -1))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
            x = x + self.out(y.transpose(1, 2).flatten(2))
        return self.head(x[:, -1])


class Relative(nn.Module):
    """Attention with relative positions by the shift of Transformer-XL, and a gated convolution."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(6, 8), nn.Linear(6, 8), nn.Linear(6, 8)
        self.r = nn.Parameter(torch.randn(2, 19, 4) * 0.5)
        self.conv = nn.Conv1d(8, 16, 3, padding=1)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        n, t, _ = x.shape
        q, k, v = (f(x).view(n, t, 2, 4).permute(0, 2, 1, 3) for f in (self.q, self.k, self.v))
        position = torch.matmul(q, self.r.transpose(1, 2))
        position = F.pad(position, (1, 0)).view(n, 2, 2 * t, t)[:, :, 1:].view(n, 2, t, 2 * t - 1)[..., :t]
        y = torch.softmax((q @ k.transpose(-1, -2) + position) / 2, -1) @ v
        y = F.glu(self.conv(y.permute(0, 1, 3, 2).reshape(n, 8, t)), 1)
        return self.head(y.mean(-1))


class StateSpace(nn.Module):
    """A diagonal state-space layer as a convolution with its own kernel, summed by cumsum and einsum."""

    def __init__(self):
        super().__init__()
        self.log_a = nn.Parameter(torch.randn(6, 4) * 0.3)
        self.b, self.c = nn.Parameter(torch.randn(6, 4)), nn.Parameter(torch.randn(6, 4))
        self.step = nn.Parameter(torch.rand(6) * 0.3)
        self.gate = nn.Linear(6, 6)
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        t = x.shape[1]
        a = -torch.exp(self.log_a) * F.softplus(self.step)[:, None]
        powers = torch.exp(a[..., None] * torch.arange(t, dtype=x.dtype))
        kernel = torch.einsum("cs,cst->ct", self.b * self.c, powers)
        y = F.conv1d(F.pad(x.transpose(1, 2), (t - 1, 0)), kernel.flip(-1)[:, None], groups=6).transpose(1, 2)
        y = y * F.silu(self.gate(x)) + torch.cumsum(x, 1) / torch.arange(1, t + 1, dtype=x.dtype)[:, None]
        return self.head(y[:, -1])


RECURRENT = (("dynamo", 18, "dynamic"), ("dynamo", 20, 1), ("torchscript", 11, "dynamic"), ("torchscript", 14, "dynamic"), ("torchscript", 17, 1))
ATTENTION = (("dynamo", 18, "dynamic"), ("dynamo", 21, 1), ("torchscript", 14, "dynamic"), ("torchscript", 17, 1))
steps = lambda t, c: [Input("steps", (t, c), -2, 2)]  # noqa: E731

nets = [
    Net("cnn-lstm", CnnLstm, [Input("blocks", (4, 12, 12), -1, 1)], RECURRENT),
    Net("bilstm-attention", BiLstmAttention, steps(9, 6), RECURRENT),
    Net("gru", Gru, steps(9, 5), RECURRENT),
    Net("packed-gru", PackedGru, [*steps(9, 5), Input("lengths", (), 3, 10, "int64")], (("torchscript", 11, "dynamic"), ("torchscript", 14, "dynamic"), ("torchscript", 17, "dynamic"))),
    Net("elman-rnn", ElmanRnn, steps(8, 5), RECURRENT),
    Net("layernorm-lstm", LayerNormLstm, steps(7, 5)),
    Net("lstm-cells", LstmCells, steps(7, 5)),
    Net("tcn", Tcn, [Input("channels", (6, 20), -2, 2)], more={"unit": True}),
    Net("landmark-transformer", LandmarkTransformer, [Input("landmarks", (12, 3), -1, 1)], ATTENTION),
    Net("landmark-transformer-prenorm", lambda: LandmarkTransformer(True), [Input("landmarks", (12, 3), -1, 1)], (("dynamo", 20, "dynamic"), ("dynamo", 23, 1), ("torchscript", 14, 1))),
    Net("masked-transformer", MaskedTransformer, steps(8, 4), ATTENTION),
    Net("mixer", Mixer, steps(12, 8), (("dynamo", 18, "dynamic"), ("dynamo", 20, 1), ("torchscript", 11, "dynamic"), ("torchscript", 17, 1))),
    Net("bahdanau", Bahdanau, steps(8, 5), RECURRENT),
    Net("perceiver", Perceiver, steps(10, 6), ATTENTION),
    Net("attention", Attention, steps(10, 6), (("dynamo", 18, "dynamic"), ("dynamo", 23, "dynamic"), ("dynamo", 23, 1), ("torchscript", 14, "dynamic"), ("torchscript", 17, 1))),
    Net("relative-attention", Relative, steps(10, 6)),
    Net("state-space", StateSpace, steps(11, 6)),
]

if __name__ == "__main__":
    main("sequences", nets)
