// Denoising loss of a batch, with what its gradient by the weights needs:
//
//     x_t = x + sigma_t z,   loss = mean_b λ_t mean_features (d(x_t, t) - x)²,   λ_t = 1/sigma_t² + 1
//
// Leaves the sum of each tile's share of the loss, every layer's inputs and the loss's derivative by every layer's
// output (layout: src/gpu/network.ts); weight_gradient.wgsl multiplies the two.
// Modules: shared/sincos.wgsl, shared/random.wgsl, shared/network.wgsl, shared/denoiser.wgsl,
// shared/embedded_inputs.wgsl, and shared/drawn_batch.wgsl or shared/given_batch.wgsl.
// Twin: src/diffusion/mlpDenoiser.ts.

struct Parameters {
  batch_begin: u32, // elements batch_begin .. batch_begin + batch_count - 1 in this dispatch
  batch_count: u32,
  batch_total: u32,
  capacity: u32, // batch elements that activations and deltas have room for
  seed: u32,
  stream: u32,
  sample_count: u32,
  alpha: u32,
  beta: u32,
  log_sigma_min: f32,
  log_sigma_max: f32,
  loss_offset: u32, // element of `losses` for the first tile
}

struct Element {
  x: array<f32, FEATURES>,
  z: array<f32, FEATURES>,
  t: f32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;
@group(0) @binding(2) var<storage, read> frequencies: array<f32>; // [EMBEDDING / 2]
@group(0) @binding(3) var<storage, read> samples: array<f32>; // [sample_count, FEATURES]
@group(0) @binding(5) var<storage, read_write> activations: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> deltas: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> losses: array<f32>; // one a tile

const INPUT_VECTORS = (INPUTS + 4u) / 4u; // vec4s of a row of activations of layer 0

// First vec4 of the activations of layer l.
fn activations_of(l: u32) -> u32 {
  return parameters.capacity * select(INPUT_VECTORS + (l - 1u) * (COLUMNS + 1u), 0u, l == 0u);
}

// The network's inputs, a one for the bias, zeros; from the tile, whose first sample is batch element `tile_begin`.
fn keep_inputs(tile_begin: u32) {
  for (var task = thread; task < TILE * INPUT_VECTORS; task += THREADS) {
    let sample = task / INPUT_VECTORS;
    let at = task % INPUT_VECTORS;
    if (tile_begin + sample < parameters.batch_count) {
      var values: vec4f;
      for (var c = 0u; c < 4u; c++) {
        let row = 4u * at + c;
        values[c] = select(select(0.0, 1.0, row == INPUTS), tile_value(min(row, INPUTS - 1u), sample), row < INPUTS);
      }
      activations[(tile_begin + sample) * INPUT_VECTORS + at] = values;
    }
  }
}

// Four neurons of one sample from the block, and where they belong. `part` counts the block's samples and vectors.
struct Neurons {
  element: u32, // of the batch, from the chunk's begin
  vector: u32, // which vec4 of the row
  values: vec4f,
}

fn neurons(part: u32, tile_begin: u32) -> Neurons {
  let s = part % 4u;
  let i = part / 4u * 4u;
  let q = i / (4u * VECTORS);
  let values = vec4f(block[i][s], block[i + 1u][s], block[i + 2u][s], block[i + 3u][s]);
  return Neurons(tile_begin + 4u * (quad + q) + s, column + part / 4u % VECTORS * STRIDE, values);
}

// The block, an output of a hidden layer, as the inputs of layer l.
fn keep_activations(l: u32, tile_begin: u32) {
  let first = activations_of(l);
  for (var part = 0u; part < rolled(BLOCK); part++) {
    let kept = neurons(part, tile_begin);
    if (thread < WORKERS && kept.element < parameters.batch_count) {
      let row = first + kept.element * (COLUMNS + 1u);
      activations[row + kept.vector] = kept.values;
      if (kept.vector == 0u) {
        activations[row + COLUMNS] = vec4f(1.0, 0.0, 0.0, 0.0);
      }
    }
  }
}

// The block, a derivative by hidden layer l's pre-activation.
fn keep_deltas(l: u32, tile_begin: u32) {
  for (var part = 0u; part < rolled(BLOCK); part++) {
    let kept = neurons(part, tile_begin);
    if (thread < WORKERS && kept.element < parameters.batch_count) {
      deltas[(parameters.capacity * l + kept.element) * COLUMNS + kept.vector] = kept.values;
    }
  }
}

@compute @workgroup_size(THREADS)
fn denoising_loss(
  @builtin(local_invocation_index) index: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  place(index);
  let tile_index = group.y * groups.x + group.x;
  let tile_begin = tile_index * TILE;
  let owner = index < TILE && tile_begin + index < parameters.batch_count;
  var element: Element;
  var x_t: array<f32, FEATURES>;
  var sigma = 1.0;
  var scales = precondition(1.0);
  if (owner) {
    element = batch_element(parameters.batch_begin + tile_begin + index);
    let log_sigma = mix(parameters.log_sigma_min, parameters.log_sigma_max, element.t);
    sigma = exp(log_sigma);
    scales = precondition(sigma);
    scales.log_sigma = log_sigma;
    for (var i = 0u; i < FEATURES; i++) {
      x_t[i] = element.x[i] + sigma * element.z[i];
    }
  }
  network_inputs(&x_t, scales);
  keep_inputs(tile_begin);
  for (var l = 0u; l < LAYERS; l++) {
    set_block(bias_of(l));
    hidden_layer(l, select(HIDDEN, INPUTS, l == 0u));
    keep_activations(l + 1u, tile_begin);
  }
  narrow_product(FINAL);

  var delta: array<f32, FEATURES>;
  var loss = 0.0;
  if (owner) {
    let share = 1.0 / (f32(FEATURES) * f32(parameters.batch_total));
    // d - x = c_out (h + c_in z - c_out x) and λ c_out² = 1: so written, nothing cancels at a small sigma
    for (var i = 0u; i < FEATURES; i++) {
      let error = output_value(i, index) + scales.input * element.z[i] - scales.out * element.x[i];
      loss += share * error * error;
      delta[i] = 2.0 * share * error;
    }
    for (var r = 0u; r < NARROW; r++) {
      // set to zero by name: Tint gives a variable without a value its zero only once, not in every round
      var values = vec4f(0.0);
      for (var c = 0u; c < 4u && 4u * r + c < FEATURES; c++) {
        values[c] = delta[4u * r + c];
      }
      deltas[parameters.capacity * LAYERS * COLUMNS + (tile_begin + index) * NARROW + r] = values;
    }
  }
  set_features(&delta, loss);
  if (thread == 0u) {
    var sum = vec4f(0.0);
    for (var at = 0u; at < TILE_QUADS; at++) {
      sum += recorded(FEATURES, at);
    }
    losses[parameters.loss_offset + tile_index] = dot(sum, vec4f(1.0));
  }
  for (var back = 0u; back < LAYERS; back++) {
    let l = LAYERS - 1u - back;
    hidden_layer_backward(l);
    keep_deltas(l, tile_begin);
  }
}
