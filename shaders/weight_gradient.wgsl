// Gradients of all Linear layers in one dispatch: G_l = [h_l, 1]ᵀ delta_l, summed over a split of the batch.
//
// A thread owns an 8 × 8 tile of one layer's G in registers and walks through its split's batch elements: four
// vec4 loads for 64 multiply-adds, no workgroup memory.
//
// Module: shared/weight_gradient_parts.wgsl, with ROWS = inputs + 1. Constant: TILES.

@compute @workgroup_size(64)
fn weight_gradient(@builtin(global_invocation_id) id: vec3u) {
  let tile = id.x;
  let split = id.y;
  if (tile >= TILES) {
    return;
  }
  let layer = layer_of(tile);
  let inner = tile - FIRST_TILE[layer];
  let row = inner / TILE_COLUMNS[layer] * 8u;
  let column = inner % TILE_COLUMNS[layer] * 8u;
  let input_stride = INPUT_STRIDE[layer] / 4u;
  let output_stride = OUTPUT_STRIDE[layer] / 4u;
  // where the tile hangs over the edge, the first half is read twice and the second never written
  let second_row = select(0u, 1u, row / 4u + 1u < input_stride);
  let second_column = select(0u, 1u, column / 4u + 1u < output_stride);

  let elements = elements_of(split);
  let begin = elements.x;
  let end = elements.y;
  var a = parameters.capacity * ACTIVATION_OFFSET[layer] / 4u + begin * input_stride + row / 4u;
  var d = parameters.capacity * DELTA_OFFSET[layer] / 4u + begin * output_stride + column / 4u;

  var g00 = vec4f(); var g01 = vec4f();
  var g10 = vec4f(); var g11 = vec4f();
  var g20 = vec4f(); var g21 = vec4f();
  var g30 = vec4f(); var g31 = vec4f();
  var g40 = vec4f(); var g41 = vec4f();
  var g50 = vec4f(); var g51 = vec4f();
  var g60 = vec4f(); var g61 = vec4f();
  var g70 = vec4f(); var g71 = vec4f();
  for (var b = begin; b < end; b++) {
    let h0 = activations[a];
    let h1 = activations[a + second_row];
    let d0 = deltas[d];
    let d1 = deltas[d + second_column];
    g00 += h0.x * d0; g01 += h0.x * d1;
    g10 += h0.y * d0; g11 += h0.y * d1;
    g20 += h0.z * d0; g21 += h0.z * d1;
    g30 += h0.w * d0; g31 += h0.w * d1;
    g40 += h1.x * d0; g41 += h1.x * d1;
    g50 += h1.y * d0; g51 += h1.y * d1;
    g60 += h1.z * d0; g61 += h1.z * d1;
    g70 += h1.w * d0; g71 += h1.w * d1;
    a += input_stride;
    d += output_stride;
  }

  var left = array<vec4f, 8>(g00, g10, g20, g30, g40, g50, g60, g70);
  var right = array<vec4f, 8>(g01, g11, g21, g31, g41, g51, g61, g71);
  let rows = min(8u, ROWS[layer] - row);
  var target_index = (split * PARAMETERS + PARAMETER_OFFSET[layer]) / 4u + row * output_stride + column / 4u;
  for (var i = 0u; i < rows; i++) {
    put(target_index, left[i]);
    if (second_column == 1u) {
      put(target_index + 1u, right[i]);
    }
    target_index += output_stride;
  }
}
