"""Checkpoint → public/models/NAME/denoiser.onnx: python export_onnx.py WORK NAME OUT [--ema ema10]

ONNX opset 17; inputs `x` [batch, channels, height, width] (sizes dynamic for photo-64) and `sigma` [batch], output `x0`. The preconditioning is inside and all
gains are folded into the weights, which are stored as float16 with a Cast to float32 behind each; pixel shuffle is one ConvTranspose with a constant kernel. The file is compared
with PyTorch by ONNX Runtime at three noise levels and several sizes.
"""
import argparse
import collections
import math
import os

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn as nn
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

from denoiser import CONFIGS, NORM_EPSILON, SIGMA_DATA, SILU_GAIN, Denoiser
from train import load

#: Kept in float32: the embedding's angles and a bias, which are small and sensitive.
SINGLE = ('freqs', 'phases', 'stem_bias')


class Plain(nn.Module):
    """The same function with all scales folded into plain weights."""

    def __init__(self, denoiser):
        super().__init__()
        net = denoiser.net
        self.patch, self.sizes = net.patch, net.sizes
        self.encoder, self.decoder = [len(blocks) for blocks in net.enc], [len(blocks) for blocks in net.dec]
        self.keep = net.enc[0][0].keep
        weights = {
            'emb0': net.emb0.scaled(), 'emb1': net.emb1.scaled() * SILU_GAIN, 'mod': net.mod.scaled() * net.mod_gain * SILU_GAIN,
            'stem': net.stem.scaled(), 'stem_bias': net.stem_bias, 'out': net.out.scaled() * net.out_gain * SILU_GAIN,
            'freqs': net.freqs * (2 * math.pi), 'phases': net.phases * (2 * math.pi),
            'shuffle': torch.eye(net.channels * net.patch**2).reshape(-1, net.channels, net.patch, net.patch),
        }  # fmt: skip
        for side, levels in (('enc', net.enc), ('dec', net.dec)):
            for level, blocks in enumerate(levels):
                for k, block in enumerate(blocks):
                    weights[f'{side}{level}{k}a'] = block.a.scaled() * SILU_GAIN
                    weights[f'{side}{level}{k}b'] = block.b.scaled() * block.add * SILU_GAIN
        for level in range(len(net.down)):
            weights[f'down{level}'] = net.down[level].scaled() * math.sqrt(2)
            weights[f'up{level}'] = net.up[level].scaled() * math.sqrt(0.5)
            weights[f'skip{level}'] = net.skip[level].scaled() * math.sqrt(0.5)
        for name, weight in weights.items():
            weight = weight.detach()
            self.register_buffer(name, (weight if name in SINGLE else weight.half().float()).contiguous())

    def block(self, name, x, modulation):
        y = F.conv2d(F.silu(x), getattr(self, name + 'a'), padding=1)
        return x * self.keep + F.conv2d(F.silu(y * modulation), getattr(self, name + 'b'), padding=1)

    def forward(self, x, sigma):
        s = sigma.reshape(-1, 1, 1, 1)
        square = s * s + SIGMA_DATA**2
        root = torch.sqrt(square)
        emb = torch.cos((torch.log(sigma) * 0.25).reshape(-1, 1) * self.freqs + self.phases) * math.sqrt(2)
        emb = F.silu(F.silu(emb @ self.emb0.t()) @ self.emb1.t())
        modulations = iter((emb @ self.mod.t() + 1).reshape(-1, sum(self.sizes), 1, 1).split(self.sizes, dim=1))
        h = F.conv2d(x / root, self.stem, self.stem_bias, stride=self.patch, padding=1)
        kept = []
        for level, count in enumerate(self.encoder):
            if level:
                kept.append(h)
                h = F.conv2d(F.avg_pool2d(h, 2), getattr(self, f'down{level - 1}'))
            h = h / torch.sqrt((h * h).mean(dim=1, keepdim=True) + NORM_EPSILON)
            for k in range(count):
                h = self.block(f'enc{level}{k}', h, next(modulations))
        for level in reversed(range(len(self.decoder))):
            if level < len(self.decoder) - 1:
                upper = F.interpolate(F.conv2d(h, getattr(self, f'up{level}')), scale_factor=2.0, mode='nearest')
                h = upper + F.conv2d(kept.pop(), getattr(self, f'skip{level}'))
            for k in range(self.decoder[level]):
                h = self.block(f'dec{level}{k}', h, next(modulations))
        network = F.conv_transpose2d(F.conv2d(F.silu(h), self.out, padding=1), self.shuffle, stride=self.patch)
        return x * (SIGMA_DATA**2 / square) + network * (s * SIGMA_DATA / root)


