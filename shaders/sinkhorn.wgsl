// Log-domain Sinkhorn between two point clouds with uniform weights, without storing the cost matrix.
//
//     f_i = log2 M - log2 Σ_j 2^(g_j - C_ij),   C_ij = ‖u_i - v_j‖²
//
// (Peyré & Cuturi, Computational Optimal Transport, 4.4). Points come scaled by √(log2 e / regularization), so
// that costs and potentials are in units of regularization / log2 e and exp2 is all the kernel needs. The same
// entry point updates rows from columns and columns from rows: the bind group swaps the two clouds.
//
// A workgroup owns a row; its threads take 4 columns at a time and keep an online maximum, then combine.
// Constant: FEATURES. Clouds are [FEATURES, stride] with stride a multiple of 4; potentials of the padding are
// -1e30, so it weighs nothing.

struct SinkhornParameters {
  rows: u32,
  columns: u32,
  row_begin: u32,
  tolerance: f32,
}

struct SinkhornState {
  moved: atomic<u32>, // bits of the largest move of a potential in this iteration
  finished: u32, // 1: no potential moved by more than the tolerance
  iterations: u32,
  cost: f32, // ⟨P, C⟩, in units of regularization / log2 e
}

const THREADS = 64u;

@group(0) @binding(0) var<uniform> parameters: SinkhornParameters;
@group(0) @binding(1) var<storage, read> row_points: array<vec4f>;
@group(0) @binding(2) var<storage, read> column_points: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> row_potentials: array<f32>;
@group(0) @binding(4) var<storage, read> column_potentials: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> state: SinkhornState;
@group(0) @binding(6) var<storage, read_write> row_costs: array<f32>; // [rows], Σ_j P_ij C_ij

var<workgroup> maxima: array<f32, THREADS>;
var<workgroup> sums: array<f32, THREADS>;
var<workgroup> stop: u32;

fn stride_of(count: u32) -> u32 {
  return (count + 3u) / 4u;
}

fn load_row(row: u32) -> array<f32, FEATURES> {
  var point: array<f32, FEATURES>;
  for (var d = 0u; d < FEATURES; d++) {
    point[d] = row_points[d * stride_of(parameters.rows) + row / 4u][row % 4u];
  }
  return point;
}

// Costs of the row's point to four columns.
fn costs(point: ptr<function, array<f32, FEATURES>>, block: u32) -> vec4f {
  var sum = vec4f();
  for (var d = 0u; d < FEATURES; d++) {
    let difference = (*point)[d] - column_points[d * stride_of(parameters.columns) + block];
    sum += difference * difference;
  }
  return sum;
}

@compute @workgroup_size(THREADS)
fn update_potentials(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  if (local == 0u) {
    stop = state.finished;
  }
  let row = parameters.row_begin + workgroup.y * groups.x + workgroup.x;
  if (workgroupUniformLoad(&stop) == 1u || row >= parameters.rows) {
    return;
  }
  var point = load_row(row);
  var greatest = -3e38;
  var sum = 0.0;
  for (var block = local; block < stride_of(parameters.columns); block += THREADS) {
    let x = column_potentials[block] - costs(&point, block);
    let top = max(greatest, max(max(x.x, x.y), max(x.z, x.w)));
    sum = sum * exp2(greatest - top) + dot(exp2(x - top), vec4f(1.0));
    greatest = top;
  }
  maxima[local] = greatest;
  sums[local] = sum;
  for (var stride = THREADS / 2u; stride > 0u; stride /= 2u) {
    workgroupBarrier();
    if (local < stride) {
      let top = max(maxima[local], maxima[local + stride]);
      sums[local] = sums[local] * exp2(maxima[local] - top)
        + sums[local + stride] * exp2(maxima[local + stride] - top);
      maxima[local] = top;
    }
  }
  if (local == 0u) {
    let potential = log2(f32(parameters.columns)) - (maxima[0] + log2(sums[0]));
    let moved = abs(potential - row_potentials[row]);
    row_potentials[row] = potential;
    // floats that are not negative are ordered as their bits are
    atomicMax(&state.moved, bitcast<u32>(moved));
  }
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

@compute @workgroup_size(THREADS)
fn transport_cost(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = parameters.row_begin + workgroup.y * groups.x + workgroup.x;
  if (row >= parameters.rows) {
    return;
  }
  var point = load_row(row);
  let potential = row_potentials[row] - log2(f32(parameters.rows)) - log2(f32(parameters.columns));
  var sum = 0.0;
  for (var block = local; block < stride_of(parameters.columns); block += THREADS) {
    let c = costs(&point, block);
    sum += dot(exp2(potential + column_potentials[block] - c), c);
  }
  sums[local] = sum;
  for (var stride = THREADS / 2u; stride > 0u; stride /= 2u) {
    workgroupBarrier();
    if (local < stride) {
      sums[local] += sums[local + stride];
    }
  }
  if (local == 0u) {
    row_costs[row] = sums[0];
  }
}

@compute @workgroup_size(THREADS)
fn sum_costs(@builtin(local_invocation_index) local: u32) {
  var sum = 0.0;
  for (var row = local; row < parameters.rows; row += THREADS) {
    sum += row_costs[row];
  }
  sums[local] = sum;
  for (var stride = THREADS / 2u; stride > 0u; stride /= 2u) {
    workgroupBarrier();
    if (local < stride) {
      sums[local] += sums[local + stride];
    }
  }
  if (local == 0u) {
    state.cost = sums[0];
  }
}
