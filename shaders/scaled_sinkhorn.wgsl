// Log-domain Sinkhorn with epsilon scaling, without storing the cost matrix: the stages of src/math/sinkhornStages.ts.
//
//     f̃_i = f_i + (log2 M - log2 Σ_j 2^(s (f_i + g_j - C_ij)))/s,   s = last regularisation / this one
//     f_i ← f̃_i + relaxation · min(f̃_i - f_i, raise)
//
// (Peyré & Cuturi, Computational Optimal Transport, 4.4.) Points come scaled by √(log2 e / regularization), so that
// costs and potentials are in units of the last regularization / log2 e.
//
// The sum is taken relative to the potential before the update, near which it stays: no maximum is needed. Where it
// does not (the first iteration, a point far off), the workgroup takes the largest exponent and sums again. A
// workgroup owns ROWS rows; its threads take 4 columns at a time and load them once for all the rows.
// Constant: FEATURES. Module: shared/sinkhorn_state.wgsl; the state counts the iterations of the last stage.

struct StageParameters {
  rows: u32,
  columns: u32,
  row_begin: u32,
  phase: u32, // SCALING, CONVERGING or SETTLING
  scale: f32, // s
  relaxation: f32, // ω - 1
  raise: f32,
  tolerance: f32,
}

const SCALING = 0u; // no look at convergence
const CONVERGING = 1u; // does nothing once finished
const SETTLING = 2u; // the plain iteration before the cost

const THREADS = 32u;
const ROWS = 8u;

@group(0) @binding(0) var<uniform> parameters: StageParameters;
@group(0) @binding(6) var<storage, read_write> row_costs: array<f32>; // [rows], f_i + M Σ_j P_ij (C_ij - f_i - g_j)

var<workgroup> partial: array<array<f32, THREADS>, ROWS>;
var<workgroup> reference: array<f32, ROWS>;
var<workgroup> totals: array<f32, ROWS>;
var<workgroup> far: u32;
var<workgroup> stop: u32;

alias RowPoints = array<array<f32, ROWS>, FEATURES>;
alias ColumnBlock = array<vec4f, FEATURES>;

fn load_rows(first: u32) -> RowPoints {
  var points: RowPoints;
  for (var r = 0u; r < ROWS; r++) {
    let row = min(first + r, parameters.rows - 1u);
    for (var d = 0u; d < FEATURES; d++) {
      points[d][r] = row_coordinate(row, d);
    }
  }
  return points;
}

fn load_columns(block: u32) -> ColumnBlock {
  var columns: ColumnBlock;
  for (var d = 0u; d < FEATURES; d++) {
    columns[d] = column_coordinates(block, d);
  }
  return columns;
}

// Costs of row r's point to four columns.
fn costs(points: ptr<function, RowPoints>, columns: ptr<function, ColumnBlock>, r: u32) -> vec4f {
  var sum = vec4f();
  for (var d = 0u; d < FEATURES; d++) {
    let difference = (*points)[d][r] - (*columns)[d];
    sum += difference * difference;
  }
  return sum;
}

// Σ_t partial[r][t], in order.
fn sum_of_partials(r: u32) -> f32 {
  var total = 0.0;
  for (var t = 0u; t < THREADS; t++) {
    total += partial[r][t];
  }
  return total;
}

