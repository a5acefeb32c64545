"""PyTorch's side of `make bench-models`; the same protocol as examples/tower.rs.

tower.py swin|bert forward|train BATCH eager|sdpa: eager fp32 on the CPU with random weights of the published sizes.
"""

import json
import sys
import time

import torch
from transformers import BertConfig, BertModel, SwinConfig, SwinModel

TOKENS = 64


def peak():
    """Peak resident memory in MB."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def build(name, batch, attention):
    """A model and a function from it to its features, the ones that MedCLIP pools."""
    if name == "swin":
        # Without stochastic depth and dropout, so that both sides do the same.
        config = SwinConfig(drop_path_rate=0.0, attn_implementation=attention)
        model = SwinModel(config)
        pixels = torch.randn(batch, 3, 224, 224)
        return model, lambda: model(pixel_values=pixels).pooler_output
    config = BertConfig(
        vocab_size=28996,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        attn_implementation=attention,
    )
    model = BertModel(config, add_pooling_layer=False)
    ids = torch.randint(0, config.vocab_size, (batch, TOKENS))

    def features():
        states = model(input_ids=ids, output_hidden_states=True).hidden_states
        return ((states[1] + states[2] + states[-1]) / 3).mean(1)

    return model, features


def main():
    name, mode, batch, attention = sys.argv[1:]
    torch.set_num_threads(2)
    torch.manual_seed(1)
    model, features = build(name, int(batch), attention)
    if mode == "forward":
        model.eval()

        def run():
            with torch.inference_mode():
                return features().square().mean().item()

    else:
        model.train()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, betas=(0.9, 0.98), weight_decay=0.01, fused=True)

        def run():
            loss = features().square().mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            return loss.item()

    run()
    print("ready", flush=True)
    for line in sys.stdin:
        seconds = []
        for _ in range(int(line)):
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
        print(json.dumps(seconds), flush=True)
    print(f"{peak():.1f}", flush=True)


main()
