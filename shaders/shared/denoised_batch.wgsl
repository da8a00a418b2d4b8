// The denoiser at a batch of points, each with its sigma. Needs shared/sincos.wgsl, shared/network.wgsl,
// shared/denoiser.wgsl and shared/embedded_inputs.wgsl.

@group(0) @binding(1) var<storage, read> weights: array<vec4f>;
@group(0) @binding(2) var<storage, read> frequencies: array<f32>; // [EMBEDDING / 2]
@group(0) @binding(3) var<storage, read> x_t: array<f32>; // [count, FEATURES]
@group(0) @binding(4) var<storage, read> sigma: array<f32>; // [count]
@group(0) @binding(5) var<storage, read_write> denoised: array<f32>; // [count, FEATURES]

// Writes d(x_t, sigma) of the sample that this thread owns, if it owns one. All threads of a workgroup call it together.
fn denoise_sample(sample: u32, owner: bool) -> Scales {
  var x: array<f32, FEATURES>;
  var scales = precondition(1.0);
  if (owner) {
    scales = precondition(sigma[sample]);
    for (var i = 0u; i < FEATURES; i++) {
      x[i] = x_t[sample * FEATURES + i];
    }
  }
  network_inputs(&x, scales);
  denoise();
  if (owner) {
    for (var i = 0u; i < FEATURES; i++) {
      denoised[sample * FEATURES + i] = scales.skip * x[i] + scales.out * output_value(i, thread);
    }
  }
  return scales;
}
