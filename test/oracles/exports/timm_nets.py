"""Images as timm and transformers define nets for them, small, with random weights: python timm_nets.py [NAME...] (torch 2.15.0, timm 1.0.31, transformers 5.23.0)"""

import sys

import timm
from timm.layers import BatchNormAct2d, GatedMlp, GroupNormAct, StdConv2d
from timm.models.cait import Cait
from timm.models.convnext import ConvNeXt
from timm.models.efficientnet import _gen_efficientnet
from timm.models.ghostnet import GhostNet
from timm.models.levit import Levit
from timm.models.maxxvit import MaxxVit, MaxxVitCfg, MaxxVitTransformerCfg
from timm.models.metaformer import MetaFormer
from timm.models.mlp_mixer import MlpMixer, SpatialGatingBlock
from timm.models.mobilenetv3 import _gen_mobilenet_v4
from timm.models.resnetv2 import ResNetV2
from timm.models.vision_transformer import VisionTransformer
from timm.models.xcit import Xcit
from torch import nn

# transformers imports torchaudio where it is installed, and a build for another CUDA refuses to load; nothing here needs it
sys.modules["torchaudio"] = None
import transformers  # noqa: E402

from common import Input  # noqa: E402
from torch_side import Net, main  # noqa: E402

CLASSES = 7
# scaled_dot_product_attention needs opset 14 of the older exporter
ATTENTION = (("dynamo", 18, "dynamic"), ("dynamo", 20, 1), ("torchscript", 14, "dynamic"), ("torchscript", 17, 1))
# of larger nets two files
TWO = (("dynamo", 18, "dynamic"), ("torchscript", 17, 1))
OTHER = (("dynamo", 20, "dynamic"), ("dynamo", 18, 1), ("torchscript", 12, "dynamic"), ("torchscript", 15, 1))


def image(size):
    return [Input("image", (3, size, size))]


def vit(**options):
    return VisionTransformer(img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=2, mlp_ratio=2, num_classes=CLASSES, **options)


def maxxvit(*blocks):
    return MaxxVit(MaxxVitCfg(embed_dim=(8, 16, 24), depths=(1, 1, 1), block_type=blocks, stem_width=8, head_hidden_size=24, transformer_cfg=MaxxVitTransformerCfg(dim_head=8)), img_size=64, num_classes=CLASSES)


def small_head(net):
    """A mobile net whose last 1 x 1 convolution, most of a small one's weights, has 48 channels."""
    net.conv_head = nn.Conv2d(net.conv_head.in_channels, 48, 1, bias=net.conv_head.bias is not None)
    if hasattr(net, "norm_head") and not isinstance(net.norm_head, nn.Identity):
        net.norm_head = BatchNormAct2d(48)
    if hasattr(net, "bn2"):
        net.bn2 = BatchNormAct2d(48, act_layer=nn.SiLU)
    net.classifier = nn.Linear(48, CLASSES)
    return net


class Logits(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, image):
        return self.net(image).logits


def hf(name, **config):
    """A classifier of transformers at a small configuration, images of 32 x 32."""
    return Logits(getattr(transformers, f"{name}ForImageClassification")(getattr(transformers, f"{name}Config")(image_size=32, num_labels=CLASSES, **config)))


SMALL_GHOST = [[[3, 16, 16, 0, 1]], [[3, 24, 24, 0, 2]], [[5, 48, 32, 0.25, 2]], [[5, 64, 32, 0.25, 1]]]
small = {"patch_size": 8, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}

