// The estimate of an unconditional sampler: the denoiser itself, E[x | x_t]. Needs shared/denoiser.wgsl.

fn estimate(
  x_hat: ptr<function, array<f32, FEATURES>>,
  scales: Scales,
  sigma: f32,
  step: u32,
  sample: u32,
  owner: bool,
) -> array<f32, FEATURES> {
  return *x_hat;
}
