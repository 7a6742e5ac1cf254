"""Nets that listen: encoders of speech from their own libraries at small sizes, and front ends inside the graph (transformers 5.23, torchaudio 2.11)."""

import importlib.util
import math
import pathlib
import sys
import warnings

# transformers asks for torchaudio where it is installed, and torchaudio 2.11 refuses a torch built for another CUDA
sys.modules["torchaudio"] = None

import torch  # noqa: E402
import transformers  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from common import Input  # noqa: E402
from torch_side import Net, main  # noqa: E402

warnings.filterwarnings("ignore")


class Logits(nn.Module):
    """A model of transformers as a function from its input to its logits."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x, return_dict=True).logits


WAV2VEC2 = dict(
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=24,
    conv_dim=(8, 8),
    conv_kernel=(5, 3),
    conv_stride=(4, 2),
    num_feat_extract_layers=2,
    num_conv_pos_embeddings=4,
    num_conv_pos_embedding_groups=2,
    classifier_proj_size=8,
    num_labels=4,
)


def wav2vec2():
    return Logits(transformers.Wav2Vec2ForSequenceClassification(transformers.Wav2Vec2Config(**WAV2VEC2)))


def hubert():
    config = transformers.HubertConfig(**WAV2VEC2, feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=True)
    return Logits(transformers.HubertForSequenceClassification(config))


def wavlm():
    """Gated relative positions in buckets."""
    config = transformers.WavLMConfig(**WAV2VEC2, num_buckets=8, max_bucket_distance=16)
    return Logits(transformers.WavLMForSequenceClassification(config))


def wav2vec2_conformer():
    """Conformer blocks with rotary positions."""
    config = transformers.Wav2Vec2ConformerConfig(**{**WAV2VEC2, "num_hidden_layers": 1}, position_embeddings_type="rotary", conv_depthwise_kernel_size=3)
    return Logits(transformers.Wav2Vec2ConformerForSequenceClassification(config))


def wav2vec2_bert():
    """Relative positions by key, on filter banks."""
    config = transformers.Wav2Vec2BertConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=24,
        feature_projection_input_dim=20,
        conv_depthwise_kernel_size=3,
        left_max_position_embeddings=4,
        right_max_position_embeddings=2,
        classifier_proj_size=8,
        num_labels=4,
    )
    return Logits(transformers.Wav2Vec2BertForSequenceClassification(config))


def whisper():
    config = transformers.WhisperConfig(
        d_model=16,
        encoder_layers=2,
        encoder_attention_heads=2,
        encoder_ffn_dim=24,
        decoder_layers=1,
        decoder_attention_heads=2,
        decoder_ffn_dim=8,
        num_mel_bins=8,
        max_source_positions=12,
        vocab_size=10,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
        classifier_proj_size=8,
        num_labels=4,
    )
    return Logits(transformers.WhisperForAudioClassification(config))


def ast():
    config = transformers.ASTConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        patch_size=8,
        frequency_stride=6,
        time_stride=6,
        max_length=26,
        num_mel_bins=20,
        num_labels=5,
    )
    return Logits(transformers.ASTForAudioClassification(config))


class Conformer(nn.Module):
    """torchaudio's encoder over frames of full length, the mean of the steps classified; its file is loaded alone, the package wants a CUDA of its own."""

    def __init__(self):
        super().__init__()
        source = pathlib.Path(next(p for p in sys.path if (pathlib.Path(p) / "torchaudio").is_dir())) / "torchaudio" / "models" / "conformer.py"
        spec = importlib.util.spec_from_file_location("conformer", source)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.encoder = module.Conformer(input_dim=16, num_heads=2, ffn_dim=16, num_layers=2, depthwise_conv_kernel_size=5)
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        lengths = torch.full((x.shape[0],), x.shape[1], dtype=torch.int64)
        y, _ = self.encoder(x, lengths)
        return self.head(y.mean(1))


def mel_filters(bands, bins, rate=16000):
    """Triangles on the mel scale, [bands, bins]."""
    mel = lambda f: 2595 * math.log10(1 + f / 700)
    edges = [700 * (10 ** (m / 2595) - 1) for m in torch.linspace(0, mel(rate / 2), bands + 2).tolist()]
    f = torch.linspace(0, rate / 2, bins)
    return torch.stack([torch.minimum((f - a) / (b - a), (c - f) / (c - b)).clamp(min=0) for a, b, c in zip(edges, edges[1:], edges[2:])])


