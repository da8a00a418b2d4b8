// Denoiser: d(x_t, sigma) = c_skip x_t + c_out h(c_in x_t, emb(log sigma)) with sigma_data = 1 (Karras et al. 2022).
// Modules: shared/sincos.wgsl, shared/network.wgsl, shared/denoiser.wgsl, shared/embedded_inputs.wgsl.
// Twin: src/diffusion/mlpDenoiser.ts.

struct Parameters {
  count: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;
@group(0) @binding(2) var<storage, read> frequencies: array<f32>; // [EMBEDDING / 2]
@group(0) @binding(3) var<storage, read> x_t: array<f32>; // [count, FEATURES]
@group(0) @binding(4) var<storage, read> sigma: array<f32>; // [count]
@group(0) @binding(5) var<storage, read_write> denoised: array<f32>; // [count, FEATURES]

@compute @workgroup_size(THREADS)
fn denoiser_forward(
  @builtin(local_invocation_index) index: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  place(index);
  let sample = (group.y * groups.x + group.x) * TILE + index;
  let owner = index < TILE && sample < parameters.count;
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
      denoised[sample * FEATURES + i] = scales.skip * x[i] + scales.out * output_value(i, index);
    }
  }
}
