"""What torch puts around a layer that trains: more processes, autocast,
checkpoints, compilers."""

import os
import tempfile
import unittest

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import gsa
from test_torch import hidden, layer

F64 = torch.float64
SMALL = {"d_model": 32, "n_heads": 4, "n_kv_heads": 2, "d_indexer": 8,
         "use_adaptive_k": False, "k_base": 5}


class Loss(nn.Module):
    """A layer with a loss of its output and one of its indexer, so that every
    parameter has a gradient, each of one of them."""

    def __init__(self, dtype=F64, over="selected"):
        super().__init__()
        self.layer, self.over = layer(dtype, **SMALL), over

    def forward(self, x):
        output, loss = self.layer(x, index_loss=self.over)
        return output.square().mean() + loss.mean()


def gradients(module, loss):
    module.zero_grad()
    loss.backward()
    return {name.removeprefix("module."): p.grad
            for name, p in module.named_parameters()}


def in_process(rank, folder):
    """One of two processes, which has a half of the batch."""
    import torch.distributed as dist
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard
    torch.set_num_threads(1)
    gsa.set_options(num_threads=1)
    dist.init_process_group("gloo", rank=rank, world_size=2,
                            init_method=f"file://{folder}/meeting")
    x = hidden(2, 12, 32, dtype=F64)[rank:rank + 1]
    module = nn.parallel.DistributedDataParallel(Loss())
    ddp = gradients(module, module(x))
    module = Loss()
    mesh = init_device_mesh("cpu", (2,))
    fully_shard(module.layer, mesh=mesh)
    fully_shard(module, mesh=mesh)
    fsdp = gradients(module, module(x))
    fsdp = {name: p.full_tensor() for name, p in fsdp.items()}
    if rank == 0:
        torch.save((ddp, fsdp), os.path.join(folder, "gradients.pt"))
    dist.destroy_process_group()


class Around(unittest.TestCase):
    def same(self, got, want, atol=1e-12):
        self.assertEqual(list(got), list(want))
        for name, gradient in want.items():
            self.assertGreater(gradient.abs().max().item(), 0, name)
            torch.testing.assert_close(got[name], gradient, rtol=1e-9,
                                       atol=atol, msg=lambda m, n=name:
                                       f"{n}: {m}")

    def test_two_processes(self):
        """DDP and FSDP2 over gloo have the gradients of the whole batch."""
        with tempfile.TemporaryDirectory() as folder:
            torch.multiprocessing.spawn(in_process, (folder,), nprocs=2)
            ddp, fsdp = torch.load(os.path.join(folder, "gradients.pt"))
        module = Loss()
        want = gradients(module, module(hidden(2, 12, 32, dtype=F64)))
        self.same(ddp, want)
        self.same(fsdp, want)

    def test_checkpoint(self):
        """What is computed again is what was computed, bit for bit."""
        for over in ("all", "selected"):
            module = Loss(over=over)
            x = hidden(1, 12, 32, dtype=F64).requires_grad_()
            want = gradients(module, module(x))
            own, x.grad = x.grad, None
            for reentrant in (False, True):
                got = gradients(module, checkpoint(module, x,
                                                   use_reentrant=reentrant))
                for name, gradient in want.items():
                    self.assertTrue(torch.equal(got[name], gradient), name)
                self.assertTrue(torch.equal(x.grad, own))
                x.grad = None

    def test_autocast(self):
        """Parameters in f32, kernels in bf16, gradients in f32 again."""
        for over in ("all", "selected"):
            module, x = Loss(torch.float32, over), hidden(2, 12, 32)
            want = gradients(module, module(x))
            with torch.autocast("cpu", torch.bfloat16):
                loss = module(x)
            got = gradients(module, loss)
            for name, gradient in want.items():
                self.assertEqual(got[name].dtype, torch.float32)
                if over == "selected":
                    # Rounded scores may select other keys.
                    self.assertTrue(torch.isfinite(got[name]).all(), name)
                    continue
                error = (got[name] - gradient).norm() / gradient.norm()
                self.assertLess(error.item(), 0.05, name)

    def test_compile(self):
        for over in ("all", "selected"):
            module, x = Loss(over=over), hidden(1, 12, 32, dtype=F64)
            want = gradients(module, module(x))
            compiled = torch.compile(module, backend="aot_eager",
                                     fullgraph=True)
            self.same(gradients(module, compiled(x)), want)


if __name__ == "__main__":
    unittest.main()
