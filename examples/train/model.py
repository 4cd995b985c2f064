"""A byte-level language model whose attention is gsa.GatedSparseAttention."""

import torch
from torch import nn
from torch.nn import functional

import gsa

# Name: width, layers, query heads, key heads. With gates 0.9, 8 and 29 million
# parameters.
SIZES = {"tiny": (128, 4, 4, 2), "small": (320, 6, 5, 1),
         "base": (512, 8, 8, 2)}
# Name: (gates, selection).
KINDS = {"dense": (False, False), "gated": (True, False),
         "sparse": (False, True), "gsa": (True, True)}


def layer_config(kind, size, context, keys):
    """The GSAConfig of a layer: `keys` is the budget of a sparse one; a dense
    one keeps all of `context`, so that its indexer has no say."""
    width, layers, heads, key_heads = SIZES[size]
    gates, sparse = KINDS[kind]
    budget = {"k_base": keys, "k_min": max(1, keys // 2), "k_max": 2 * keys} \
        if sparse else {"k_base": context, "use_adaptive_k": False}
    return gsa.GSAConfig(
        d_model=width, n_layers=layers, n_heads=heads, n_kv_heads=key_heads,
        d_indexer=32, n_indexer_heads=4, use_value_gate=gates,
        use_output_gate=gates, **budget)


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, hidden = config.d_model, 8 * config.d_model // 3 // 32 * 32
        self.attention_norm = nn.RMSNorm(width)
        self.attention = gsa.GatedSparseAttention(config)
        self.mlp_norm = nn.RMSNorm(width)
        self.up = nn.Linear(width, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x, index_loss):
        """(x [B, S, width], loss of the indexer, 0 where it does not learn)."""
        attended, loss = self.attention(self.attention_norm(x),
                                        index_loss=index_loss)
        x = x + attended
        gate, value = self.up(self.mlp_norm(x)).chunk(2, -1)
        x = x + self.down(functional.silu(gate) * value)
        return x, x.new_zeros(()) if loss is None else loss.mean()


class Model(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.embedding = nn.Embedding(256, config.d_model)
        self.blocks = nn.ModuleList(Block(config)
                                    for _ in range(config.n_layers))
        self.norm = nn.RMSNorm(config.d_model)
        self.head = nn.Linear(config.d_model, 256, bias=False)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.head.weight = self.embedding.weight

    def forward(self, tokens, targets, index_loss=None):
        """tokens and targets int64 [B, S] -> (cross entropy in nats a byte, KL
        of the indexers, summed over layers; 0 if index_loss is None). index_loss
        as in gsa.GatedSparseAttention."""
        x, total = self.embedding(tokens), 0.0
        for block in self.blocks:
            x, loss = block(x, index_loss)
            total = total + loss
        logits = self.head(self.norm(x)).float()
        return functional.cross_entropy(logits.flatten(0, 1),
                                        targets.flatten()), total

    def indexer_parameters(self):
        return [p for name, p in self.named_parameters() if ".indexer." in name]

    def other_parameters(self):
        return [p for name, p in self.named_parameters()
                if ".indexer." not in name]


@torch.no_grad()
def attention_inputs(model, tokens):
    """What the attention of each block sees, [B, S, width] each."""
    seen, hooks = [], []
    for block in model.blocks:
        hooks.append(block.attention.register_forward_pre_hook(
            lambda _, arguments: seen.append(arguments[0].detach())))
    try:
        model(tokens, tokens)
    finally:
        for hook in hooks:
            hook.remove()
    return seen
