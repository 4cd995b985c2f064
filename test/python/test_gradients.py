"""Gradients of the operators and of the module, by torch.autograd on a CPU."""

import unittest

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

import gsa
from gsa import _capi, _functions
from gsa import _torch_ops as ops
from test_torch import hidden, layer

F64 = torch.float64


def leaf(*shape, seed):
    return hidden(*shape, dtype=F64, seed=seed).requires_grad_()


def heads(sq=5, sk=6):
    return (leaf(2, sq, 4, 3, seed=1), leaf(2, sk, 2, 3, seed=2),
            leaf(2, sk, 2, 2, seed=3))


def finite(output, lse):
    """Rows without keys have an lse of -inf, on which nothing depends."""
    return output, torch.where(torch.isfinite(lse), lse, 0.0)


class Gradcheck(unittest.TestCase):
    """Against differences in float64."""

    def check(self, function, *inputs):
        self.assertTrue(torch.autograd.gradcheck(function, inputs,
                                                 atol=1e-6, rtol=1e-5))

    def test_sparse_attention(self):
        q, k, v = heads()
        indices = torch.randint(-1, 7, (2, 5, 4), dtype=torch.int32,
                                generator=torch.Generator().manual_seed(4))
        counts = torch.tensor([[4, 0, 2, 3, 1], [1, 4, 4, 0, 2]],
                              dtype=torch.int32)
        for gate in (None, leaf(2, 5, 4, 2, seed=5), leaf(2, 5, 4, seed=6)):
            given = () if gate is None else (gate,)
            self.check(lambda q, k, v, *g: finite(*ops.sparse_attention(
                q, k, v, indices, counts, *g, softmax_scale=0.7,
                gate_activation="silu")), q, k, v, *given)

    def test_dense_attention(self):
        q, k, v = heads(sq=6, sk=5)
        lengths = torch.tensor([5, 3], dtype=torch.int32)
        gate = leaf(2, 6, 4, 2, seed=5)
        self.check(lambda q, k, v, g: finite(*ops.dense_attention(
            q, k, v, g, lengths)), q, k, v, gate)
        self.check(lambda q, k, v: ops.dense_attention(
            q, k, v, causal=False)[0], q, k, v)

    def test_gated_sparse_attention(self):
        q, k, v = leaf(1, 6, 4, 4, seed=1), leaf(1, 6, 2, 4, seed=2), \
            leaf(1, 6, 2, 4, seed=3)
        index = hidden(1, 6, 2, 3, dtype=F64, seed=4), hidden(
            1, 6, 3, dtype=F64, seed=5)
        gates = leaf(1, 6, 2, 4, seed=6), leaf(1, 6, 4, 4, seed=7)
        positions = torch.arange(6).unsqueeze(0)
        self.check(lambda q, k, v, vg, og: ops.gated_sparse_attention(
            q, k, v, *index, 3, value_gate=vg, output_gate=og,
            positions=positions, policy="upstream_variance", k_min=2, k_max=4,
            gate_activation="tanh",
            rope_scaling='{"type": "ntk", "factor": 2.0}'), q, k, v, *gates)

    def test_prepare(self):
        q, k, v = leaf(1, 5, 4, 4, seed=1), leaf(1, 5, 2, 4, seed=2), \
            leaf(1, 5, 2, 3, seed=3)
        gate = leaf(1, 5, 2, 3, seed=4)
        positions = torch.tensor([[3, 1, 4, 1, 5]])
        self.check(lambda q, k, v, g: ops.prepare(q, k, v, positions, g),
                   q, k, v, gate)

    def test_layer(self):
        for fields in ({}, {"use_adaptive_k": False, "use_value_gate": False,
                            "use_output_gate": False}):
            module = layer(F64, d_model=8, n_heads=2, n_kv_heads=1,
                           d_indexer=4, k_base=3, k_min=2, k_max=4, **fields)
            x = hidden(1, 6, 8, dtype=F64).requires_grad_()
            parameters = [p for n, p in module.named_parameters()
                          if not n.startswith("indexer.")]
            self.check(lambda x, *p: module(x)[0], x, *parameters)


