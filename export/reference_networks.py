"""Small networks of the kinds that people export, with PyTorch's derivatives: what the ONNX autodiff is tested against.

    python reference_networks.py OUT        OUT/NAME.onnx, OUT/NAME.safetensors for each network
    python reference_networks.py OUT unet-diffusers dit

The safetensors file holds the graph's inputs by name, a cotangent `v`, a tangent `u` (shapes of output and of the noisy image), and from
PyTorch in float64 `output`, `vjp` = Jᵀ v and `jvp` = J u, J = ∂output/∂(noisy image). Weights are random but not at their initial zeros, so that
every path carries a derivative; they are rounded to float32 before anything is computed.

unet-diffusers   diffusers' UNet2DModel with attention, GroupNorm and SiLU; TorchScript exporter, opset 17; timestep int64
unet-guided      after guided-diffusion (Dhariwal & Nichol 2021): scale-shift GroupNorm, attention over heads, learned sigma (twice the channels);
                 torch.export exporter, opset 18; timestep float
dit              a diffusion transformer (Peebles & Xie 2023): patches, LayerNorm without affine, adaLN-Zero, GELU; torch.export exporter, opset 20
"""
import math
import os
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.numpy import save_file
from torch.nn.attention import SDPBackend, sdpa_kernel

torch.set_num_threads(1)


def timestep_embedding(t, size, period=10000.0):
    """t [batch] → cosines, then sines, [batch, size]."""
    half = size // 2
    frequencies = torch.exp(-math.log(period) * torch.arange(half, dtype=t.dtype, device=t.device) / half)
    angles = t[:, None] * frequencies[None]
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


class GuidedBlock(nn.Module):
    def __init__(self, channels, out, embedding, mode=None):
        super().__init__()
        self.mode = mode
        self.norm1, self.conv1 = nn.GroupNorm(8, channels), nn.Conv2d(channels, out, 3, padding=1)
        self.embed = nn.Linear(embedding, 2 * out)
        self.norm2, self.conv2 = nn.GroupNorm(8, out), nn.Conv2d(out, out, 3, padding=1)
        self.skip = nn.Identity() if channels == out else nn.Conv2d(channels, out, 1)

    def resample(self, x):
        if self.mode == 'down':
            return F.avg_pool2d(x, 2)
        if self.mode == 'up':
            return F.interpolate(x, scale_factor=2.0, mode='nearest')
        return x

    def forward(self, x, emb):
        h = self.conv1(self.resample(F.silu(self.norm1(x))))
        scale, shift = self.embed(F.silu(emb))[:, :, None, None].chunk(2, dim=1)
        h = self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))
        return self.skip(self.resample(x)) + h


