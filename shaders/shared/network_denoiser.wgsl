// The network as the sampler's denoiser. The noise level's share of the first layer comes from a table, because all samples
// share a step's sigma (embedding_table.wgsl). Needs shared/network.wgsl, shared/denoiser.wgsl, sample.wgsl.

@group(0) @binding(1) var<storage, read> weights: array<vec4f>;
@group(0) @binding(3) var<storage, read> table: array<vec4f>; // [steps of the slice, HIDDEN / 4]

// The denoiser at a point: its value, and what `vjp` needs beside the network's own state.
struct Linearization {
  x_hat: array<f32, FEATURES>,
  scales: Scales,
}

// block = a row of the table, from vec4 `first`, for all samples.
fn set_block_from_table(first: u32) {
  for (var i = 0u; i < rolled(BLOCK); i++) {
    block[i] = vec4f(table[first + column + i / 4u % VECTORS * STRIDE][i % 4u]);
  }
}

// `row`: the step's place in the slice.
fn linearize(x: ptr<function, array<f32, FEATURES>>, sigma: f32, row: u32, owner: bool) -> Linearization {
  let scales = precondition(sigma);
  var inputs: array<f32, FEATURES>;
  for (var i = 0u; i < FEATURES; i++) {
    inputs[i] = scales.input * (*x)[i];
  }
  set_features(&inputs, 0.0);
  for (var l = 0u; l < LAYERS; l++) {
    if (l == 0u) {
      set_block_from_table(row * COLUMNS);
    } else {
      set_block(bias_of(l));
    }
    hidden_layer(l, select(HIDDEN, FEATURES, l == 0u));
  }
  narrow_product(FINAL);
  var x_hat: array<f32, FEATURES>;
  if (owner) {
    for (var i = 0u; i < FEATURES; i++) {
      x_hat[i] = scales.skip * (*x)[i] + scales.out * output_value(i, thread);
    }
  }
  return Linearization(x_hat, scales);
}

// Jᵀ v at the point of the last `linearize`.
fn vjp(point: ptr<function, Linearization>, v: ptr<function, array<f32, FEATURES>>) -> array<f32, FEATURES> {
  return vector_jacobian(v, (*point).scales);
}