class Training(unittest.TestCase):
    def test_who_has_a_gradient(self):
        module = layer()
        module(hidden(2, 9, 64))[0].square().sum().backward()
        for name, parameter in module.named_parameters():
            if name.startswith("indexer."):
                self.assertIsNone(parameter.grad, name)
            else:
                self.assertGreater(parameter.grad.abs().max().item(), 0, name)

    def test_the_loss_falls(self):
        module = layer().train()
        x, want = hidden(1, 12, 64), hidden(1, 12, 64, seed=2)
        optimizer = torch.optim.SGD(module.parameters(), lr=0.05)
        losses = []
        for _ in range(5):
            optimizer.zero_grad()
            loss = (module(x)[0] - want).square().mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        self.assertEqual(losses, sorted(losses, reverse=True))

    def test_a_gradient_may_have_strides(self):
        q, k, v = heads()
        weights = hidden(4, 5, 2, 2, dtype=F64, seed=9).permute(3, 1, 0, 2)
        output, _ = ops.dense_attention(q, k, v)
        output.backward(weights)
        got, q.grad = q.grad, None
        ops.dense_attention(q, k, v)[0].backward(weights.contiguous())
        torch.testing.assert_close(got, q.grad, rtol=0, atol=0)
        # An expanded one, with strides of 0.
        ops.dense_attention(q, k, v)[0].sum().backward()

    def test_functions_of_the_package(self):
        """They are the operators where a tensor wants a gradient."""
        q, k, v = heads()
        index = hidden(2, 5, 2, 3, dtype=F64), hidden(2, 6, 3, dtype=F64)
        lists = gsa.index_topk(*index, k=3)
        for output in (
                gsa.dense_attention(q, k, v),
                gsa.dense_attention(q, k, v, return_lse=True)[0],
                gsa.sparse_attention(q, k, v, lists.indices),
                gsa.gated_sparse_attention(q, k, v, *index, k_base=3)):
            q.grad = None
            output.square().sum().backward()
            self.assertGreater(q.grad.abs().max().item(), 0)
        with torch.no_grad():
            self.assertFalse(gsa.dense_attention(q, k, v).requires_grad)

    def test_only_what_is_asked_for(self):
        q, k, v = heads()
        output, _ = ops.dense_attention(q.detach(), k, v.detach())
        output.sum().backward()
        self.assertIsNotNone(k.grad)
        self.assertIsNone(q.grad)

    def test_half_types(self):
        for dtype in (torch.bfloat16, torch.float16):
            q, k, v = (t.detach().to(dtype).requires_grad_() for t in heads())
            ops.dense_attention(q, k, v)[0].sum().backward()
            self.assertEqual(k.grad.dtype, dtype)

    def test_compile(self):
        q, k, v = heads()
        want = torch.autograd.grad(
            ops.dense_attention(q, k, v)[0].square().sum(), (q, k, v))
        compiled = torch.compile(
            lambda q, k, v: ops.dense_attention(q, k, v)[0].square().sum(),
            backend="aot_eager", fullgraph=True)
        got = torch.autograd.grad(compiled(q, k, v), (q, k, v))
        torch.testing.assert_close(got, want)


    def test_lists_have_the_shapes_that_compilers_are_told(self):
        index = hidden(2, 5, 2, 3), hidden(2, 9, 3)
        for given in ({"k": 3}, {"k": 30},
                      {"k": 3, "policy": "entropy"},
                      {"k": 3, "policy": "entropy", "k_max": 5},
                      {"k": 3, "policy": "upstream_variance", "k_min": 2,
                       "k_max": 8},
                      {"k": 3, "policy": "upstream_variance", "k_min": 6,
                       "k_max": 8},
                      {"k": 3, "policy": "upstream_variance", "k_max": 3}):
            want = [t.shape for t in ops.index_topk(*index, **given)]
            with FakeTensorMode() as mode:
                fakes = [mode.from_tensor(t) for t in index]
                got = [t.shape for t in ops.index_topk(*fakes, **given)]
            self.assertEqual(got, want, given)