class GuidedAttention(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.heads = heads
        self.norm, self.qkv, self.proj = nn.GroupNorm(8, channels), nn.Conv1d(channels, 3 * channels, 1), nn.Conv1d(channels, channels, 1)

    def forward(self, x):
        b, c, h, w = x.shape
        flat = x.reshape(b, c, h * w)
        q, k, v = self.qkv(self.norm(flat)).chunk(3, dim=1)
        size = c // self.heads
        scale = 1 / math.sqrt(math.sqrt(size))
        q, k, v = (t.reshape(b * self.heads, size, h * w) for t in (q, k, v))
        weight = torch.softmax(torch.einsum('bct,bcs->bts', q * scale, k * scale), dim=-1)
        a = torch.einsum('bts,bcs->bct', weight, v).reshape(b, c, h * w)
        return (flat + self.proj(a)).reshape(b, c, h, w)


class GuidedUNet(nn.Module):
    """Predicts epsilon and the variance's interpolation: [batch, 3, h, w] → [batch, 6, h, w]."""

    def __init__(self, channels=3, width=16, embedding=32):
        super().__init__()
        self.width = width
        self.time = nn.Sequential(nn.Linear(width, embedding), nn.SiLU(), nn.Linear(embedding, embedding))
        self.stem = nn.Conv2d(channels, width, 3, padding=1)
        self.enc = GuidedBlock(width, width, embedding)
        self.down = GuidedBlock(width, width, embedding, 'down')
        self.enc2, self.attention = GuidedBlock(width, 2 * width, embedding), GuidedAttention(2 * width, 2)
        self.middle = GuidedBlock(2 * width, 2 * width, embedding)
        self.dec2, self.attention2 = GuidedBlock(4 * width, 2 * width, embedding), GuidedAttention(2 * width, 2)
        self.up = GuidedBlock(2 * width, 2 * width, embedding, 'up')
        self.dec = GuidedBlock(3 * width, width, embedding)
        self.norm, self.out = nn.GroupNorm(8, width), nn.Conv2d(width, 2 * channels, 3, padding=1)

    def forward(self, x, timesteps):
        emb = self.time(timestep_embedding(timesteps, self.width))
        a = self.enc(self.stem(x), emb)
        b = self.attention(self.enc2(self.down(a, emb), emb))
        h = self.middle(b, emb)
        h = self.attention2(self.dec2(torch.cat([h, b], dim=1), emb))
        h = self.dec(torch.cat([self.up(h, emb), a], dim=1), emb)
        return self.out(F.silu(self.norm(h)))


class DiTBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = (nn.LayerNorm(width, elementwise_affine=False, eps=1e-6) for _ in range(2))
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(approximate='tanh'), nn.Linear(4 * width, width))
        self.modulation = nn.Linear(width, 6 * width)

    def forward(self, x, c):
        b, n, w = x.shape
        s1, c1, g1, s2, c2, g2 = self.modulation(F.silu(c)).chunk(6, dim=1)
        h = self.norm1(x) * (1 + c1[:, None]) + s1[:, None]
        q, k, v = self.qkv(h).reshape(b, n, 3, self.heads, w // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        h = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, w)
        x = x + g1[:, None] * self.proj(h)
        h = self.norm2(x) * (1 + c2[:, None]) + s2[:, None]
        return x + g2[:, None] * self.mlp(h)


class DiT(nn.Module):
    """Predicts v: [batch, 3, 16, 16] → the same, patches of 2 × 2."""

    def __init__(self, channels=3, side=16, patch=2, width=32, depth=2, heads=4):
        super().__init__()
        self.channels, self.patch, self.grid, self.width = channels, patch, side // patch, width
        self.embed = nn.Conv2d(channels, width, patch, stride=patch)
        self.register_buffer('position', 0.5 * torch.randn(1, self.grid**2, width))
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.blocks = nn.ModuleList(DiTBlock(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.modulation, self.out = nn.Linear(width, 2 * width), nn.Linear(width, patch * patch * channels)

    def forward(self, x, timesteps):
        b = x.shape[0]
        h = self.embed(x).flatten(2).transpose(1, 2) + self.position
        c = self.time(timestep_embedding(timesteps, self.width))
        for block in self.blocks:
            h = block(h, c)
        shift, scale = self.modulation(F.silu(c)).chunk(2, dim=1)
        h = self.out(self.norm(h) * (1 + scale[:, None]) + shift[:, None])
        h = h.reshape(b, self.grid, self.grid, self.patch, self.patch, self.channels)
        return torch.einsum('nhwpqc->nchpwq', h).reshape(b, self.channels, self.grid * self.patch, self.grid * self.patch)


def diffusers_unet():
    from diffusers import UNet2DModel

    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.unet = UNet2DModel(
                sample_size=16, in_channels=1, out_channels=1, layers_per_block=1, block_out_channels=(16, 32), norm_num_groups=8,
                down_block_types=('DownBlock2D', 'AttnDownBlock2D'), up_block_types=('AttnUpBlock2D', 'UpBlock2D'), attention_head_dim=8,
            )

        def forward(self, sample, timestep):
            return self.unet(sample, timestep).sample

    return Plain()


NETWORKS = {
    'unet-diffusers': dict(make=diffusers_unet, channels=1, names=('sample', 'timestep'), out='out_sample', time=torch.tensor([37, 620]), dynamo=False, opset=17),
    'unet-guided': dict(make=GuidedUNet, channels=3, names=('x', 'timesteps'), out='output', time=torch.tensor([12.5, 731.0]), dynamo=True, opset=18),
    'dit': dict(make=DiT, channels=3, names=('x', 'timesteps'), out='v', time=torch.tensor([88.0, 402.0]), dynamo=True, opset=20),
}


def reference(name, spec, folder, generator):
    torch.manual_seed(0)
    network = spec['make']().eval()
    with torch.no_grad():
        for parameter in network.parameters():  # zero-initialised layers would hide whole branches
            if parameter.abs().max() == 0:
                parameter.normal_(0, 0.1)
    x = torch.randn(2, spec['channels'], 16, 16, generator=generator)
    path = os.path.join(folder, f'{name}.onnx')
    common = dict(input_names=list(spec['names']), output_names=[spec['out']], opset_version=spec['opset'])
    if spec['dynamo']:
        batch = torch.export.Dim('batch', min=1, max=64)
        torch.onnx.export(network, (x, spec['time']), path, dynamo=True, dynamic_shapes=({0: batch}, {0: batch}), external_data=False, **common)
    else:
        axes = {n: {0: 'batch'} for n in (*spec['names'], spec['out'])}
        torch.onnx.export(network, (x, spec['time']), path, dynamo=False, dynamic_axes=axes, **common)
    exact = network.double()
    time = spec['time'] if spec['time'].dtype == torch.int64 else spec['time'].double()
    function = lambda image: exact(image, time)
    with torch.no_grad():
        output = function(x.double())
    u = torch.randn(x.shape, generator=generator)
    v = torch.randn(output.shape, generator=generator)
    _, vjp = torch.autograd.functional.vjp(function, x.double(), v.double())
    # J u by the derivative of Jᵀ w in w, which needs no forward-mode rules
    w = torch.zeros_like(output, requires_grad=True)
    image = x.double().requires_grad_()
    with sdpa_kernel(SDPBackend.MATH):  # the fused kernels have no second derivative
        (pulled,) = torch.autograd.grad(function(image), image, w, create_graph=True)
        (jvp,) = torch.autograd.grad(pulled, w, u.double())
    single = lambda t: np.ascontiguousarray(t.detach().float().numpy())
    tensors = {spec['names'][0]: single(x), spec['names'][1]: spec['time'].numpy(), 'u': single(u), 'v': single(v)}
    tensors |= {'output': single(output), 'vjp': single(vjp), 'jvp': single(jvp)}
    save_file(tensors, os.path.join(folder, f'{name}.safetensors'))
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    got = session.run(None, {n: tensors[n] for n in spec['names']})[0]
    error = np.linalg.norm(got - tensors['output']) / np.linalg.norm(tensors['output'])
    print(name, os.path.getsize(path), 'bytes; onnxruntime against PyTorch, relative in norm:', f'{error:.1e}', flush=True)


def main():
    folder, *names = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    for name in names or NETWORKS:
        reference(name, NETWORKS[name], folder, torch.Generator().manual_seed(1))


if __name__ == '__main__':
    main()