class SpectrogramNet(nn.Module):
    """Two convolutions over a spectrogram [N, bands, frames]."""

    def __init__(self, classes=4):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1)
        )
        self.head = nn.Linear(8, classes)

    def forward(self, x):
        return self.head(self.net(x[:, None]).flatten(1))


class StftMel(nn.Module):
    """Waveform to power spectrogram by torch.stft, mel bands, logarithm with a floor, and a net."""

    def __init__(self):
        super().__init__()
        self.register_buffer("window", torch.hann_window(32))
        self.register_buffer("mel", mel_filters(6, 17))
        self.net = SpectrogramNet()

    def forward(self, x):
        spectrum = torch.stft(x, 32, 16, window=self.window, center=True, pad_mode="reflect", return_complex=False)
        power = spectrum.pow(2).sum(-1)
        return self.net(torch.log(torch.matmul(self.mel, power) + 1e-6))


class ComplexStftMel(StftMel):
    """The same through complex numbers."""

    def forward(self, x):
        spectrum = torch.stft(x, 32, 16, window=self.window, center=True, pad_mode="reflect", return_complex=True)
        power = spectrum.abs().pow(2)
        return self.net(torch.log(torch.matmul(self.mel, power) + 1e-6))


class ConvMel(nn.Module):
    """The Fourier transform as a convolution, decibels with a floor 80 dB below each clip's loudest band, normalised per band."""

    def __init__(self):
        super().__init__()
        n = torch.arange(32).double()
        angle = 2 * math.pi * torch.outer(torch.arange(17).double(), n) / 32
        window = torch.hann_window(32, dtype=torch.float64)
        bases = torch.cat([torch.cos(angle) * window, -torch.sin(angle) * window]).float()
        self.register_buffer("bases", bases[:, None])
        self.register_buffer("mel", mel_filters(6, 17))
        self.net = SpectrogramNet()

    def forward(self, x):
        y = F.conv1d(F.pad(x[:, None], (16, 16), mode="reflect"), self.bases, stride=16)
        real, imaginary = y.chunk(2, 1)
        db = 10 * torch.log10(torch.clamp(torch.matmul(self.mel, real**2 + imaginary**2), min=1e-10))
        db = torch.maximum(db, db.amax((1, 2), keepdim=True) - 80)
        return self.net((db - db.mean(2, keepdim=True)) / (db.std(2, keepdim=True) + 1e-3))


class SincNet(nn.Module):
    """Band-pass filters made from learned edges inside the graph, then a 1-D net."""

    def __init__(self):
        super().__init__()
        self.low = nn.Parameter(torch.linspace(0.01, 0.3, 6)[:, None])
        self.band = nn.Parameter(torch.full((6, 1), 0.05))
        self.register_buffer("n", torch.arange(-10, 0).float())
        self.register_buffer("window", torch.hamming_window(21, periodic=False))
        self.net = nn.Sequential(nn.Conv1d(6, 8, 5), nn.BatchNorm1d(8), nn.LeakyReLU(0.2), nn.MaxPool1d(3), nn.Flatten())
        self.head = nn.Linear(8 * 58, 4)

    def forward(self, x):
        low = self.low.abs()
        high = torch.clamp(low + self.band.abs(), max=0.5)
        left = (torch.sin(2 * math.pi * high * self.n) - torch.sin(2 * math.pi * low * self.n)) / (math.pi * self.n)
        filters = torch.cat([left, 2 * (high - low), torch.flip(left, [1])], 1) * self.window
        y = torch.abs(F.conv1d(x[:, None], filters[:, None]))
        return self.head(self.net(y))


