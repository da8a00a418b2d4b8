// A network evaluation where each sample has its own sigma: the embedding is computed in place.
//
//     inputs = [c_in x, sin(f_k log sigma), cos(f_k log sigma)]
//
// Needs shared/denoiser.wgsl, shared/sincos.wgsl and `frequencies: array<f32>` [EMBEDDING / 2].

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
    set_block(bias_of(l));
    hidden_layer(l, select(HIDDEN, INPUTS, l == 0u));
  }
  narrow_product(FINAL);
}