class Indexer(unittest.TestCase):
    """The loss that trains the indexer."""

    def inputs(self):
        return (leaf(2, 5, 3, 4, seed=1), leaf(2, 6, 4, seed=2),
                leaf(2, 5, 3, seed=3), leaf(3, seed=4))

    def target(self):
        q, k, v = heads()
        _, lse = ops.dense_attention(q, k, v, causal=False)
        return q.detach(), k.detach(), lse.detach()

    def test_gradcheck(self):
        target = self.target()
        lists = gsa.index_topk(*(t.detach() for t in self.inputs()[:2]), k=3)
        for given in ({"indices": lists.indices,
                       "topk_length": lists.topk_length, "temperature": 0.25},
                      {"mean_heads": True, "clip": 0.5, "act": "identity"}):
            self.assertTrue(torch.autograd.gradcheck(
                lambda *x: ops.index_kl(*x[:2], *target, weights=x[2],
                                        bias=x[3], **given),
                self.inputs(), atol=1e-6, rtol=1e-5))

    def test_the_indexer_follows(self):
        inputs, target = self.inputs(), self.target()
        optimizer = torch.optim.Adam(inputs, lr=0.05)
        losses = []
        for _ in range(30):
            optimizer.zero_grad()
            loss = gsa.index_kl(*inputs[:2], *target, weights=inputs[2],
                                bias=inputs[3], temperature=0.125).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        self.assertLess(losses[-1], 0.5 * losses[0])

    def test_refusals(self):
        iq, ik, w, b = self.inputs()
        target = self.target()
        for pattern, given in (
                ("topk_length: got a tensor without indices",
                 {"topk_length": torch.ones(2, 5, dtype=torch.int32)}),
                ("temperature: got 0", {"temperature": 0}),
                ("clip: got -1", {"clip": -1}),
                ("act: got 'sigmid', .*nearest: sigmoid", {"act": "sigmid"})):
            with self.assertRaisesRegex(gsa.InvalidArgument, pattern):
                gsa.index_kl(iq, ik, *target, **given)


class Refusals(unittest.TestCase):
    def test_what_no_operator_has(self):
        q, k, v = heads()
        index = hidden(2, 5, 2, 3, dtype=F64), hidden(2, 6, 3, dtype=F64)
        for name, call in (
                ("out", lambda: gsa.dense_attention(
                    q, k, v, out=hidden(2, 5, 4, 2, dtype=F64))),
                ("return_selection", lambda: gsa.gated_sparse_attention(
                    q, k, v, *index, k_base=3, return_selection=True))):
            with self.assertRaisesRegex(
                    gsa.Unimplemented, f"{name}: got a value with tensors that "
                    f"want gradients, expected none"):
                call()

    def test_lists_have_no_gradient(self):
        a, b = leaf(1, 4, 2, 3, seed=1), leaf(1, 4, 3, seed=2)
        indices, counts, status = ops.index_topk(a, b, 2)
        self.assertFalse(indices.requires_grad)

    def backward(self, device=_capi.CPU):
        """Of dense attention, as if its tensors were on that device."""
        q, k, v = (t.detach().float() for t in heads())
        a, text = _functions.describe_dense_attention(q, k, v)
        a.views[0].device_type = device
        return a.run_backward(text, ["query"], {"output": hidden(2, 5, 4, 2)})

    def test_a_gpu(self):
        self.assertEqual(list(self.backward()["query"].shape), [2, 5, 4, 3])
        with self.assertRaisesRegex(gsa.Unimplemented,
                                    "dense_attention: backward: got tensors on "
                                    "GPU 0, expected the CPU"):
            self.backward(_capi.CUDA)

    def test_the_emulation_of_a_gpu(self):
        before = gsa.set_options(host_target="emu")
        try:
            with self.assertRaisesRegex(
                    gsa.Unimplemented,
                    "has no kernels: gradients run on the CPU target only"):
                self.backward()
        finally:
            gsa.set_options(**before)

    def test_what_is_asked_for_beside_a_gradient(self):
        q, k, v = heads()
        with self.assertRaisesRegex(gsa.Unimplemented,
                                    "out: got a value with tensors that want "
                                    "gradients"):
            gsa.dense_attention(q, k, v, out=torch.empty(2, 5, 4, 2, dtype=F64))

    def test_gradients_of_gradients(self):
        q, k, v = heads()
        output, _ = ops.dense_attention(q, k, v)
        first, = torch.autograd.grad(output.square().sum(), q,
                                     create_graph=True)
        with self.assertRaises(RuntimeError):
            torch.autograd.grad(first.sum(), q)


if __name__ == "__main__":
    unittest.main()
