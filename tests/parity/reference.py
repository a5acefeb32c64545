"""The models and losses in PyTorch, with generated weights under the published names.

Swin and BERT are those of transformers. ResNet-50 is written here after torchvision's module (names, order of operations
and the stride in the 3 x 3 convolution are torchvision's), so that torchvision need not be installed.
"""

import torch
import torch.nn.functional as F
from torch import nn
from transformers import BertConfig, BertModel, SwinConfig, SwinModel

from generate import film, tokens, weights

MEAN, STD = 0.5862785803043838, 0.27950088968644304
LENGTHS, SIDE = [24, 17], 224
FILM_LABELS = [[1.0, 0.0, -1.0, 0.5], [0.0, 1.0, 1.0, 0.0]]
TEXT_LABELS = [[1.0, -1.0, 0.0, 0.0], [0.5, 1.0, 0.0, -1.0]]

# state_dict() of transformers 5 has other names than its files; ours are those of the files.
SWIN_NAMES = [
    ("attention.q_proj.", "attention.self.query."),
    ("attention.k_proj.", "attention.self.key."),
    ("attention.v_proj.", "attention.self.value."),
    ("attention.o_proj.", "attention.output.dense."),
    ("attention.relative_position_bias.", "attention.self."),
    ("mlp.fc1.", "intermediate.dense."),
    ("mlp.fc2.", "output.dense."),
]


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu1, self.relu2, self.relu3 = nn.ReLU(), nn.ReLU(), nn.ReLU()
        self.downsample = None
        if stride != 1 or inputs != 4 * width:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width)
            )

    def forward(self, x):
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.relu2(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return self.relu3(y + (x if self.downsample is None else self.downsample(x)))


class ResNet50(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        inputs = 64
        for stage, (width, blocks) in enumerate(zip([64, 128, 256, 512], [3, 4, 6, 3])):
            layer = []
            for block in range(blocks):
                layer.append(Bottleneck(inputs, width, 2 if stage > 0 and block == 0 else 1))
                inputs = 4 * width
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layer))

    def forward(self, x):
        x = F.max_pool2d(self.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return x.mean((2, 3))


class Swin(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = SwinModel(SwinConfig(), add_pooling_layer=False)

    def forward(self, x):
        return self.net(x).last_hidden_state.mean(1)


def bert(small):
    sizes = dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128) if small else {}
    vocabulary = 1000 if small else 28996
    config = BertConfig(vocab_size=vocabulary, attn_implementation="eager", **sizes)
    return BertModel(config, add_pooling_layer=False)


class MedClip(nn.Module):
    """One image encoder and BERT; `small` makes BERT small, where the image encoder is what is tested."""

    def __init__(self, kind, small):
        super().__init__()
        self.kind = kind
        self.vision, width = {
            "swin": lambda: (Swin(), 768),
            "resnet": lambda: (ResNet50(), 2048),
            "efficientnet": lambda: (efficientnet(), 1280),
        }[kind]()
        self.text = bert(small)
        hidden = self.text.config.hidden_size
        self.vision_projection = nn.Linear(width, 512, bias=False)
        self.text_projection = nn.Linear(hidden, 512, bias=False)
        self.logit_scale = nn.Parameter(torch.zeros(()))
        self.image_head = nn.Linear(width, 4)
        self.text_head = nn.Linear(hidden, 4)

    def published(self, name):
        """Our name of a parameter or buffer."""
        heads = {
            "vision_projection.": "vision_model.projection_head.",
            "text_projection.": "text_model.projection_head.",
            "image_head.": "auxiliary.image.",
            "text_head.": "auxiliary.text.",
        }
        for ours, theirs in heads.items():
            if name.startswith(ours):
                return theirs + name[len(ours) :]
        if name.startswith("vision.net."):
            name = "vision_model.model." + name[len("vision.net.") :]
            for new, old in SWIN_NAMES:
                name = name.replace(new, old)
        elif name.startswith("vision."):
            name = "vision_model.model." + name[len("vision.") :]
        elif name.startswith("text."):
            name = "text_model.model." + name[len("text.") :]
        return name

    def fill(self):
        """Generated values in all floating parameters and buffers."""
        for name, tensor in list(self.named_parameters()) + list(self.named_buffers()):
            if tensor.is_floating_point():
                values = weights(self.published(name), tuple(tensor.shape))
                tensor.data = torch.from_numpy(values).to(tensor.dtype)
        return self

    def text_features(self, ids, mask):
        states = self.text(ids, attention_mask=mask, output_hidden_states=True).hidden_states
        mean = (states[1] + states[2] + states[-1]) / 3
        weight = mask.to(mean.dtype).unsqueeze(-1)
        return (mean * weight).sum(1) / weight.sum(1)


def efficientnet():
    from efficientnet_lite_pytorch import EfficientNet

    class Lite0(EfficientNet):
        def forward(self, x):
            return self.extract_features(x).mean((2, 3))

    net = Lite0.from_name("efficientnet-lite0")
    del net._fc
    return net


def pixels(numbers, dtype):
    films = torch.stack([torch.from_numpy(film(i, SIDE)) for i in numbers]).to(dtype)
    return ((films / 255 - MEAN) / STD).unsqueeze(1).repeat(1, 3, 1, 1)


def inputs(vocabulary):
    longest = max(LENGTHS)
    ids = torch.zeros(len(LENGTHS), longest, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for i, length in enumerate(LENGTHS):
        ids[i, :length] = torch.tensor(tokens(i, length, vocabulary))
        mask[i, :length] = 1
    return ids, mask


def matching(images, texts, scale, similarity, temperature=1.0):
    """MedCLIP, section 3.3."""
    logits = images @ texts.T * scale.exp()

    def one_way(logits, similarity):
        return -(F.softmax(similarity / temperature, 1) * F.log_softmax(logits, 1)).sum(1).mean()

    return (one_way(logits, similarity) + one_way(logits.T, similarity.T)) / 2


def info_nce(images, texts, scale):
    logits = images @ texts.T * scale.exp()
    pairs = torch.arange(len(images))
    return (F.cross_entropy(logits, pairs) + F.cross_entropy(logits.T, pairs)) / 2


def entropy(logits, labels):
    known = labels != 0
    return F.binary_cross_entropy_with_logits(logits[known], (labels[known] > 0).to(logits.dtype))


def run(kind, small, numbers, dtype):
    """Embeddings, losses, and the gradient of their sum by every parameter, of two films and two texts."""
    torch.manual_seed(0)
    model = MedClip(kind, small).fill().to(dtype)
    # No dropout, which is random; batch norms with their running statistics, as ours have them in training too.
    model.eval()
    films = pixels(numbers, dtype)
    ids, mask = inputs(model.text.config.vocab_size)
    image_features = model.vision(films)
    text_features = model.text_features(ids, mask)
    images = F.normalize(model.vision_projection(image_features), dim=1)
    texts = F.normalize(model.text_projection(text_features), dim=1)
    film_labels, text_labels = torch.tensor(FILM_LABELS, dtype=dtype), torch.tensor(TEXT_LABELS, dtype=dtype)
    cosine = F.normalize(film_labels, dim=1) @ F.normalize(text_labels, dim=1).T
    losses = {
        "matching": matching(images, texts, model.logit_scale, cosine),
        "matching_sharp": matching(images, texts, model.logit_scale, cosine, 0.3),
        "matching_dot": matching(images, texts, model.logit_scale, film_labels @ text_labels.T),
        "info_nce": info_nce(images, texts, model.logit_scale),
        "entropy": entropy(model.image_head(image_features), film_labels)
        + entropy(model.text_head(text_features), text_labels),
    }
    sum(losses.values()).backward()
    gradients = {model.published(name): p.grad for name, p in model.named_parameters()}
    return images.detach(), texts.detach(), {k: v.item() for k, v in losses.items()}, gradients
