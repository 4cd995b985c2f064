"""Models of transformers with random weights: LLaMA, Mistral, Qwen 2 and 3."""

import os
import tempfile
import unittest

import torch
import transformers

import gsa

SIZES = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 300,
         "max_position_embeddings": 512, "attention_dropout": 0.0,
         "bos_token_id": 1, "eos_token_id": None, "pad_token_id": None}
# Everything a replaced layer has to keep: biases, rotary base, size of a head.
FAMILIES = {
    "Llama": {"rope_parameters": {"rope_type": "default", "rope_theta": 5e5},
              "attention_bias": True},
    "Mistral": {"sliding_window": None, "head_dim": 32},
    "Qwen2": {"use_sliding_window": False},
    "Qwen3": {"head_dim": 32},
}
# All keys, no gates: what the model computed before.
DENSE = {"k_base": 512, "k_min": 1, "k_max": 512, "use_adaptive_k": False,
         "use_value_gate": False, "use_output_gate": False, "d_indexer": 8,
         "n_indexer_heads": 2}
SPARSE = {**DENSE, "k_base": 12, "use_value_gate": True,
          "use_output_gate": True}


def model_of(family, **fields):
    torch.manual_seed(0)
    config = getattr(transformers, family + "Config")(
        **{**SIZES, **FAMILIES[family], **fields})
    model = getattr(transformers, family + "ForCausalLM")(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(0, 0.1)
    return model.double().eval()


def tokens(count, batch=1):
    """All different: the first layer's indexer scores equal tokens alike, and
    rounding would decide which is kept."""
    generator = torch.Generator().manual_seed(5)
    return torch.stack([torch.randperm(297, generator=generator)[:count] + 3
                        for _ in range(batch)])


class Files(unittest.TestCase):
    def test_save_and_load(self):
        """As docs/guides/python.md says: from_pretrained leaves out what it does
        not know."""
        import safetensors.torch
        model = gsa.replace_attention(model_of("Llama"),
                                      gsa.GSAConfig(**SPARSE))
        ids = tokens(40)
        with torch.no_grad(), tempfile.TemporaryDirectory() as folder:
            for parameter in model.parameters():
                parameter.add_(0.01 * torch.randn_like(parameter))
            model.save_pretrained(folder)
            again = gsa.replace_attention(
                transformers.LlamaForCausalLM.from_pretrained(
                    folder, dtype=torch.float64), gsa.GSAConfig(**SPARSE))
            safetensors.torch.load_model(
                again, os.path.join(folder, "model.safetensors"))
            self.assertTrue(torch.equal(again(ids).logits, model(ids).logits))


class Families(unittest.TestCase):
    def test_dense_budget_is_the_model(self):
        for family in FAMILIES:
            model, ids = model_of(family), tokens(37, 2)
            with torch.no_grad():
                want = model(ids).logits
                replaced = gsa.replace_attention(model, gsa.GSAConfig(**DENSE))
                self.assertIs(replaced, model)
                error = (model(ids).logits - want).abs().max().item()
                self.assertLess(error, 1e-10, family)

    def test_attention_implementation(self):
        gsa.register_attention()
        for family in FAMILIES:
            model, ids = model_of(family), tokens(21)
            with torch.no_grad():
                want = model(ids).logits
                model.set_attn_implementation("gsa")
                error = (model(ids).logits - want).abs().max().item()
                self.assertLess(error, 1e-10, family)

    def test_generation_equals_prefill(self):
        for family in FAMILIES:
            model = gsa.replace_attention(model_of(family),
                                          gsa.GSAConfig(**SPARSE))
            ids = tokens(70)
            with torch.no_grad():
                out = model.generate(
                    ids, max_new_tokens=64, do_sample=False,
                    no_repeat_ngram_size=1, output_logits=True,
                    return_dict_in_generate=True)
                logits = model(out.sequences, use_cache=False).logits
            self.assertEqual(out.sequences.shape[1], 134)
            error = (torch.stack(out.logits, 1) - logits[:, 69:-1]).abs().max()
            self.assertLess(error.item(), 1e-5, family)

    def test_beams_reorder_the_indexers_keys(self):
        model = gsa.replace_attention(model_of("Llama"),
                                      gsa.GSAConfig(**SPARSE))
        ids = tokens(40)
        with torch.no_grad():
            options = {"max_new_tokens": 8, "num_beams": 3, "do_sample": False,
                       "no_repeat_ngram_size": 1}
            torch.testing.assert_close(
                model.generate(ids, **options),
                model.generate(ids, use_cache=False, **options))

    def test_some_layers(self):
        model = gsa.replace_attention(model_of("Qwen2"), gsa.GSAConfig(**SPARSE),
                                      layers_to_replace=[1])
        kinds = [type(layer.self_attn).__name__ for layer in model.model.layers]
        self.assertEqual(kinds, ["Qwen2Attention", "Attention"])
        self.assertIn("model.layers.1.self_attn.indexer.q_proj.weight",
                      model.state_dict())
        with torch.no_grad():
            self.assertTrue(torch.isfinite(model(tokens(9)).logits).all())


class Refusals(unittest.TestCase):
    def refuses(self, pattern, call):
        with self.assertRaisesRegex(gsa.GsaError, pattern):
            call()

    def test_sliding_windows(self):
        self.refuses(
            "layer 0: got a sliding window of 16, expected none",
            lambda: gsa.replace_attention(model_of("Mistral",
                                                   sliding_window=16)))
        windowed = model_of("Qwen2", use_sliding_window=True, sliding_window=16,
                            max_window_layers=1)
        self.refuses("layer 1: got a sliding window of 16",
                     lambda: gsa.replace_attention(windowed))
        gsa.replace_attention(windowed, gsa.GSAConfig(**DENSE),
                              layers_to_replace=[0])
        self.refuses("got a sliding window of 16 over 40 keys",
                     lambda: windowed(tokens(40)))

    def test_weights_are_refused(self):
        # By call; transformers itself refuses it in the configuration.
        replaced = gsa.replace_attention(model_of("Llama"), gsa.GSAConfig(**DENSE))
        gsa.register_attention()
        dense = model_of("Llama")
        dense.set_attn_implementation("gsa")
        for model in (replaced, dense):
            self.refuses("output_attentions: got True, expected False",
                         lambda model=model: model(tokens(5),
                                                   output_attentions=True))

    def test_padding(self):
        model = gsa.replace_attention(model_of("Llama"), gsa.GSAConfig(**DENSE))
        mask = torch.ones(2, 5, dtype=torch.long)
        model(tokens(5, 2), attention_mask=mask)
        mask[0, 0] = 0
        self.refuses("attention_mask: got padding",
                     lambda: model(tokens(5, 2), attention_mask=mask))

    def test_other_models(self):
        self.refuses("got a model with GPT2Attention, expected one with "
                     "LlamaAttention",
                     lambda: gsa.replace_attention(
                         transformers.GPT2LMHeadModel(transformers.GPT2Config(
                             n_layer=1, n_embd=8, n_head=2, vocab_size=9))))
        self.refuses("layers_to_replace: got 7, expected 'all' or some of 0 to "
                     "1", lambda: gsa.replace_attention(
                         model_of("Llama"), gsa.GSAConfig(**DENSE), [7]))

    def test_arguments(self):
        model = model_of("Llama")
        self.refuses("config: got dict, expected a GSAConfig",
                     lambda: gsa.replace_attention(model, dict(DENSE)))
        for layers, got in ((1, "1"), ("al", "'al'")):
            self.refuses(f"layers_to_replace: got {got}, expected 'all' or",
                         lambda layers=layers: gsa.replace_attention(
                             model, layers_to_replace=layers))
        gsa.replace_attention(model, gsa.GSAConfig(**DENSE))
        self.refuses("has been replaced already",
                     lambda: gsa.replace_attention(model))


if __name__ == "__main__":
    unittest.main()