nets = [
    Net("timm-convnext", lambda: ConvNeXt(num_classes=CLASSES, depths=(1, 1, 1, 1), dims=(8, 12, 16, 24)), image(32), OTHER),
    Net("timm-convnext-v2", lambda: ConvNeXt(num_classes=CLASSES, depths=(1, 1, 1, 1), dims=(8, 12, 16, 24), use_grn=True, ls_init_value=None), image(32)),
    Net("timm-vit", vit, image(32), ATTENTION),
    Net("timm-deit-distilled", lambda: timm.models.deit.VisionTransformerDistilled(img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=2, mlp_ratio=2, num_classes=CLASSES), image(32), ATTENTION),
    Net("timm-vit-pooled", lambda: vit(global_pool="map", class_token=False, qk_norm=True, init_values=0.1), image(32), ATTENTION),
    Net("timm-mobilenet-v4", lambda: small_head(_gen_mobilenet_v4("mobilenetv4_conv_small", 0.125, num_classes=CLASSES)), image(32), TWO),
    Net("timm-efficientnet", lambda: small_head(_gen_efficientnet("efficientnet_b0", 0.125, 0.3, num_classes=CLASSES)), image(32)),
    Net("timm-mixer", lambda: MlpMixer(CLASSES, 32, patch_size=8, num_blocks=2, embed_dim=24), image(32), more={"unit": True}),
    Net("timm-gmlp", lambda: MlpMixer(CLASSES, 32, patch_size=8, num_blocks=2, embed_dim=24, mlp_ratio=4, block_layer=SpatialGatingBlock, mlp_layer=GatedMlp), image(32)),
    Net("timm-coatnet", lambda: maxxvit("C", "C", "T"), image(64), ATTENTION),
    Net("timm-maxvit", lambda: MaxxVit(MaxxVitCfg(embed_dim=(8, 16), depths=(1, 1), block_type=("M", "M"), stem_width=8, transformer_cfg=MaxxVitTransformerCfg(dim_head=8, window_size=(4, 4), grid_size=(4, 4))), img_size=32, num_classes=CLASSES), image(32), ATTENTION),
    Net("timm-resnet-v2", lambda: ResNetV2((1, 1), (32, 48), CLASSES, stem_chs=8, conv_layer=StdConv2d, norm_layer=lambda n, **o: GroupNormAct(n, 4, **o)), image(32)),
    Net("timm-xcit", lambda: Xcit(32, 8, num_classes=CLASSES, embed_dim=32, depth=2, num_heads=2, mlp_ratio=2, cls_attn_layers=1), image(32), TWO),
    Net("timm-cait", lambda: Cait(32, 8, num_classes=CLASSES, embed_dim=24, depth=2, num_heads=2, mlp_ratio=2, depth_token_only=1), image(32), ATTENTION),
    Net("timm-poolformer", lambda: MetaFormer(num_classes=CLASSES, depths=(1, 1), dims=(12, 24)), image(32)),
    Net("timm-levit", lambda: Levit(64, num_classes=CLASSES, embed_dim=(16, 24, 32), key_dim=8, depth=(1, 1, 1), num_heads=(2, 3, 4), attn_ratio=2, mlp_ratio=2), image(64), (*TWO, ("dynamo", 21, 1))),
    Net("timm-ghostnet", lambda: GhostNet(SMALL_GHOST, CLASSES, width=0.5), image(32), TWO),
    Net("hf-vit", lambda: hf("ViT", **small), image(32), ATTENTION),
    Net("hf-vit-eager", lambda: hf("ViT", attn_implementation="eager", **small), image(32)),
    Net("hf-beit", lambda: hf("Beit", use_relative_position_bias=True, **small), image(32), ATTENTION),
    Net("hf-dinov2", lambda: hf("Dinov2", patch_size=8, hidden_size=24, num_hidden_layers=2, num_attention_heads=2, mlp_ratio=2), image(32), ATTENTION),
    Net("hf-swin", lambda: hf("Swin", patch_size=4, embed_dim=12, depths=[2, 1], num_heads=[2, 2], window_size=4, mlp_ratio=2.0), image(32)),
    Net("hf-mobilevit", lambda: hf("MobileViT", hidden_sizes=[16, 20, 24], neck_hidden_sizes=[8, 8, 12, 12, 16, 16, 32], num_attention_heads=2, patch_size=2, mlp_ratio=2.0), image(64), TWO),
]

if __name__ == "__main__":
    main("timm", nets, {"timm": timm.__version__, "transformers": transformers.__version__})
