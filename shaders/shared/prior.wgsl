// The estimate of an unconditional sampler: the denoiser itself, E[x | x_t].

fn estimate(
  point: ptr<function, Linearization>,
  sigma: f32,
  step: u32,
  sample: u32,
  owner: bool,
) -> array<f32, FEATURES> {
  return (*point).x_hat;
}
