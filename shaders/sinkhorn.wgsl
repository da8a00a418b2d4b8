// Log-domain Sinkhorn between two point clouds with uniform weights, without storing the cost matrix.
//
//     f_i = log2 M - log2 Σ_j 2^(g_j - C_ij),   C_ij = ‖u_i - v_j‖²
//
// (Peyré & Cuturi, Computational Optimal Transport, 4.4). Points come scaled by √(log2 e / regularization), so
// that costs and potentials are in units of regularization / log2 e and exp2 is all the kernel needs.
//
// A workgroup owns a row; its threads take 4 columns at a time and keep an online maximum, then combine.
// Constant: FEATURES. Module: shared/sinkhorn_state.wgsl, whose cost is ⟨P, C⟩.

struct SinkhornParameters {
  rows: u32,
  columns: u32,
  row_begin: u32,
  tolerance: f32,
}

const THREADS = 64u;

@group(0) @binding(0) var<uniform> parameters: SinkhornParameters;
@group(0) @binding(6) var<storage, read_write> row_costs: array<f32>; // [rows], Σ_j P_ij C_ij

var<workgroup> maxima: array<f32, THREADS>;
var<workgroup> sums: array<f32, THREADS>;
var<workgroup> stop: u32;

fn load_row(row: u32) -> array<f32, FEATURES> {
  var point: array<f32, FEATURES>;
  for (var d = 0u; d < FEATURES; d++) {
    point[d] = row_coordinate(row, d);
  }
  return point;
}

// Costs of the row's point to four columns.
fn costs(point: ptr<function, array<f32, FEATURES>>, block: u32) -> vec4f {
  var sum = vec4f();
  for (var d = 0u; d < FEATURES; d++) {
    let difference = (*point)[d] - column_coordinates(block, d);
    sum += difference * difference;
  }
  return sum;
}

// sums[0] = Σ value over the threads, for thread 0 to read.
fn sum_threads(value: f32, local: u32) {
  sums[local] = value;
  for (var stride = THREADS / 2u; stride > 0u; stride /= 2u) {
    workgroupBarrier();
    if (local < stride) {
      sums[local] += sums[local + stride];
    }
  }
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
    record_move(potential - row_potentials[row]);
    row_potentials[row] = potential;
  }
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
  sum_threads(sum, local);
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
  sum_threads(sum, local);
  if (local == 0u) {
    state.cost = sums[0];
  }
}
