// Normal draws of a sample, by its index alone. Needs FEATURES, shared/random.wgsl and parameters.seed, stream, mean and
// start_sigma. Twin: src/diffusion/cpuSampling.ts.

// The features' components of (sample, step, domain).
fn draw(sample: u32, step: u32, domain: u32) -> array<f32, FEATURES> {
  var noise: array<f32, FEATURES> = array<f32, FEATURES>();
  for (var first = 0u; first < FEATURES; first += 4u) {
    let z = normals(philox(vec4u(sample, step, first / 4u, domain), vec2u(parameters.seed, parameters.stream)));
    for (var c = 0u; c < 4u && first + c < FEATURES; c++) {
      noise[first + c] = z[c];
    }
  }
  return noise;
}

// x_1 ~ N(mean, start_sigma² I).
fn draw_start(sample: u32) -> array<f32, FEATURES> {
  var x: array<f32, FEATURES> = draw(sample, 0u, DOMAIN_START);
  for (var i = 0u; i < FEATURES; i++) {
    x[i] = parameters.mean[i / 4u][i % 4u] + parameters.start_sigma * x[i];
  }
  return x;
}