def trained(work, name, average):
    """The denoiser with the averaged weights of the newest checkpoint, and that checkpoint."""
    checkpoint = load(os.path.join(work, 'runs', name))
    if checkpoint is None:
        raise SystemExit(f'{work}/runs/{name} has no checkpoint: run train.py first.')
    denoiser = Denoiser(name).eval()
    denoiser.load_state_dict(checkpoint['ema'][average])
    return denoiser, checkpoint


def halve_weights(model):
    """Stores every large weight that float16 holds exactly as float16, with a Cast to float32 behind it."""
    casts = []
    for tensor in model.graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.dtype != np.float32 or value.size <= 256 or not np.array_equal(value.astype(np.float16).astype(np.float32), value):
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(value.astype(np.float16), name + '_f16'))
        casts.append(helper.make_node('Cast', [name + '_f16'], [name], to=TensorProto.FLOAT))
    nodes = casts + list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)


def compare(path, plain, denoiser, channels):
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    relative = lambda a, b: np.linalg.norm(a - b) / np.linalg.norm(b)
    for size in [(32, 32)] if channels == 1 else [(64, 64), (96, 64), (256, 256)]:
        for level in (0.002, 0.5, 80.0):
            sigma = torch.tensor([level])
            x = torch.randn(1, channels, *size) * (0.5 + level)
            with torch.no_grad():
                same, single = plain(x, sigma).numpy(), denoiser(x, sigma).numpy()
            got = session.run(None, {'x': x.numpy(), 'sigma': sigma.numpy()})[0]
            print(f'{size} sigma {level}: against PyTorch {relative(got, same):.1e}, of which by float16 weights {relative(same, single):.1e}')
            if relative(got, same) > 1e-5:
                raise SystemExit('The exported file does not compute what PyTorch computes.')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('work')
    parser.add_argument('name')
    parser.add_argument('out')
    parser.add_argument('--ema', default='ema10')
    options = parser.parse_args()
    torch.set_num_threads(1)
    denoiser, checkpoint = trained(options.work, options.name, options.ema)
    plain, channels = Plain(denoiser).eval(), CONFIGS[options.name]['channels']
    side = 32 if channels == 1 else 64
    spatial = {0: 'batch'} if channels == 1 else {0: 'batch', 2: 'height', 3: 'width'}
    inputs = (torch.randn(2, channels, side, side), torch.tensor([0.3, 3.0]))
    path = os.path.join(options.out, 'denoiser.onnx')
    os.makedirs(options.out, exist_ok=True)
    torch.onnx.export(
        plain, inputs, path, input_names=['x', 'sigma'], output_names=['x0'], opset_version=17, dynamo=False,
        dynamic_axes={'x': spatial, 'sigma': {0: 'batch'}, 'x0': spatial},
    )  # fmt: skip
    model = onnx.load(path)
    halve_weights(model)
    onnx.save(model, path)
    counts = collections.Counter(node.op_type for node in model.graph.node)
    print(path, os.path.getsize(path), 'bytes at step', checkpoint['step'], dict(counts))
    compare(path, plain, denoiser, channels)


if __name__ == '__main__':
    main()
