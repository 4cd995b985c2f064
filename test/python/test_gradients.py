"""Gradients of the operators and of the module, by torch.autograd on a CPU."""

import os
import unittest
from unittest import mock

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

import gsa
from gsa import _capi, _functions, _plan
from gsa import _torch_ops as ops
from test_torch import hidden, layer

F64 = torch.float64
HAS_HOST_COMPILER = any(os.path.exists(f"/usr/bin/{name}") for name in
                        ("clang++-22", "clang++", "g++", "c++"))


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


class Saved(unittest.TestCase):
    """What is saved changes no bit of a gradient."""

    def setUp(self):
        before = gsa.set_options(save="none")
        self.addCleanup(lambda: gsa.set_options(**before))

    def gradients(self, save, function, inputs):
        """The gradients, and the bytes that autograd holds for them beside the
        arguments."""
        gsa.set_options(save=save)
        known = {t.data_ptr() for t in inputs}
        held = {}

        def pack(tensor):
            if tensor.data_ptr() not in known:
                held[tensor.data_ptr()] = tensor.nbytes
            return tensor
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
            output = function(*inputs)
        # Chosen when it was called, not now.
        gsa.set_options(save="none")
        return torch.autograd.grad(output, inputs, hidden(
            *output.shape, dtype=F64, seed=8)), sum(held.values())

    def check(self, function, *inputs):
        want, nothing = self.gradients("none", function, inputs)
        held = [nothing]
        for save in ("lists", "attention", "all"):
            got, more = self.gradients(save, function, inputs)
            for a, b in zip(got, want):
                self.assertTrue(torch.equal(a, b), save)
            held.append(more)
        self.assertEqual(held, sorted(held))
        self.assertLess(held[0], held[2])
        return held

    def test_functions(self):
        q, k, v = heads()
        gate = leaf(2, 5, 4, 2, seed=5)
        index = hidden(2, 5, 2, 3, dtype=F64), hidden(2, 6, 3, dtype=F64)
        lists = gsa.index_topk(*index, k=3)
        self.check(lambda q, k, v, g: gsa.sparse_attention(
            q, k, v, lists.indices, gate=g), q, k, v, gate)
        self.check(lambda q, k, v: gsa.dense_attention(q, k, v), q, k, v)
        held = self.check(lambda q, k, v, g: gsa.gated_sparse_attention(
            q, k, v, *index, k_base=3, output_gate=g), q, k, v, gate)
        # Lists [2,5,3] and their counts, int32.
        self.assertEqual(held[1] - held[0], 2 * 5 * 4 * (3 + 1))

    def test_layer_and_compile(self):
        module = layer(F64, use_adaptive_k=False)
        x = hidden(1, 20, 64, dtype=F64).requires_grad_()
        want = torch.autograd.grad(module(x)[0].square().sum(), x)[0]
        gsa.set_options(save="attention")
        for function in (module, torch.compile(module, fullgraph=True,
                                               backend="aot_eager")):
            got = torch.autograd.grad(function(x)[0].square().sum(), x)[0]
            torch.testing.assert_close(got, want, rtol=0, atol=1e-14)

    def test_opcheck(self):
        q, k, v = (t.detach().float().requires_grad_() for t in heads())
        for save in ("none", "attention"):
            torch.library.opcheck(ops._SAVING["dense_attention"],
                                  (save, q, k, v))

    def test_refusal(self):
        with self.assertRaisesRegex(gsa.InvalidArgument,
                                    "set_options: save: got 'atention', expected "
                                    "one of none, .*nearest: attention"):
            gsa.set_options(save="atention")


