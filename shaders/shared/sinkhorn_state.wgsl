// What the Sinkhorn kernels share: the clouds and potentials that an update reads and writes, the state that the host reads,
// and the end of an iteration. Clouds are [FEATURES, stride] with stride a multiple of 4; potentials of the padding are -1e30,
// so it weighs nothing. The same entry point updates rows from columns and columns from rows: the bind group swaps the clouds.
//
// Needs FEATURES and parameters.rows, columns, tolerance.

struct SinkhornState {
  moved: atomic<u32>, // bits of the largest move of a potential in this iteration
  finished: u32, // 1: no potential moved by more than the tolerance
  iterations: u32, // counted by close_iteration
  cost: f32, // in units of regularization / log2 e
}

@group(0) @binding(1) var<storage, read> row_points: array<vec4f>;
@group(0) @binding(2) var<storage, read> column_points: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> row_potentials: array<f32>;
@group(0) @binding(4) var<storage, read> column_potentials: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> state: SinkhornState;

fn stride_of(count: u32) -> u32 {
  return (count + 3u) / 4u;
}

fn row_coordinate(row: u32, d: u32) -> f32 {
  return row_points[d * stride_of(parameters.rows) + row / 4u][row % 4u];
}

// Of the four columns of a block.
fn column_coordinates(block: u32, d: u32) -> vec4f {
  return column_points[d * stride_of(parameters.columns) + block];
}

fn record_move(moved: f32) {
  // floats that are not negative are ordered as their bits are
  atomicMax(&state.moved, bitcast<u32>(abs(moved)));
}

@compute @workgroup_size(1)
fn close_iteration() {
  if (state.finished == 1u) {
    return;
  }
  state.iterations += 1u;
  if (atomicLoad(&state.moved) <= bitcast<u32>(parameters.tolerance)) {
    state.finished = 1u;
  }
  atomicStore(&state.moved, 0u);
}