// totals[r] = Σ_j 2^(s (reference_r + g_j - C_rj))
fn sum_columns(points: ptr<function, RowPoints>, local: u32) {
  var base: array<f32, ROWS>;
  var sums: array<vec4f, ROWS>;
  for (var r = 0u; r < ROWS; r++) {
    base[r] = reference[r];
    sums[r] = vec4f();
  }
  for (var block = local; block < stride_of(parameters.columns); block += THREADS) {
    let g = column_potentials[block];
    var columns = load_columns(block);
    for (var r = 0u; r < ROWS; r++) {
      sums[r] += exp2(parameters.scale * (base[r] + g - costs(points, &columns, r)));
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    partial[r][local] = dot(sums[r], vec4f(1.0));
  }
  workgroupBarrier();
  if (local < ROWS) {
    totals[local] = sum_of_partials(local);
  }
}

// reference_r = -max_j (g_j - C_rj): the largest exponent becomes 0
fn refer_to_largest(points: ptr<function, RowPoints>, local: u32) {
  var greatest: array<f32, ROWS>;
  for (var r = 0u; r < ROWS; r++) {
    greatest[r] = -3e38;
  }
  for (var block = local; block < stride_of(parameters.columns); block += THREADS) {
    let g = column_potentials[block];
    var columns = load_columns(block);
    for (var r = 0u; r < ROWS; r++) {
      let x = g - costs(points, &columns, r);
      greatest[r] = max(greatest[r], max(max(x.x, x.y), max(x.z, x.w)));
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    partial[r][local] = greatest[r];
  }
  workgroupBarrier();
  if (local < ROWS) {
    var largest = partial[local][0];
    for (var t = 1u; t < THREADS; t++) {
      largest = max(largest, partial[local][t]);
    }
    reference[local] = -largest;
  }
  workgroupBarrier();
}

@compute @workgroup_size(THREADS)
fn update_potentials(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let first = parameters.row_begin + ROWS * (workgroup.y * groups.x + workgroup.x);
  if (local == 0u) {
    stop = select(0u, state.finished, parameters.phase == CONVERGING);
  }
  if (workgroupUniformLoad(&stop) == 1u || first >= parameters.rows) {
    return;
  }
  let row = min(first + local, parameters.rows - 1u);
  var points = load_rows(first);
  var before = 0.0;
  if (local < ROWS) {
    before = row_potentials[row];
    reference[local] = before;
  }
  workgroupBarrier();
  sum_columns(&points, local);
  workgroupBarrier();
  if (local == 0u) {
    far = 0u;
    for (var r = 0u; r < ROWS; r++) {
      if (!(totals[r] > 1e-24 && totals[r] < 1e24)) {
        far = 1u;
      }
    }
  }
  if (workgroupUniformLoad(&far) == 1u) {
    refer_to_largest(&points, local);
    sum_columns(&points, local);
  }
  if (local < ROWS && first + local < parameters.rows) {
    let shift = (log2(f32(parameters.columns)) - log2(totals[local])) / parameters.scale;
    let potential = reference[local] + shift;
    let moved = potential - before;
    row_potentials[row] = potential + parameters.relaxation * min(moved, parameters.raise);
    if (parameters.phase == CONVERGING) {
      record_move(moved);
    }
  }
}

@compute @workgroup_size(THREADS)
fn transport_cost(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let first = parameters.row_begin + ROWS * (workgroup.y * groups.x + workgroup.x);
  if (first >= parameters.rows) {
    return;
  }
  var points = load_rows(first);
  var base: array<f32, ROWS>;
  var sums: array<f32, ROWS>;
  for (var r = 0u; r < ROWS; r++) {
    base[r] = row_potentials[min(first + r, parameters.rows - 1u)];
    sums[r] = 0.0;
  }
  for (var block = local; block < stride_of(parameters.columns); block += THREADS) {
    let g = column_potentials[block];
    var columns = load_columns(block);
    for (var r = 0u; r < ROWS; r++) {
      let gain = base[r] + g - costs(&points, &columns, r);
      sums[r] -= dot(exp2(gain), gain);
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    partial[r][local] = sums[r];
  }
  workgroupBarrier();
  if (local < ROWS && first + local < parameters.rows) {
    row_costs[first + local] = row_potentials[first + local] + sum_of_partials(local) / f32(parameters.columns);
  }
}

// Means over the rows and over the columns, added.
@compute @workgroup_size(THREADS)
fn sum_costs(@builtin(local_invocation_index) local: u32) {
  var sum = 0.0;
  for (var row = local; row < parameters.rows; row += THREADS) {
    sum += row_costs[row] / f32(parameters.rows);
  }
  for (var column = local; column < parameters.columns; column += THREADS) {
    sum += column_potentials[column / 4u][column % 4u] / f32(parameters.columns);
  }
  partial[0][local] = sum;
  workgroupBarrier();
  if (local == 0u) {
    state.cost = sum_of_partials(0u);
  }
}