class LayerWithLoss(unittest.TestCase):
    """index_loss of the module: the indexer learns by its own loss alone."""

    SMALL = {"d_model": 8, "n_heads": 2, "n_kv_heads": 1, "d_indexer": 4,
             "k_base": 3, "k_min": 2, "k_max": 4}

    def test_gradcheck(self):
        for over, fields in (("all", {}), (
                "selected", {"index_loss_clip": 0.4, "sink": 1,
                             "use_value_gate": False})):
            module = layer(F64, **{**self.SMALL, **fields})
            x = hidden(1, 6, 8, dtype=F64).requires_grad_()
            indexer = list(module.indexer.parameters())
            others = [p for n, p in module.named_parameters()
                      if not n.startswith("indexer.")]
            for result, inputs in ((0, (x, *others)), (1, indexer)):
                self.assertTrue(torch.autograd.gradcheck(
                    lambda *_: module(x, index_loss=over)[result], inputs,
                    atol=1e-6, rtol=1e-5))
            # And nothing of the other.
            module.zero_grad()
            x.grad = None
            module(x, index_loss=over)[1].sum().backward()
            self.assertIsNone(x.grad)
            for p in others:
                self.assertIsNone(p.grad)

    def test_output_and_loss(self):
        """The output is that of a call without a loss, where that selects."""
        module, x = layer(F64), hidden(2, 21, 64, dtype=F64)
        output, loss = module(x, index_loss="selected")
        torch.testing.assert_close(output, module(x)[0])
        self.assertEqual(list(loss.shape), [2, 21])
        self.assertLess(loss[:, 0].abs().max().item(), 1e-12)  # One key.
        dense = layer(F64, k_base=32, use_adaptive_k=False)
        torch.testing.assert_close(module(x, index_loss="all")[0], dense(x)[0])

    def test_refusals(self):
        x = hidden(1, 9, 64)
        for pattern, module, given in (
                ("got 'some', expected one of all, selected", layer(),
                 {"index_loss": "some"}),
                ("with a cache", layer(),
                 {"index_loss": "all", "use_cache": True}),
                ("a budget of at least 40 keys for 9 tokens",
                 layer(use_adaptive_k=False, k_base=40),
                 {"index_loss": "selected"}),
                ("sink = 4 and local = 4, which fill a budget of at most 8",
                 layer(use_adaptive_k=False, sink=4, local=4),
                 {"index_loss": "selected"})):
            with self.assertRaisesRegex(gsa.InvalidArgument, pattern):
                module(x, **given)


