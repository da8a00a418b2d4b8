"""Trains a bundled denoiser: python train.py WORK fashion-32|photo-64 [--cpu-seconds N] [--batch 64] [--lr 5e-3]

Resumes from WORK/runs/NAME/last.pt. Writes it every ten minutes and at the end (SIGTERM, SIGINT or the CPU budget), complete or not at all; WORK/runs/NAME/log.jsonl
has a line for each: step, images, training loss, held-out denoising error per pixel at ten noise levels, images a second.

Loss: (sigma² + s²)/(sigma s)² · mean (d(x + sigma z, sigma) - x)², s = 0.5. Noise levels: 80 % log-normal(-1.2, 1.4), 20 % log-uniform in [0.002, 80] (posterior
sampling starts at 80), stratified in the batch. Adam, learning rate · 1/√(step/1500); averages of the weights by EDM2's power functions.
"""
import argparse
import json
import math
import os
import signal
import time

import numpy as np
import torch

from denoiser import SIGMA_DATA, SIGMA_MAX, SIGMA_MIN, Denoiser

VALIDATION_SIGMAS = (0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 20, 80)
#: Exponents of the power-function averages with relative widths 0.10 and 0.05.
AVERAGES = {'ema10': 6.94, 'ema05': 16.97}


class Fashion:
    def __init__(self, work, held_out):
        images = np.memmap(os.path.join(work, 'data/fashion.u8'), np.uint8, 'r').reshape(-1, 1, 32, 32)
        self.images = images[60000:] if held_out else images[:60000]

    def batch(self, count, rng):
        return self.images[rng.integers(len(self.images), size=count)]


class Photographs:
    """Random 64 × 64 crops at a random size of the photograph, mirrored half of the time."""

    def __init__(self, work, held_out):
        split = 'val' if held_out else 'train'
        self.pixels = np.memmap(os.path.join(work, f'data/photo_{split}.u8'), np.uint8, 'r')
        self.index = json.load(open(os.path.join(work, f'data/photo_{split}.json')))
        weights = np.array([entry['weight'] for entry in self.index])
        self.weights = weights / weights.sum()

    def batch(self, count, rng):
        out = np.empty((count, 3, 64, 64), np.uint8)
        for k, chosen in enumerate(rng.choice(len(self.index), count, p=self.weights)):
            levels = self.index[chosen]['levels']
            offset, height, width = levels[rng.integers(len(levels))]
            y, x = rng.integers(height - 63), rng.integers(width - 63)
            crop = self.pixels[offset : offset + height * width * 3].reshape(height, width, 3)[y : y + 64, x : x + 64]
            if rng.random() < 0.5:
                crop = crop[:, ::-1]
            out[k] = crop.transpose(2, 0, 1)
        return out


def dataset(name, work, held_out):
    return (Fashion if name.startswith('fashion') else Photographs)(work, held_out)


def to_images(pixels):
    """Bytes [batch, channels, height, width] → [-1, 1]."""
    images = torch.from_numpy(np.ascontiguousarray(pixels)).float() / 127.5 - 1
    return images.contiguous(memory_format=torch.channels_last)


def noise_levels(count, rng):
    wide = count // 5
    quantiles = (np.arange(count - wide) + rng.random(count - wide)) / (count - wide)
    log_normal = -1.2 + 1.4 * math.sqrt(2) * torch.erfinv(torch.from_numpy(2 * quantiles - 1)).clamp(-4, 4)
    uniform = (np.arange(wide) + rng.random(wide)) / wide
    log_uniform = math.log(SIGMA_MIN) + torch.from_numpy(uniform) * math.log(SIGMA_MAX / SIGMA_MIN)
    levels = torch.cat([log_normal, log_uniform]).exp().clamp(SIGMA_MIN, SIGMA_MAX).float()
    return levels[torch.from_numpy(rng.permutation(count))]


@torch.no_grad()
def validate(network, data, count=96):
    """Mean squared denoising error per pixel at fixed noise levels, on fixed held-out images and noise."""
    images = to_images(data.batch(count, np.random.default_rng(7)))
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(7)).contiguous(memory_format=torch.channels_last)
    error = lambda sigma: float((network(images + sigma * noise, torch.full((count,), float(sigma))) - images).square().mean())
    return {str(sigma): error(sigma) for sigma in VALIDATION_SIGMAS}


def save(path, checkpoint):
    torch.save(checkpoint, path + '.tmp')
    with open(path + '.tmp', 'rb') as file:
        os.fsync(file.fileno())
    if os.path.exists(path):
        os.replace(path, path.replace('last', 'previous'))
    os.replace(path + '.tmp', path)


def load(folder):
    """The newest readable checkpoint, or None."""
    for name in ('last.pt', 'previous.pt'):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            continue
        try:
            return torch.load(path, weights_only=False)
        except Exception as error:  # a torn file: the one before it is whole
            print(f'cannot read {path}: {error}', flush=True)
    return None


