// Correlation of planes with a kernel's nonzero taps, reflected at the borders (edge pixel not repeated), and its transpose.
// One thread a pixel, a row of workgroups a plane; the order of the sum is that of the taps.

struct CorrelationParameters {
  height: i32,
  width: i32,
  taps: u32,
  margin_y: i32, // how far the taps reach, less than height and width
  margin_x: i32,
}

struct Tap {
  dy: f32, // whole numbers
  dx: f32,
  weight: f32,
  unused: f32,
}

@group(0) @binding(0) var<uniform> parameters: CorrelationParameters;
@group(0) @binding(1) var<storage, read> taps: array<Tap>;
@group(0) @binding(2) var<storage, read> x: array<f32>; // [planes, height, width]
@group(0) @binding(3) var<storage, read_write> out: array<f32>; // [planes, height, width]

// Place of `at` after one reflection at either end.
fn reflected(at: i32, length: i32) -> i32 {
  let inner = abs(at);
  return select(2 * (length - 1) - inner, inner, inner < length);
}

@compute @workgroup_size(256)
fn correlate(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = i32(workgroup.x * 256u + local);
  let size = parameters.height * parameters.width;
  if (at >= size) {
    return;
  }
  let plane = i32(workgroup.y) * size;
  let row = at / parameters.width;
  let column = at % parameters.width;
  var sum = 0.0;
  for (var t = 0u; t < parameters.taps; t++) {
    let tap = taps[t];
    let i = reflected(row + i32(tap.dy), parameters.height);
    let j = reflected(column + i32(tap.dx), parameters.width);
    sum += tap.weight * x[plane + i * parameters.width + j];
  }
  out[plane + at] = sum;
}

// Places of the padded axis that the reflection takes to `at`: itself, and its images before and behind, or one outside of the
// padding where there is none.
fn preimages(at: i32, length: i32, margin: i32) -> vec3i {
  let none = -1 - margin;
  let before = select(none, -at, at > 0 && at <= margin);
  let distance = length - 1 - at;
  let behind = select(none, length - 1 + distance, distance > 0 && distance <= margin);
  return vec3i(at, before, behind);
}

// out[i, j] = Σ over preimages (u, v) of (i, j), Σ over taps: weight · x[u - dy, v - dx] where that is inside.
@compute @workgroup_size(256)
fn correlate_adjoint(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = i32(workgroup.x * 256u + local);
  let size = parameters.height * parameters.width;
  if (at >= size) {
    return;
  }
  let plane = i32(workgroup.y) * size;
  let rows = preimages(at / parameters.width, parameters.height, parameters.margin_y);
  let columns = preimages(at % parameters.width, parameters.width, parameters.margin_x);
  var sum = 0.0;
  for (var image = 0u; image < 9u; image++) {
    let row = rows[image / 3u];
    let column = columns[image % 3u];
    if (row < -parameters.margin_y || column < -parameters.margin_x) {
      continue;
    }
    for (var t = 0u; t < parameters.taps; t++) {
      let tap = taps[t];
      let i = row - i32(tap.dy);
      let j = column - i32(tap.dx);
      if (i >= 0 && i < parameters.height && j >= 0 && j < parameters.width) {
        sum += tap.weight * x[plane + i * parameters.width + j];
      }
    }
  }
  out[plane + at] = sum;
}
