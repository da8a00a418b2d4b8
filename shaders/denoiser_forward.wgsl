// Denoiser: d(x_t, sigma) = c_skip x_t + c_out h(c_in x_t, emb(log sigma)) with sigma_data = 1 (Karras et al. 2022).
// Modules: shared/sincos.wgsl, shared/network.wgsl, shared/denoiser.wgsl, shared/embedded_inputs.wgsl,
// shared/denoised_batch.wgsl.
// Twin: src/diffusion/mlpDenoiser.ts.

struct Parameters {
  count: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;

@compute @workgroup_size(THREADS)
fn denoiser_forward(
  @builtin(local_invocation_index) index: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  place(index);
  let sample = (group.y * groups.x + group.x) * TILE + index;
  let owner = index < TILE && sample < parameters.count;
  denoise_sample(sample, owner);
}
