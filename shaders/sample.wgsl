// The whole sampler: a workgroup takes its samples through the plan steps first .. last - 1,
//
//     x ← a x + b d(x, sigma) + c ε
//
// with d the denoiser, or a posterior denoiser. It knows neither: modules are put before it.
//
//   denoiser   TILE samples and THREADS threads a workgroup, `place`; `Linearization`, the denoiser at a point, with x_hat =
//              E[x | x_t]; `linearize`; `vjp` for Jᵀ v there. Both are called by all threads of a workgroup together; sample
//              i of the tile is with thread i. Bindings 1 and 3. shared/network_denoiser.wgsl or shared/mixture_denoiser.wgsl.
//   estimate   d of a step from the linearization: shared/prior.wgsl or shared/posterior.wgsl.
//
// Frames: x at the beginning of the steps that the plan marks is kept behind x itself. Random numbers depend on sample and
// step only, so slicing changes no bit. Needs shared/random.wgsl and shared/draws.wgsl too. Twin: src/diffusion/cpuSampling.ts.

struct Parameters {
  mean: array<vec4f, 2>,
  begin: u32, // samples begin .. end - 1
  end: u32,
  first: u32, // steps first .. last - 1
  last: u32,
  seed: u32,
  stream: u32,
  origin: u32, // the sample at element 0 of the buffers
  count: u32, // samples in the buffers
  start: u32, // 1: x is drawn from N(mean, start_sigma² I) first
  iterations: u32, // of the solver
  shared_observation: u32, // 1: all samples have observation 0
  sigma_y: f32,
  start_sigma: f32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
// [steps, 2]: (sigma, a, b, c), (log sigma, number of the posterior method, number of the frame from 1 on or 0, 0)
@group(0) @binding(2) var<storage, read> plan: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> state: array<f32>; // x, then the frames, [1 + frames, count, FEATURES]

@compute @workgroup_size(THREADS)
fn sample_plan(
  @builtin(local_invocation_index) index: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  place(index);
  let sample = parameters.begin + (group.y * groups.x + group.x) * TILE + index;
  let owner = index < TILE && sample < parameters.end;
  let home = (sample - parameters.origin) * FEATURES;
  var x: array<f32, FEATURES>;
  if (owner) {
    if (parameters.start != 0u) {
      x = draw_start(sample);
    } else {
      for (var i = 0u; i < FEATURES; i++) {
        x[i] = state[home + i];
      }
    }
  }
  for (var step = parameters.first; step < parameters.last; step++) {
    let coefficients = plan[2u * step];
    let frame = u32(plan[2u * step + 1u].z);
    if (owner && frame > 0u) {
      for (var i = 0u; i < FEATURES; i++) {
        state[frame * parameters.count * FEATURES + home + i] = x[i];
      }
    }
    var point = linearize(&x, coefficients.x, step - parameters.first, owner);
    let d = estimate(&point, coefficients.x, step, sample, owner);
    for (var i = 0u; i < FEATURES; i++) {
      x[i] = coefficients.y * x[i] + coefficients.z * d[i];
    }
    if (owner && coefficients.w != 0.0) {
      let noise = draw(sample, step, DOMAIN_NOISE);
      for (var i = 0u; i < FEATURES; i++) {
        x[i] += coefficients.w * noise[i];
      }
    }
  }
  if (owner) {
    for (var i = 0u; i < FEATURES; i++) {
      state[home + i] = x[i];
    }
  }
}
