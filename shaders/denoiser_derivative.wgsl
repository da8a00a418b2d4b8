// Denoiser and products with its Jacobian J = ∂d/∂x_t for several vectors a sample, Jᵀ v (TRANSPOSED) or J u; one
// forward serves all. Constant: TRANSPOSED (bool).
// Modules: shared/sincos.wgsl, shared/network.wgsl, shared/denoiser.wgsl, shared/embedded_inputs.wgsl,
// shared/denoised_batch.wgsl.
// Twin: src/diffusion/mlpDenoiser.ts.

struct Parameters {
  count: u32,
  directions: u32, // vectors per sample
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(6) var<storage, read> vectors: array<f32>; // [count, directions, FEATURES]
@group(0) @binding(7) var<storage, read_write> products: array<f32>; // [count, directions, FEATURES]

@compute @workgroup_size(THREADS)
fn denoiser_derivative(
  @builtin(local_invocation_index) index: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  place(index);
  let sample = (group.y * groups.x + group.x) * TILE + index;
  let owner = index < TILE && sample < parameters.count;
  let scales = denoise_sample(sample, owner);
  for (var direction = 0u; direction < parameters.directions; direction++) {
    let first = (sample * parameters.directions + direction) * FEATURES;
    var vector: array<f32, FEATURES>;
    if (owner) {
      for (var i = 0u; i < FEATURES; i++) {
        vector[i] = vectors[first + i];
      }
    }
    var product: array<f32, FEATURES>;
    if (TRANSPOSED) {
      product = vector_jacobian(&vector, scales);
    } else {
      product = jacobian_vector(&vector, scales);
    }
    if (owner) {
      for (var i = 0u; i < FEATURES; i++) {
        products[first + i] = product[i];
      }
    }
  }
}
