"""The images that the page offers: held-out photographs and Fashion-MNIST test images, none of them seen in training.

    python bundled_images.py WORK PUBLIC      WORK: the folder that data.py filled;  PUBLIC: the repository's public/images

Photographs are scaled to a longer side of 384 pixels, as JPEG; Fashion-MNIST images are padded from 28 × 28 to 32 × 32 with black, as PNG. Writes PUBLIC/index.json:
[{name, title, file, channels, author, licence, source}].
"""
import json
import os
import sys

import numpy as np
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))

PHOTOGRAPHS = {
    'scarlet_macaw': 'Scarlet macaw',
    'roman-colosseum': 'Colosseum',
    'windmill12': 'Windmill',
    'rocamadour': 'Rocamadour',
    'mysorePalace': 'Mysore Palace',
    'picosdeeuropa_by_Aitzol_Berasategi': 'Picos de Europa',
}
#: Position among the 10,000 test images → what it shows.
FASHION = {0: 'Ankle boot', 1: 'Pullover', 2: 'Trousers', 11: 'Sandal', 13: 'Dress', 18: 'Bag', 7: 'Shirt', 9: 'Sneaker'}


def main():
    work, public = sys.argv[1:]
    os.makedirs(public, exist_ok=True)
    entries = []
    images = np.memmap(os.path.join(work, 'data/fashion.u8'), np.uint8, 'r').reshape(-1, 32, 32)[60000:]
    for place, title in FASHION.items():
        name = 'fashion-' + title.lower().replace(' ', '-')
        Image.fromarray(images[place]).save(os.path.join(public, f'{name}.png'), optimize=True)
        entries.append(dict(name=name, title=title, file=f'{name}.png', channels=1, author='Zalando SE', licence='MIT', source=f'Fashion-MNIST, test image {place}'))
    for row in json.load(open(os.path.join(HERE, 'photographs.json'))):
        stem = os.path.splitext(os.path.basename(row['path']))[0]
        if stem not in PHOTOGRAPHS:
            continue
        assert row['held_out'], stem
        photograph = Image.open(os.path.join(work, 'packages', row['package'], row['path'])).convert('RGB')
        photograph.thumbnail((384, 384), Image.LANCZOS)
        name = PHOTOGRAPHS[stem].lower().replace(' ', '-')
        photograph.save(os.path.join(public, f'{name}.jpg'), quality=90, optimize=True)
        entries.append(dict(name=name, title=PHOTOGRAPHS[stem], file=f'{name}.jpg', channels=3, author=row['author'], licence=row['licence'], source=f"Debian package {row['package']}, {row['path']}"))
    with open(os.path.join(public, 'index.json'), 'w') as file:
        json.dump(entries, file, indent=2, ensure_ascii=False)
        file.write('\n')


if __name__ == '__main__':
    main()
