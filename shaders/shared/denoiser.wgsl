// From x_t and sigma to the network and back. Needs shared/network.wgsl, shared/sincos.wgsl and `frequencies:
// array<f32>` [EMBEDDING / 2].
//
//     c_skip = 1/(sigma² + 1), c_out = sigma/√(sigma² + 1), c_in = 1/√(sigma² + 1)
//     inputs = [c_in x, sin(f_k log sigma), cos(f_k log sigma)]

struct Scales {
  skip: f32,
  out: f32,
  input: f32,
  log_sigma: f32,
}

fn precondition(sigma: f32) -> Scales {
  let square = sigma * sigma + 1.0;
  let root = sqrt(square);
  return Scales(1.0 / square, sigma / root, 1.0 / root, log(sigma));
}

// Writes the network's inputs of the whole tile; x and scales are those of the sample that this thread owns, if it
// owns one.
fn network_inputs(x: ptr<function, array<f32, FEATURES>>, scales: Scales) {
  var scaled: array<f32, FEATURES>;
  for (var i = 0u; i < FEATURES; i++) {
    scaled[i] = scales.input * (*x)[i];
  }
  set_features(&scaled, scales.log_sigma);
  for (var task = thread; task < EMBEDDING / 2u * TILE_QUADS; task += THREADS) {
    let at = task % TILE_QUADS;
    let k = task / TILE_QUADS;
    let angle = frequencies[k] * recorded(FEATURES, at);
    let first = sincos(angle.x);
    let second = sincos(angle.y);
    let third = sincos(angle.z);
    let fourth = sincos(angle.w);
    let row = (FEATURES + k) * TILE_QUADS + at;
    tile[row] = vec4f(first.x, second.x, third.x, fourth.x);
    tile[row + EMBEDDING / 2u * TILE_QUADS] = vec4f(first.y, second.y, third.y, fourth.y);
  }
  workgroupBarrier();
}

// The network from the inputs in the tile; `output_value` then gives its outputs.
fn denoise() {
  for (var l = 0u; l < LAYERS; l++) {
    set_bias(l);
    hidden_layer(l, select(HIDDEN, INPUTS, l == 0u));
  }
  narrow_product(FINAL);
}

// Jᵀ v at the point of the last `denoise`, v and the result with the thread that owns the sample. Overwrites the tile.
fn vector_jacobian(v: ptr<function, array<f32, FEATURES>>, scales: Scales) -> array<f32, FEATURES> {
  var product: array<f32, FEATURES>;
  for (var i = 0u; i < FEATURES; i++) {
    product[i] = scales.out * (*v)[i];
  }
  set_features(&product, 0.0);
  for (var back = 0u; back < LAYERS; back++) {
    hidden_layer_backward(LAYERS - 1u - back);
  }
  narrow_product(FIRST_TRANSPOSED);
  if (thread < TILE) {
    for (var i = 0u; i < FEATURES; i++) {
      product[i] = scales.skip * (*v)[i] + scales.input * narrow_value(i, thread);
    }
  }
  return product;
}

// J u, likewise; the embedding does not depend on x, so only the first FEATURES rows of the first layer take part.
fn jacobian_vector(u: ptr<function, array<f32, FEATURES>>, scales: Scales) -> array<f32, FEATURES> {
  var product: array<f32, FEATURES>;
  for (var i = 0u; i < FEATURES; i++) {
    product[i] = scales.input * (*u)[i];
  }
  set_features(&product, 0.0);
  for (var l = 0u; l < LAYERS; l++) {
    hidden_layer_tangent(l);
  }
  narrow_product(FINAL);
  if (thread < TILE) {
    for (var i = 0u; i < FEATURES; i++) {
      product[i] = scales.skip * (*u)[i] + scales.out * narrow_value(i, thread);
    }
  }
  return product;
}
