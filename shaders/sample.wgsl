// The whole sampler: a workgroup takes its samples through the plan steps first .. last - 1,
//
//     x ← a x + b d(x, sigma) + c ε
//
// with d the denoiser (shared/prior.wgsl) or the posterior denoiser (shared/posterior.wgsl), whichever module is
// included. Random numbers depend on sample and step only, so slicing changes no bit.
// Modules: shared/sincos.wgsl, shared/random.wgsl, shared/network.wgsl, shared/denoiser.wgsl, one of the two above
// (with shared/solvers.wgsl). Twin: src/diffusion/cpuBackend.ts.

struct Parameters {
  begin: u32, // samples begin .. end - 1
  end: u32,
  first: u32, // steps first .. last - 1
  last: u32,
  seed: u32,
  stream: u32,
  origin: u32, // the sample at element 0 of the buffers
  start: u32, // 1: x is drawn from N(mean, start_sigma² I) first
  iterations: u32, // of the solver
  shared_observation: u32, // 1: all samples have observation 0
  sigma_y: f32,
  start_sigma: f32,
  mean: array<vec4f, 2>,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;
// [steps, 2]: (sigma, a, b, c), (log sigma, v of V = v I, 0, 0)
@group(0) @binding(2) var<storage, read> plan: array<vec4f>;
@group(0) @binding(3) var<storage, read> table: array<vec4f>; // [last - first, HIDDEN / 4], see embedding_table.wgsl
@group(0) @binding(4) var<storage, read_write> state: array<f32>; // x, [count, FEATURES]

// Normal draws of a sample: the features' components of (index, step, domain).
fn draw(sample: u32, step: u32, domain: u32) -> array<f32, FEATURES> {
  var noise: array<f32, FEATURES>;
  for (var first = 0u; first < FEATURES; first += 4u) {
    let z = normals(philox(vec4u(sample, step, first / 4u, domain), vec2u(parameters.seed, parameters.stream)));
    for (var c = 0u; c < 4u && first + c < FEATURES; c++) {
      noise[first + c] = z[c];
    }
  }
  return noise;
}

// block = a row of the table, from vec4 `first`, for all samples.
fn set_block_from_table(first: u32) {
  for (var i = 0u; i < rolled(BLOCK); i++) {
    block[i] = vec4f(table[first + column + i / 4u % VECTORS * STRIDE][i % 4u]);
  }
}

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
      x = draw(sample, 0u, DOMAIN_START);
      for (var i = 0u; i < FEATURES; i++) {
        x[i] = parameters.mean[i / 4u][i % 4u] + parameters.start_sigma * x[i];
      }
    } else {
      for (var i = 0u; i < FEATURES; i++) {
        x[i] = state[home + i];
      }
    }
  }
  for (var step = parameters.first; step < parameters.last; step++) {
    let coefficients = plan[2u * step];
    let scales = precondition(coefficients.x);
    var inputs: array<f32, FEATURES>;
    for (var i = 0u; i < FEATURES; i++) {
      inputs[i] = scales.input * x[i];
    }
    set_features(&inputs, 0.0);
    for (var l = 0u; l < LAYERS; l++) {
      if (l == 0u) {
        set_block_from_table((step - parameters.first) * COLUMNS);
      } else {
        set_block(bias_of(l));
      }
      hidden_layer(l, select(HIDDEN, FEATURES, l == 0u));
    }
    narrow_product(FINAL);
    var x_hat: array<f32, FEATURES>;
    if (owner) {
      for (var i = 0u; i < FEATURES; i++) {
        x_hat[i] = scales.skip * x[i] + scales.out * output_value(i, index);
      }
    }
    let d = estimate(&x_hat, scales, coefficients.x, step, sample, owner);
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
