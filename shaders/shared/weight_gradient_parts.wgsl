// What the variants of the weight gradient have in common. Partial sums [splits, PARAMETERS] go to storage; reduce_gradient.wgsl
// adds them up in a fixed order. Layout: src/gpu/network.ts.
//
// Constants: LAYERS, PARAMETERS and per layer (array<u32, LAYERS>) ROWS, INPUT_STRIDE, OUTPUT_STRIDE, PARAMETER_OFFSET,
// ACTIVATION_OFFSET, DELTA_OFFSET, FIRST_TILE, TILE_COLUMNS.

struct WeightGradientParameters {
  capacity: u32, // batch elements the activations buffer is laid out for
  count: u32, // batch elements in it now
  splits: u32,
  accumulate: u32, // 1: add to the partial sums of the batch's earlier chunks
}

@group(0) @binding(0) var<uniform> parameters: WeightGradientParameters;
@group(0) @binding(1) var<storage, read> activations: array<vec4f>;
@group(0) @binding(2) var<storage, read> deltas: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> partials: array<vec4f>; // [splits, PARAMETERS]

// The layer that a tile belongs to.
fn layer_of(tile: u32) -> u32 {
  var layer = 0u;
  while (layer + 1u < LAYERS && tile >= FIRST_TILE[layer + 1u]) {
    layer++;
  }
  return layer;
}

// Batch elements of a split: from x on, before y.
fn elements_of(split: u32) -> vec2u {
  let share = (parameters.count + parameters.splits - 1u) / parameters.splits;
  let begin = min(split * share, parameters.count);
  return vec2u(begin, min(begin + share, parameters.count));
}

// A vec4 of the partial sums, on top of the batch's earlier chunks.
fn put(at: u32, value: vec4f) {
  var sum = value;
  if (parameters.accumulate == 1u) {
    sum += partials[at];
  }
  partials[at] = sum;
}