class Training:
    def __init__(self, work, name, batch, lr):
        self.name, self.size, self.lr = name, batch, lr
        self.folder = os.path.join(work, 'runs', name)
        os.makedirs(self.folder, exist_ok=True)
        self.data, self.held_out = dataset(name, work, False), dataset(name, work, True)
        torch.manual_seed(0)
        self.network = Denoiser(name).to(memory_format=torch.channels_last)
        self.network.renormalize()
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=lr, betas=(0.9, 0.99), eps=1e-8)
        self.averages = {key: {n: t.detach().clone() for n, t in self.network.state_dict().items()} for key in AVERAGES}
        self.rng = np.random.default_rng(0)
        self.step = self.seen = 0
        self.cpu_before = 0.0
        self.losses = []
        checkpoint = load(self.folder)
        if checkpoint:
            self.network.load_state_dict(checkpoint['net'])
            self.optimizer.load_state_dict(checkpoint['opt'])
            self.averages, self.step, self.seen, self.cpu_before = (checkpoint[key] for key in ('ema', 'step', 'seen', 'cpu'))
            self.rng.bit_generator.state = checkpoint['rng']
            torch.set_rng_state(checkpoint['torch_rng'])
            print('resumed at step', self.step, flush=True)
        self.cpu_start = time.process_time()
        self.mark = (time.time(), time.process_time(), self.seen)

    @property
    def cpu_seconds(self):
        return time.process_time() - self.cpu_start

    def train_step(self):
        images = to_images(self.data.batch(self.size, self.rng))
        sigma = noise_levels(self.size, self.rng)
        weight = (sigma**2 + SIGMA_DATA**2) / (sigma * SIGMA_DATA) ** 2
        denoised = self.network(images + sigma[:, None, None, None] * torch.randn_like(images), sigma)
        loss = (weight * (denoised - images).square().mean(dim=(1, 2, 3))).mean()
        for group in self.optimizer.param_groups:
            group['lr'] = self.lr * min(1, (self.step + 1) / 200) / math.sqrt(max(self.step / 1500, 1))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if not all(torch.isfinite(parameter.grad).all() for parameter in self.network.parameters()):
            print('a gradient is not finite, step skipped:', self.step, flush=True)
            return
        self.optimizer.step()
        self.network.renormalize()
        self.step += 1
        self.seen += self.size
        self.losses.append(float(loss.detach()))
        with torch.no_grad():
            for key, exponent in AVERAGES.items():
                decay = (1 - 1 / self.step) ** (exponent + 1)
                for name, tensor in self.network.state_dict().items():
                    self.averages[key][name].lerp_(tensor, 1 - decay)

    def checkpoint(self):
        live = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
        self.network.load_state_dict(self.averages['ema10'])
        errors = validate(self.network, self.held_out)
        self.network.load_state_dict(live)
        wall, cpu, seen = self.mark
        line = dict(
            time=round(time.time()), step=self.step, images=self.seen, cpu_s=round(self.cpu_before + self.cpu_seconds),
            train=float(np.mean(self.losses)) if self.losses else None, val_ema10=errors,
            images_per_s=(self.seen - seen) / max(time.time() - wall, 1e-9), images_per_cpu_s=(self.seen - seen) / max(time.process_time() - cpu, 1e-9),
        )  # fmt: skip
        state = dict(
            net=live, opt=self.optimizer.state_dict(), ema=self.averages, step=self.step, seen=self.seen, cpu=self.cpu_before + self.cpu_seconds,
            rng=self.rng.bit_generator.state, torch_rng=torch.get_rng_state(), name=self.name,
        )  # fmt: skip
        save(os.path.join(self.folder, 'last.pt'), state)
        with open(os.path.join(self.folder, 'log.jsonl'), 'a') as file:
            file.write(json.dumps(line) + '\n')
        print(json.dumps(line), flush=True)
        self.losses = []
        self.mark = (time.time(), time.process_time(), self.seen)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('work')
    parser.add_argument('name')
    parser.add_argument('--cpu-seconds', type=float, default=math.inf)
    parser.add_argument('--every', type=float, default=600, help='seconds between checkpoints')
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--lr', type=float, default=5e-3)
    parser.add_argument('--threads', type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_num_interop_threads(1)
    stopped = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.append(True))
    training = Training(options.work, options.name, options.batch, options.lr)
    print(options.name, sum(p.numel() for p in training.network.parameters()), 'parameters', flush=True)
    last = time.time()
    while not stopped and training.cpu_seconds < options.cpu_seconds:
        training.train_step()
        if time.time() - last > options.every:
            training.checkpoint()
            last = time.time()
    training.checkpoint()


if __name__ == '__main__':
    main()
