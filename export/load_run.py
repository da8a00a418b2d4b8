"""Load a denoiser learned in the manifold lab into PyTorch.

    python load_run.py diem-seed0-iteration8.safetensors

The file is what the lab exports (Export, Run) or `npm run diem -- --save` writes. `load_denoiser` gives a
torch.nn.Module d(x_t, sigma) = E[x | x_t] (paper section 5.1): x_t [batch, n], sigma [batch] -> [batch, n].
Needs: pip install torch safetensors
"""

import json
import sys

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional as F


class Denoiser(nn.Module):
    """EDM-preconditioned MLP on [c_in x_t, emb(log sigma)] with sigma_data = 1."""

    def __init__(self, layers: list[tuple[Tensor, Tensor]], features: int):
        super().__init__()
        self.features = features
        self.layers = nn.ModuleList()
        for weight, bias in layers:
            linear = nn.Linear(*weight.shape)
            # The file holds y = x W + b; torch.nn.Linear holds the transpose of W.
            linear.weight.data, linear.bias.data = weight.T.contiguous(), bias
            self.layers.append(linear)
        half = (layers[0][0].shape[0] - features) // 2
        self.register_buffer("frequencies", 1e4 ** -torch.linspace(0, 1, half))

    def forward(self, x_t: Tensor, sigma: Tensor) -> Tensor:
        sigma = sigma.unsqueeze(-1)
        scale = torch.sqrt(sigma**2 + 1)
        angles = self.frequencies * torch.log(sigma)
        h = torch.cat([x_t / scale, torch.sin(angles), torch.cos(angles)], dim=-1)
        for linear in self.layers[:-1]:
            h = F.layer_norm(F.silu(linear(h)), linear.bias.shape)
        return x_t / scale**2 + sigma / scale * self.layers[-1](h)


def load_denoiser(path: str) -> tuple[Denoiser, dict]:
    """Returns the denoiser and the run's settings."""
    with safe_open(path, framework="pt") as file:
        settings = json.loads(file.metadata()["settings"])
        count = sum(name.startswith("net.") and name.endswith(".bias") for name in file.keys())
        layers = [(file.get_tensor(f"net.{i}.weight"), file.get_tensor(f"net.{i}.bias")) for i in range(count)]
    return Denoiser(layers, settings["features"]), settings


if __name__ == "__main__":
    denoiser, settings = load_denoiser(sys.argv[1])
    sigma = torch.full((4,), 0.5)
    print(denoiser(torch.zeros(4, settings["features"]), sigma))
