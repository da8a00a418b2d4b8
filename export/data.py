"""Data of the bundled denoisers: python data.py WORK

Takes the Debian packages of PACKAGES (from WORK/debs, else by `apt-get download`), unpacks them, and writes

    WORK/data/fashion.u8                 70,000 × 32 × 32: Fashion-MNIST padded with black; the last 10,000 are the test images
    WORK/data/photo_{train,val}.u8       the photographs of photographs.json at several sizes, height × width × 3, one after the other
    WORK/data/photo_{train,val}.json     [{path, weight, levels: [[offset, height, width], …]}]

The photographs were chosen by eye; photographs.json names each one's package, path, author, licence, and whether it is held out. An author of null means that the
package names none for that file and its general licence applies. Do not run this while a training reads the files.
"""
import gzip
import json
import os
import struct
import subprocess
import sys
import zlib
from glob import glob

import numpy as np
from PIL import Image

Image.MAX_IMAGE_PIXELS = None
HERE = os.path.dirname(os.path.abspath(__file__))

PACKAGES = {
    'budgie-backgrounds': '3.0-1', 'dataset-fashion-mnist': '0.0~git20200523.55506a9-1', 'gcompris-qt-data': '3.1-2', 'gnome-backgrounds': '3.38.0-1',
    'jigzo-data': '0.6.1-7.1', 'lomiri-wallpapers-16.04': '20.04.0-2', 'lomiri-wallpapers-20.04': '20.04.0-2', 'mate-backgrounds': '1.26.0-1',
    'palapeli-data': '4:22.12.3-1', 'phosh-wallpapers': '0.42.0-1', 'plasma-workspace-wallpapers': '4:6.3.4-1', 'ukui-wallpapers': '20.04.3-1.1',
}  # fmt: skip

#: Shorter sides of the copies. A copy is never above 0.8 of the original (compression artefacts stay out), except the smallest and 128.
SIDES = (64, 96, 128, 160, 192, 256, 384, 512)


def package_file(work, name):
    found = glob(os.path.join(work, 'debs', f'{name}_*.deb'))
    if not found:
        os.makedirs(os.path.join(work, 'debs'), exist_ok=True)
        asked = subprocess.run(['apt-get', 'download', name], cwd=os.path.join(work, 'debs'), check=False)
        found = glob(os.path.join(work, 'debs', f'{name}_*.deb'))
        if asked.returncode or not found:
            sys.exit(f'{name} could not be downloaded. Put {name} {PACKAGES[name]} (snapshot.debian.org has every version) into {work}/debs.')
    return found[0]


def unpack(work, name):
    folder = os.path.join(work, 'packages', name)
    if not os.path.isdir(folder):
        os.makedirs(folder)
        subprocess.run(['dpkg-deb', '-x', package_file(work, name), folder], check=True)
        if name == 'gcompris-qt-data':
            for path in glob(os.path.join(folder, '**/*.rcc'), recursive=True):
                unpack_qt_resources(path, folder)
    return folder


def unpack_qt_resources(path, folder):
    """Writes the pictures of a Qt resource file (a tree of names, then data; big-endian) under `folder`."""
    content = open(path, 'rb').read()
    if content[:4] != b'qres':
        raise ValueError(f'{path} is not a Qt resource file.')
    version, tree, data, names = struct.unpack('>IIII', content[4:20])
    size = 14 if version == 1 else 22

    def name(node):
        at = names + struct.unpack('>I', content[tree + node * size : tree + node * size + 4])[0]
        length = struct.unpack('>H', content[at : at + 2])[0]
        return content[at + 6 : at + 6 + 2 * length].decode('utf-16-be')

    def walk(node, prefix):
        entry = tree + node * size
        here = prefix if node == 0 else os.path.join(prefix, name(node))
        flags = struct.unpack('>H', content[entry + 4 : entry + 6])[0]
        if flags & 2:
            count, first = struct.unpack('>II', content[entry + 6 : entry + 14])
            for child in range(first, first + count):
                walk(child, here)
            return
        at = data + struct.unpack('>I', content[entry + 10 : entry + 14])[0]
        length = struct.unpack('>I', content[at : at + 4])[0]
        raw = content[at + 4 : at + 4 + length]
        if not here.lower().endswith(('.jpg', '.jpeg', '.png', '.webp')):
            return
        out = os.path.join(folder, here.removeprefix('gcompris/'))
        os.makedirs(os.path.dirname(out), exist_ok=True)
        with open(out, 'wb') as file:
            file.write(zlib.decompress(raw[4:]) if flags & 1 else raw)

    walk(0, '')


def fashion(work):
    folder = unpack(work, 'dataset-fashion-mnist')

    def images(stem):
        (path,) = glob(os.path.join(folder, '**', stem + '*'), recursive=True)
        content = (gzip.open if path.endswith('.gz') else open)(path, 'rb').read()
        return np.frombuffer(content, np.uint8, offset=16).reshape(-1, 28, 28)

    small = np.concatenate([images('train-images'), images('t10k-images')])
    padded = np.zeros((len(small), 32, 32), np.uint8)
    padded[:, 2:30, 2:30] = small
    padded.tofile(os.path.join(work, 'data/fashion.u8'))
    print('Fashion-MNIST:', len(padded), 'images')


def photographs(work):
    rows = json.load(open(os.path.join(HERE, 'photographs.json')))
    for split in ('train', 'val'):
        index, offset = [], 0
        target = os.path.join(work, f'data/photo_{split}.u8')
        with open(target + '.tmp', 'wb') as out:
            for row in rows:
                if row['held_out'] != (split == 'val'):
                    continue
                image = Image.open(os.path.join(unpack(work, row['package']), row['path']))
                full = min(image.size)
                if image.format == 'JPEG':
                    image.draft('RGB', (1100, 1100))
                image = image.convert('RGB')
                short, levels = min(image.size), []
                for side in SIDES:
                    if side > short or (side * 1.25 > full and side not in (64, 128)):
                        continue
                    scale = side / short
                    size = (max(64, round(image.width * scale)), max(64, round(image.height * scale)))
                    copy = np.asarray(image.resize(size, Image.LANCZOS))
                    out.write(copy.tobytes())
                    levels.append([offset, size[1], size[0]])
                    offset += copy.size
                index.append(dict(path=row['path'], weight=3.0 if full >= 640 else 1.0, levels=levels))
        os.replace(target + '.tmp', target)
        with open(os.path.join(work, f'data/photo_{split}.json'), 'w') as file:
            json.dump(index, file)
        print('photographs,', split + ':', len(index), 'in', sum(len(entry['levels']) for entry in index), 'sizes,', round(offset / 1e6), 'MB')


def main():
    (work,) = sys.argv[1:]
    os.makedirs(os.path.join(work, 'data'), exist_ok=True)
    fashion(work)
    photographs(work)


if __name__ == '__main__':
    main()
