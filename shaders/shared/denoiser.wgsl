// The denoiser d(x, sigma) = c_skip x + c_out h(c_in x, ·) around the network h, and its derivatives by x:
//
//     c_skip = 1/(sigma² + 1), c_out = sigma/√(sigma² + 1), c_in = 1/√(sigma² + 1)
//     J = c_skip I + c_out c_in ∂h/∂x
//
// Needs shared/network.wgsl.

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

// Jᵀ v at the point of the last pass through the hidden layers, v and the result with the thread that owns the sample. Overwrites the tile.
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
