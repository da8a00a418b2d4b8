// Product of a matrix with one axis of an image, out[o, q, b, r, a] = Σ_p Σ_c M[q, r, p, c] x[o, p, b, c, a].
// One thread a number, a row of workgroups an `o`. Parts p and q are real and imaginary, or one real.

struct AxisProductParameters {
  rows: u32,
  columns: u32,
  row_parts: u32,
  column_parts: u32,
  before: u32,
  after: u32,
}

@group(0) @binding(0) var<uniform> parameters: AxisProductParameters;
@group(0) @binding(1) var<storage, read> matrix: array<f32>; // [row_parts, column_parts, columns, rows]: threads run along rows
@group(0) @binding(2) var<storage, read> bands: array<vec2u>; // [row_parts, rows]: first column that is not zero, and the end
@group(0) @binding(3) var<storage, read> x: array<f32>; // [outer, column_parts, before, columns, after]
@group(0) @binding(4) var<storage, read_write> out: array<f32>; // [outer, row_parts, before, rows, after]

@compute @workgroup_size(256)
fn axis_product(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let size = parameters.row_parts * parameters.before * parameters.rows * parameters.after;
  let at = workgroup.x * 256u + local;
  if (at >= size) {
    return;
  }
  let a = at % parameters.after;
  let r = at / parameters.after % parameters.rows;
  let line = at / (parameters.after * parameters.rows); // q · before + b
  let b = line % parameters.before;
  let q = line / parameters.before;
  let band = bands[q * parameters.rows + r];
  var sum = 0.0;
  for (var p = 0u; p < parameters.column_parts; p++) {
    let part = q * parameters.column_parts + p;
    let plane = (workgroup.y * parameters.column_parts + p) * parameters.before + b;
    var weight_at = (part * parameters.columns + band.x) * parameters.rows + r;
    var x_at = (plane * parameters.columns + band.x) * parameters.after + a;
    for (var c = band.x; c < band.y; c++) {
      sum += matrix[weight_at] * x[x_at];
      weight_at += parameters.rows;
      x_at += parameters.after;
    }
  }
  out[workgroup.y * size + at] = sum;
}
