"""Hugging Face models to ONNX in the form docs/export.md asks for. Run: python hugging_face_model.py FOLDER (transformers 5.23.0, torch 2.15.0, onnxscript 0.7.2, onnx 1.23.2)"""
import pathlib
import sys

import onnx
import torch
from torch import nn
from transformers import ViTConfig, ViTForImageClassification, Wav2Vec2Config, Wav2Vec2ForSequenceClassification

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
torch.manual_seed(0)
small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}

# Stand for the user's own models, loaded with from_pretrained(NAME).
vit = ViTForImageClassification(ViTConfig(image_size=24, patch_size=8, num_labels=7, **small))
wav2vec2 = Wav2Vec2ForSequenceClassification(
    Wav2Vec2Config(
        num_labels=4, classifier_proj_size=12, conv_dim=(8, 8, 8), conv_kernel=(10, 3, 3), conv_stride=(5, 4, 4),
        num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4, **small,
    )
)


class Faces(nn.Module):
    def __init__(self, net, mean, std):
        super().__init__()
        self.net = net
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))

    def forward(self, image):
        return self.net(pixel_values=(image - self.mean) / self.std).logits


class Speech(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, audio):
        centred = audio - audio.mean(-1, keepdim=True)
        return self.net(centred / torch.sqrt(centred.square().mean(-1, keepdim=True) + 1e-7)).logits


def write(name, model, example, input_name):
    batch = ({0: torch.export.Dim("batch")},)
    path = folder / f"{name}.onnx"
    torch.onnx.export(model.eval(), (example,), path, input_names=[input_name], output_names=["logits"], dynamic_shapes=batch, external_data=False)


write("hf-vit", Faces(vit, [0.5] * 3, [0.5] * 3), torch.rand(2, 3, 24, 24), "image")
write("hf-wav2vec2", Speech(wav2vec2), torch.rand(2, 1600) - 0.5, "audio")
write("trap-hf-vit-half", Faces(vit, [0.5] * 3, [0.5] * 3).half(), torch.rand(2, 3, 24, 24).half(), "image")

# The exporter notes for every node the Python stack it came from, paths of the machine included: the repository keeps the files without.
for path in folder.glob("*.onnx"):
    written = onnx.load(path, load_external_data=False)
    for node in written.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    onnx.save(written, path)
