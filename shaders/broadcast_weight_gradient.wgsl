// As weight_gradient.wgsl, where a subgroup has WIDTH lanes and a load costs as much for one lane as for another: software
// drivers compute a subgroup's lanes by one instruction, but load lane by lane.
//
// A workgroup is one subgroup and owns 4 WIDTH rows × 4 WIDTH columns of one layer's G. A lane loads one vec4 of the rows'
// activations for all and one vec4 of deltas for itself; the others' activations reach it by broadcast. So two
// loads pay for 16 WIDTH multiply-adds of a lane. The bias has no row of its own in a tile: its gradient is the sum of the deltas.
//
// Module: shared/weight_gradient_parts.wgsl, with ROWS = inputs. Constant: WIDTH.

var<private> sums: array<vec4f, 4u * WIDTH>; // a row each

// Rows 4 quad .. 4 quad + 3 of G += h dᵀ.
fn add_rows(quad: u32, h: vec4f, d: vec4f) {
  for (var c = 0u; c < 4u; c++) {
    sums[4u * quad + c] += h[c] * d;
  }
}

@compute @workgroup_size(WIDTH)
fn weight_gradient(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let tile = workgroup.x;
  let split = workgroup.y;
  let layer = layer_of(tile);
  let inner = tile - FIRST_TILE[layer];
  let row = inner / TILE_COLUMNS[layer] * 4u * WIDTH;
  let column = inner % TILE_COLUMNS[layer] * WIDTH + local; // in vec4s
  let input_stride = INPUT_STRIDE[layer] / 4u;
  let output_stride = OUTPUT_STRIDE[layer] / 4u;

  let elements = elements_of(split);
  let begin = elements.x;
  let end = elements.y;
  // where the tile hangs over the edge, the last vec4 is read again and the sums never written
  var a = parameters.capacity * ACTIVATION_OFFSET[layer] / 4u + begin * input_stride
    + min(row / 4u + lane, input_stride - 1u);
  var at = parameters.capacity * DELTA_OFFSET[layer] / 4u + begin * output_stride
    + min(column, output_stride - 1u);

  var bias = vec4f();
  for (var b = begin; b < end; b++) {
    let h = activations[a];
    let d = deltas[at];
    bias += d;
    // a broadcast names its lane by a constant
    add_rows(0u, subgroupBroadcast(h, 0u), d);
    add_rows(1u, subgroupBroadcast(h, 1u), d);
    add_rows(2u, subgroupBroadcast(h, 2u), d);
    add_rows(3u, subgroupBroadcast(h, 3u), d);
    add_rows(4u, subgroupBroadcast(h, 4u), d);
    add_rows(5u, subgroupBroadcast(h, 5u), d);
    add_rows(6u, subgroupBroadcast(h, 6u), d);
    add_rows(7u, subgroupBroadcast(h, 7u), d);
    a += input_stride;
    at += output_stride;
  }

  if (column >= output_stride) {
    return;
  }
  let first = (split * PARAMETERS + PARAMETER_OFFSET[layer]) / 4u + column;
  for (var r = 0u; r < min(4u * WIDTH, ROWS[layer] - row); r++) {
    put(first + (row + r) * output_stride, sums[r]);
  }
  if (row == 0u) {
    put(first + ROWS[layer] * output_stride, bias);
  }
}
