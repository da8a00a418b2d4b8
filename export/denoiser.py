"""The bundled denoisers: a small magnitude-preserving U-Net (after EDM2, Karras et al. 2024) with EDM preconditioning (Karras et al. 2022).

    d(x, sigma) = c_skip x + c_out F(c_in x, log(sigma)/4),   c_skip = s²/(sigma²+s²), c_out = sigma s/√(sigma²+s²), c_in = 1/√(sigma²+s²), s = 0.5

Every convolution keeps unit norm per output channel, so that activations neither grow nor need a norm over the image, which would tie the network to one
image size; encoder levels normalise each pixel over its channels. No attention, no groups: what runs fast and right on ONNX Runtime's WebGPU provider. A 4 × 4
convolution of stride 2 begins and a pixel shuffle ends it.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

CONFIGS = {
    'fashion-32': dict(channels=1, patch=2, widths=(48, 128), encoder=(1, 2), decoder=(1, 2)),
    'photo-64': dict(channels=3, patch=2, widths=(48, 80, 144), encoder=(1, 1, 2), decoder=(1, 1, 2)),
}
SIGMA_DATA = 0.5
SIGMA_MIN, SIGMA_MAX = 0.002, 80.0

#: An input of variance 1 leaves SiLU with standard deviation 0.596; the next weights make up for it.
SILU_GAIN = 1 / 0.596
#: Share of the new in a residual sum (1 - t) x + t y, scaled to keep the variance.
RESIDUAL = 0.3
#: Encoder: variance that the pixel norm adds.
NORM_EPSILON = 1e-4


def normalize(weight, epsilon=1e-4):
    norm = torch.linalg.vector_norm(weight, dim=tuple(range(1, weight.ndim)), keepdim=True)
    return weight / (norm * math.sqrt(norm.numel() / weight.numel()) + epsilon)


class Conv(nn.Module):
    """Convolution with a `kernel`, or a matrix for 0, whose effective weight has unit norm per output channel; `gain` is a number or a learned scalar."""

    def __init__(self, inputs, outputs, kernel, stride=1):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel) if kernel else torch.randn(outputs, inputs))
        self.stride, self.kernel = stride, kernel

    def scaled(self):
        return normalize(self.weight) / math.sqrt(self.weight[0].numel())

    def forward(self, x, gain=1.0):
        weight = self.scaled() * gain
        if not self.kernel:
            return x @ weight.t()
        return F.conv2d(x, weight, stride=self.stride, padding=self.kernel // 2 if self.kernel % 2 else 0)

    @torch.no_grad()
    def renormalize(self):
        self.weight.copy_(normalize(self.weight))


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.a, self.b = Conv(channels, channels, 3), Conv(channels, channels, 3)
        norm = math.sqrt((1 - RESIDUAL) ** 2 + RESIDUAL**2)
        self.keep, self.add = (1 - RESIDUAL) / norm, RESIDUAL / norm

    def forward(self, x, modulation):
        y = self.a(F.silu(x), SILU_GAIN)
        return torch.add(self.b(F.silu(y * modulation), self.add * SILU_GAIN), x, alpha=self.keep)


class UNet(nn.Module):
    def __init__(self, channels, patch, widths, encoder, decoder, embedding=128, frequencies=32):
        super().__init__()
        self.patch, self.channels = patch, channels
        levels = len(widths)
        self.register_buffer('freqs', torch.randn(frequencies, generator=torch.Generator().manual_seed(1)))
        self.register_buffer('phases', torch.rand(frequencies, generator=torch.Generator().manual_seed(2)))
        self.emb0, self.emb1 = Conv(frequencies, embedding, 0), Conv(embedding, embedding, 0)
        self.enc = nn.ModuleList(nn.ModuleList(Block(width) for _ in range(count)) for width, count in zip(widths, encoder))
        self.dec = nn.ModuleList(nn.ModuleList(Block(width) for _ in range(count)) for width, count in zip(widths, decoder))
        down = [width for width, count in zip(widths, encoder) for _ in range(count)]
        up = [width for width, count in reversed(list(zip(widths, decoder))) for _ in range(count)]
        #: Channels of each block in the order of evaluation: the slices of the modulation.
        self.sizes = down + up
        self.mod = Conv(embedding, sum(self.sizes), 0)
        self.mod_gain = nn.Parameter(torch.zeros(()))
        self.stem = Conv(channels, widths[0], 4, stride=patch)
        self.stem_bias = nn.Parameter(torch.zeros(widths[0]))
        self.down = nn.ModuleList(Conv(widths[i], widths[i + 1], 1) for i in range(levels - 1))
        self.up = nn.ModuleList(Conv(widths[i + 1], widths[i], 1) for i in range(levels - 1))
        self.skip = nn.ModuleList(Conv(widths[i], widths[i], 1) for i in range(levels - 1))
        self.out = Conv(widths[0], channels * patch * patch, 3)
        self.out_gain = nn.Parameter(torch.zeros(()))

    def forward(self, x, sigma):
        """x [batch, channels, height, width], already scaled by c_in; sigma [batch] → F, the shape of x."""
        emb = torch.cos((sigma.log()[:, None] / 4 * self.freqs + self.phases) * (2 * math.pi)) * math.sqrt(2)
        emb = F.silu(self.emb1(F.silu(self.emb0(emb)), SILU_GAIN))
        modulations = iter((self.mod(emb, self.mod_gain * SILU_GAIN) + 1)[:, :, None, None].split(self.sizes, dim=1))
        h = F.conv2d(x, self.stem.scaled(), self.stem_bias, stride=self.patch, padding=1)
        kept = []
        for level, blocks in enumerate(self.enc):
            if level:
                kept.append(h)
                h = self.down[level - 1](F.avg_pool2d(h, 2), math.sqrt(2))
            h = h / torch.sqrt((h * h).mean(dim=1, keepdim=True) + NORM_EPSILON)
            for block in blocks:
                h = block(h, next(modulations))
        for level in reversed(range(len(self.dec))):
            if level < len(self.dec) - 1:
                upper = F.interpolate(self.up[level](h, math.sqrt(0.5)), scale_factor=2, mode='nearest')
                h = upper + self.skip[level](kept.pop(), math.sqrt(0.5))
            for block in self.dec[level]:
                h = block(h, next(modulations))
        return F.pixel_shuffle(self.out(F.silu(h), self.out_gain * SILU_GAIN), self.patch)


class Denoiser(nn.Module):
    """d(x, sigma) = E[x | x + sigma z]: x [batch, channels, height, width], sigma [batch]."""

    def __init__(self, name):
        super().__init__()
        self.name = name
        self.net = UNet(**CONFIGS[name])

    def forward(self, x, sigma):
        s = sigma[:, None, None, None]
        root = torch.sqrt(s * s + SIGMA_DATA**2)
        return x * (SIGMA_DATA / root) ** 2 + self.net(x / root, sigma) * (s * SIGMA_DATA / root)

    @torch.no_grad()
    def renormalize(self):
        for module in self.modules():
            if isinstance(module, Conv):
                module.renormalize()
