"""denoiser.json and index.json beside the bundled models: python contract.py WORK MODELS

Writes MODELS/NAME/denoiser.json for each model (the format is public/models/denoiser.schema.json), with the size and SHA-256 of its denoiser.onnx and a Gaussian fit to the training
images, and MODELS/index.json, the list that the page offers.
"""
import hashlib
import json
import os
import sys

import numpy as np

from denoiser import SIGMA_MAX, SIGMA_MIN
from train import dataset

MODELS = {
    'fashion-32': dict(
        title='Fashion-MNIST, 32 × 32',
        description='Gray pictures of clothes, shoes and bags. Small and quick: the model to begin with.',
        channels=1,
        side=32,
        licence='MIT',
        trainingData='Fashion-MNIST (Zalando SE, MIT): 60,000 training images, padded from 28 × 28 to 32 × 32 with black.',
    ),
    'photo-64': dict(
        title='Photographs, any size to 256',
        description='Colour photographs, trained on 64 × 64 crops: knows edges, textures and colours, not objects.',
        channels=3,
        side=dict(multipleOf=8, minimum=16, maximum=256),
        licence='MIT',
        trainingData='302 freely licensed photographs from Debian packages: export/photographs.json names each one, with its author and its own licence.',
    ),
}


def gaussian_fit(images):
    """Standard deviation of a pixel about the mean image, and exponent of the power spectrum: slope of log power over log |frequency|."""
    centred = images - images.mean(axis=0)
    power = (np.abs(np.fft.fft2(centred)) ** 2).mean(axis=(0, 1))
    height, width = power.shape
    frequency = np.hypot(np.fft.fftfreq(height)[:, None] * height, np.fft.fftfreq(width)[None] * width)
    inside = (frequency >= 1) & (frequency <= min(height, width) / 2)
    slope = np.polyfit(np.log(frequency[inside]), np.log(power[inside]), 1)[0]
    return dict(standardDeviation=round(float(centred.std()), 3), exponent=round(float(-slope), 2))


def main():
    work, models = sys.argv[1:]
    for name, known in MODELS.items():
        folder = os.path.join(models, name)
        content = open(os.path.join(folder, 'denoiser.onnx'), 'rb').read()
        pixels = dataset(name, work, False).batch(4096, np.random.default_rng(1))
        images = pixels.astype(np.float64) / 127.5 - 1
        contract = {
            '$schema': '../denoiser.schema.json',
            'version': 1,
            'name': name,
            'title': known['title'],
            'description': known['description'],
            'image': dict(channels=known['channels'], height=known['side'], width=known['side']),
            'batch': 'dynamic',
            'range': [-1, 1],
            'inputs': dict(x='x', noise='sigma'),
            'output': dict(name='x0'),
            'predicts': 'x0',
            'takes': dict(kind='sigma'),
            'process': 've',
            'sigmaMin': SIGMA_MIN,
            'sigmaMax': SIGMA_MAX,
            'sigmaData': round(float(images.std()), 3),
            'gaussianFit': gaussian_fit(images),
            'licence': known['licence'],
            'source': 'Trained and exported by export/ of this repository.',
            'trainingData': known['trainingData'],
            'sha256': hashlib.sha256(content).hexdigest(),
            'bytes': len(content),
        }
        with open(os.path.join(folder, 'denoiser.json'), 'w') as file:
            json.dump(contract, file, indent=2, ensure_ascii=False)
            file.write('\n')
        print(name, contract['gaussianFit'], contract['bytes'], 'bytes')
    entries = [dict(name=name, title=known['title'], description=known['description'], channels=known['channels'], licence=known['licence']) for name, known in MODELS.items()]
    with open(os.path.join(models, 'index.json'), 'w') as file:
        json.dump(entries, file, indent=2, ensure_ascii=False)
        file.write('\n')


if __name__ == '__main__':
    main()
