"""Pictures and numbers of a bundled denoiser's card: python report.py WORK NAME OUT

Judges the exported file OUT/denoiser.onnx on held-out images. Writes OUT/denoising.png (held-out denoising error against noise level, with the best linear denoiser of the data's variance to compare with), OUT/samples.png
(unconditional samples) and OUT/restored.jpg (held-out images, noisy and denoised), and prints the numbers as a Markdown table.
"""
import argparse
import os

import matplotlib
import numpy as np
import onnxruntime
import torch
from PIL import Image

matplotlib.use('Agg')
from matplotlib import pyplot

from denoiser import SIGMA_MAX, SIGMA_MIN
from train import dataset, to_images

SIGMAS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 80)
SHOWN = (0.1, 0.3, 1.0, 3.0, 10.0)


def exported(path):
    """The ONNX file as a function of x [batch, channels, height, width] and sigma [batch]."""
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    return lambda x, sigma: torch.from_numpy(session.run(None, {'x': x.numpy(), 'sigma': sigma.numpy()})[0])


@torch.no_grad()
def denoising_errors(denoiser, images):
    """Mean squared error per pixel at each of SIGMAS."""
    generator = torch.Generator().manual_seed(11)
    errors = []
    for sigma in SIGMAS:
        noise = torch.randn(images.shape, generator=generator)
        parts = [denoiser(x + sigma * z, torch.full((len(x),), float(sigma))) - x for x, z in zip(images.split(64), noise.split(64))]
        errors.append(float(torch.cat(parts).square().mean()))
    return errors


@torch.no_grad()
def samples(denoiser, count, shape, steps=32, rho=7):
    """Heun's method on the probability flow, noise levels of Karras et al. 2022."""
    ramp = torch.linspace(0, 1, steps)
    levels = (SIGMA_MAX ** (1 / rho) + ramp * (SIGMA_MIN ** (1 / rho) - SIGMA_MAX ** (1 / rho))) ** rho
    levels = torch.cat([levels, torch.zeros(1)])
    x = torch.randn(count, *shape, generator=torch.Generator().manual_seed(3)) * SIGMA_MAX
    slope = lambda y, level: (y - denoiser(y, level.expand(count).contiguous())) / level
    for now, then in zip(levels, levels[1:]):
        first = slope(x, now)
        guess = x + (then - now) * first
        x = x + (then - now) * (first + slope(guess, then)) / 2 if then > 0 else guess
    return x


def save_grid(images, columns, path):
    pixels = ((images.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    count, height, width, channels = pixels.shape
    rows = -(-count // columns)
    grid = np.zeros((rows, height, columns, width, channels), np.uint8)
    for k in range(count):
        grid[k // columns, :, k % columns] = pixels[k]
    grid = grid.reshape(rows * height, columns * width, channels)
    image = Image.fromarray(grid.squeeze(-1) if channels == 1 else grid)
    scale = max(1, 768 // image.width)
    image.resize((image.width * scale, image.height * scale), Image.NEAREST).save(path, optimize=True, quality=88)


def plot(errors, variance, path):
    sigma = np.array(SIGMAS)
    figure, axes = pyplot.subplots(figsize=(6, 4), layout='constrained')
    axes.loglog(sigma, sigma**2, ':', color='#8896a8', label='x_t itself')
    axes.loglog(sigma, sigma**2 * variance / (sigma**2 + variance), '--', color='#0069a6', label="Gaussian of the data's variance")
    axes.loglog(sigma, errors, 'o-', color='#c44f00', label='denoiser')
    axes.set(xlabel='noise level sigma_t', ylabel='squared error per pixel', ylim=(min(errors) / 2, 10 * variance), title='Denoising error on held-out images')
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('work')
    parser.add_argument('name')
    parser.add_argument('out')
    options = parser.parse_args()
    denoiser = exported(os.path.join(options.out, 'denoiser.onnx'))
    images = to_images(dataset(options.name, options.work, True).batch(256, np.random.default_rng(7))).contiguous()
    errors = denoising_errors(denoiser, images)
    variance = float(images.var())
    plot(errors, variance, os.path.join(options.out, 'denoising.png'))
    save_grid(samples(denoiser, 16, images.shape[1:]), 8, os.path.join(options.out, 'samples.png'))
    clean, rows = images[:8], [images[:8]]
    generator = torch.Generator().manual_seed(5)
    for sigma in SHOWN:
        noisy = clean + sigma * torch.randn(clean.shape, generator=generator)
        with torch.no_grad():
            rows += [noisy, denoiser(noisy, torch.full((len(clean),), float(sigma)))]
    save_grid(torch.cat(rows), 8, os.path.join(options.out, 'restored.jpg'))
    print(f'{options.name}: variance of the held-out images {variance:.3f}')
    print('| sigma_t | ' + ' | '.join(f'{s:g}' for s in SIGMAS) + ' |')
    print('| --- |' + ' --- |' * len(SIGMAS))
    print('| squared error per pixel | ' + ' | '.join(f'{e:.2g}' for e in errors) + ' |')


if __name__ == '__main__':
    main()
