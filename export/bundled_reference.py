"""PyTorch's output and derivatives of the bundled models, which the ONNX autodiff is tested against: python bundled_reference.py MODELS OUT [NAME ...]

MODELS/NAME/denoiser.onnx → OUT/NAME.safetensors: the graph's inputs `x` and `sigma` (two noise levels in one batch), a cotangent `v`, a tangent `u`, and in float64
`output`, `vjp` = Jᵀ v and `jvp` = J u, J = ∂output/∂x, of the exported function (Plain in export_onnx.py). The weights are the file's own, so that reference and
file belong together whatever training has done since; run it after every export.
"""
import os
import sys

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors.numpy import save_file

from denoiser import CONFIGS, Denoiser
from export_onnx import Plain

#: Small, and not square where the model takes any size.
SIZES = {'fashion-32': (32, 32), 'photo-64': (24, 16)}
SIGMAS = [0.1, 3.0]
#: The exporter stores these transposed, under names of its own, in the order of evaluation.
MATRICES = ('emb0', 'emb1', 'mod')


def exported(name, path):
    """The exported function in float64, with the weights of the ONNX file."""
    graph = onnx.load(path).graph
    values = {tensor.name.removesuffix('_f16'): numpy_helper.to_array(tensor) for tensor in graph.initializer}
    products = [node.input[1] for node in graph.node if node.op_type == 'MatMul']
    assert len(products) == len(MATRICES), f'{path} has {len(products)} matrix products: export_onnx.py and this script disagree.'
    for name_here, product in zip(MATRICES, products):
        values[name_here] = values.pop(product).T
    plain = Plain(Denoiser(name))
    wanted = {key: tuple(value.shape) for key, value in plain.state_dict().items()}
    found = {key: value.shape for key, value in values.items()}
    assert found == wanted, f'{path} does not hold the weights that export_onnx.py writes.'
    plain = plain.double().eval()
    plain.load_state_dict({key: torch.from_numpy(value.astype(np.float64)) for key, value in values.items()})
    return plain


def reference(name, models, out):
    path = os.path.join(models, name, 'denoiser.onnx')
    plain = exported(name, path)
    generator = torch.Generator().manual_seed(1)
    shape = (len(SIGMAS), CONFIGS[name]['channels'], *SIZES[name])
    normal = lambda: torch.randn(shape, generator=generator)
    sigma = torch.tensor(SIGMAS)
    x = 0.5 * normal() + sigma[:, None, None, None] * normal()
    u, v = normal(), normal()
    image = x.double().requires_grad_()
    output = plain(image, sigma.double())
    # J u is the derivative of Jᵀ w in w
    w = torch.zeros_like(output, requires_grad=True)
    (pulled,) = torch.autograd.grad(output, image, w, create_graph=True)
    (jvp,) = torch.autograd.grad(pulled, w, u.double(), retain_graph=True)
    (vjp,) = torch.autograd.grad(output, image, v.double())
    single = lambda tensor: np.ascontiguousarray(tensor.detach().float().numpy())
    tensors = dict(x=x, sigma=sigma, u=u, v=v, output=output, vjp=vjp, jvp=jvp)
    save_file({key: single(tensor) for key, tensor in tensors.items()}, os.path.join(out, f'{name}.safetensors'))
    lengths = ', '.join(f'{key} {torch.linalg.vector_norm(tensors[key]).item():.3g}' for key in ('output', 'vjp', 'jvp'))
    print(f'{name} {list(shape)}: norms {lengths}', flush=True)


def main():
    models, out, *names = sys.argv[1:]
    torch.set_num_threads(1)
    for name in names or CONFIGS:
        reference(name, models, out)


if __name__ == '__main__':
    main()