class SeRes2(nn.Module):
    """Half of the channels through a dilated convolution, added to the rest; squeezed and excited."""

    def __init__(self, width, dilation):
        super().__init__()
        self.first = nn.Sequential(nn.Conv1d(width, width, 1), nn.ReLU(), nn.BatchNorm1d(width))
        self.parts = nn.ModuleList(nn.Sequential(nn.Conv1d(width // 4, width // 4, 3, padding=dilation, dilation=dilation), nn.ReLU(), nn.BatchNorm1d(width // 4)) for _ in range(3))
        self.last = nn.Sequential(nn.Conv1d(width, width, 1), nn.ReLU(), nn.BatchNorm1d(width))
        self.squeeze = nn.Sequential(nn.AdaptiveAvgPool1d(1), nn.Conv1d(width, 4, 1), nn.ReLU(), nn.Conv1d(4, width, 1), nn.Sigmoid())

    def forward(self, x):
        chunks = torch.chunk(self.first(x), 4, 1)
        outs, y = [chunks[0]], chunks[0]
        for chunk, part in zip(chunks[1:], self.parts):
            y = part(chunk + y if len(outs) > 1 else chunk)
            outs.append(y)
        y = self.last(torch.cat(outs, 1))
        return x + y * self.squeeze(y)


class EcapaTdnn(nn.Module):
    """Aggregated SE-Res2 blocks, attentive statistics with the global context, a cosine head."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv1d(10, 8, 5, padding=2), nn.ReLU(), nn.BatchNorm1d(8))
        self.blocks = nn.ModuleList(SeRes2(8, d) for d in (2, 3))
        self.join = nn.Sequential(nn.Conv1d(16, 12, 1), nn.ReLU())
        self.attention = nn.Sequential(nn.Conv1d(36, 6, 1), nn.ReLU(), nn.BatchNorm1d(6), nn.Tanh(), nn.Conv1d(6, 12, 1), nn.Softmax(2))
        self.bn = nn.BatchNorm1d(24)
        self.prototypes = nn.Parameter(torch.randn(4, 24))

    def forward(self, x):
        x = x - x.mean(2, keepdim=True)
        x = self.stem(x)
        outs = []
        for block in self.blocks:
            x = block(x)
            outs.append(x)
        x = self.join(torch.cat(outs, 1))
        t = x.size(2)
        context = torch.cat([x, x.mean(2, keepdim=True).repeat(1, 1, t), torch.sqrt(x.var(2, keepdim=True, unbiased=False).clamp(min=1e-4)).repeat(1, 1, t)], 1)
        w = self.attention(context)
        mean = (x * w).sum(2)
        deviation = torch.sqrt(((x**2 * w).sum(2) - mean**2).clamp(min=1e-4))
        y = self.bn(torch.cat([mean, deviation], 1))
        return 10 * F.linear(F.normalize(y), F.normalize(self.prototypes))


WAVE = [Input("wave", (240,), -0.8, 0.8)]
FRAMES = (("dynamo", 18, "dynamic"), ("dynamo", 20, 1), ("torchscript", 14, "dynamic"), ("torchscript", 17, 1))
STFT = (("dynamo", 18, "dynamic"), ("dynamo", 21, 1), ("torchscript", 17, "dynamic"), ("torchscript", 17, 1))

nets = [
    Net("wav2vec2", wav2vec2, WAVE, FRAMES),
    Net("hubert", hubert, WAVE, FRAMES),
    Net("wavlm", wavlm, WAVE, FRAMES),
    Net("wav2vec2-conformer", wav2vec2_conformer, WAVE, FRAMES),
    Net("wav2vec2-bert", wav2vec2_bert, [Input("features", (12, 20), -2, 2)], FRAMES),
    Net("whisper", whisper, [Input("mel", (8, 24), -1, 1)], FRAMES),
    Net("ast", ast, [Input("spectrogram", (26, 20), -1, 1)], FRAMES),
    Net("conformer", Conformer, [Input("frames", (14, 16), -2, 2)], FRAMES),
    Net("stft-mel", StftMel, WAVE, STFT),
    Net("stft-mel-complex", ComplexStftMel, WAVE, STFT),
    Net("conv-mel", ConvMel, WAVE, more={"unit": True}),
    Net("sincnet", SincNet, [Input("wave", (200,), -0.8, 0.8)]),
    Net("ecapa-tdnn", EcapaTdnn, [Input("mel", (10, 24), -2, 2)], (("dynamo", 18, "dynamic"), ("dynamo", 20, 1), ("torchscript", 11, "dynamic"), ("torchscript", 15, 1))),
]

if __name__ == "__main__":
    main("sound", nets, {"transformers": transformers.__version__, "torchaudio": "2.11.0"})