class Cache(unittest.TestCase):
    """A sequence in parts has the gradients of the whole one."""

    def test_parts(self):
        module = layer(F64, use_adaptive_k=False)
        x = hidden(2, 20, 64, dtype=F64).requires_grad_()
        weights = hidden(2, 20, 64, dtype=F64, seed=3)

        def gradients(output):
            module.zero_grad()
            x.grad = None
            (output * weights).sum().backward()
            return [x.grad] + [p.grad for p in module.parameters()]
        want = gradients(module(x)[0])
        first, cache = module(x[:, :11], use_cache=True)
        second, cache = module(x[:, 11:19], past_key_value=cache)
        third, cache = module(x[:, 19:], past_key_value=cache)
        got = gradients(torch.cat([first, second, third], 1))
        torch.testing.assert_close(got, want)
        self.assertEqual(len(cache), 20)

    def test_without_gradients_nothing_is_kept(self):
        module, x = layer(use_adaptive_k=False), hidden(1, 9, 64)
        with torch.no_grad():
            _, cache = module(x[:, :8], use_cache=True)
            before = cache.tensors[0]
            module(x[:, 8:], past_key_value=cache)
        self.assertIs(cache.tensors[0], before)
        self.assertFalse(before.requires_grad)


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

    def test_numbers_that_are_none(self):
        q, k, v = (t.detach() for t in heads())
        iq, ik = hidden(2, 5, 2, 3, dtype=F64), hidden(2, 6, 3, dtype=F64)
        lists = torch.zeros(2, 5, 1, dtype=torch.int32)
        lse = torch.zeros(2, 4, 5, dtype=F64)
        for name, call in (
                ("softmax_scale", lambda x: gsa.dense_attention(
                    q, k, v, softmax_scale=x)),
                ("softmax_scale", lambda x: gsa.sparse_attention(
                    q, k, v, lists, softmax_scale=x)),
                ("softmax_scale", lambda x: gsa.gated_sparse_attention(
                    q, k, v, iq, ik, k_base=2, softmax_scale=x)),
                ("index_scale", lambda x: gsa.gated_sparse_attention(
                    q, k, v, iq, ik, k_base=2, index_scale=x)),
                ("rope_base", lambda x: gsa.gated_sparse_attention(
                    q, k, v, iq, ik, k_base=2, rope_base=x)),
                ("scale", lambda x: gsa.index_topk(iq, ik, k=2, scale=x)),
                ("temperature", lambda x: gsa.index_topk(
                    iq, ik, k=2, policy="entropy", temperature=x)),
                ("rope_scaling factor", lambda x: gsa.gated_sparse_attention(
                    q, k, v, iq, ik, k_base=2,
                    rope_scaling={"type": "ntk", "factor": x})),
                ("index_scale", lambda x: gsa.index_kl(
                    iq, ik, q, k, lse, index_scale=x)),
                ("softmax_scale", lambda x: gsa.index_kl(
                    iq, ik, q, k, lse, softmax_scale=x)),
                ("temperature", lambda x: gsa.index_kl(
                    iq, ik, q, k, lse, temperature=x)),
                ("clip", lambda x: gsa.index_kl(iq, ik, q, k, lse, clip=x)),
                ("rope_base", lambda x: gsa.GSAConfig(rope_base=x)),
                ("index_loss_clip", lambda x: gsa.GSAConfig(
                    index_loss_clip=x)),
                ("adaptive_k_temperature", lambda x: gsa.GSAConfig(
                    adaptive_k_temperature=x))):
            for value in (float("nan"), float("inf"), float("-inf"), "much"):
                with self.assertRaisesRegex(
                        gsa.InvalidArgument,
                        f"{name}: got '?{value}'?, expected a (finite|positive) "
                        f"number"):
                    call(value)

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
        """The backward function is compiled for where the tensors are."""
        self.assertEqual(list(self.backward()["query"].shape), [2, 5, 4, 3])
        with mock.patch.object(
                _plan, "kept_plan",
                side_effect=_capi.Unimplemented("no kernels")) as compiled:
            with self.assertRaisesRegex(
                    gsa.Unimplemented,
                    "dense_attention: backward: cuda:0: no kernels"):
                self.backward(_capi.CUDA)
        _, target, entry = compiled.call_args.args
        self.assertEqual((target, entry), ("cuda:0", "main_backward"))

    def test_the_emulation_of_a_gpu(self):
        before = gsa.set_options(host_target="emu")
        try:
            with self.assertRaisesRegex(
                    gsa.Unimplemented,
                    "dense_attention: backward: emu: .*has no kernels: this "
                    "gradient runs on the CPU target only"):
                self.backward()
        finally:
            gsa.set_options(**before)

    @unittest.skipUnless(HAS_HOST_COMPILER,
                         "the emulation needs a C++20 compiler")
    def test_emulated_kernels_of_gradients_agree(self):
        q, k, v, gate = (t.detach().float().requires_grad_() for t in (
            leaf(1, 5, 4, 4, seed=1), leaf(1, 5, 2, 4, seed=2),
            leaf(1, 5, 2, 3, seed=3), leaf(1, 5, 2, 3, seed=4)))
        positions = torch.tensor([[3, 1, 4, 1, 5]])

        def gradients():
            results = ops.prepare(q, k, v, positions, gate)
            return torch.autograd.grad(sum(r.square().sum() for r in results),
                                       (q, k, v, gate))

        want = gradients()
        before = gsa.set_options(host_target="emu")
        try:
            got = gradients()
            self.assertIn("emulation", gsa.last_dispatch().target)
        finally:
            gsa.set_options(**before)
        for a, b in zip(got, want):
            torch.testing.assert_close(a, b)

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
