// out ← max(a ∘ b, least), element by element, a sample a row of workgroups. Without b, out ← max(a, least).

struct MultiplyParameters {
  size: u32,
  a_source: u32, // 0: out itself, 1: a
  a_stride: u32, // 0 where all samples share one row
  b_source: u32, // 0: out itself, 1: b, 2: the number 1
  b_stride: u32,
  limited: u32, // 1 where `least` counts: a product that is not a number must stay one
  least: f32,
}

@group(0) @binding(0) var<uniform> parameters: MultiplyParameters;
@group(0) @binding(1) var<storage, read_write> out: array<f32>; // [batch, size]
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;

@compute @workgroup_size(256)
fn multiply(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  for (var piece = 0u; piece < 4u; piece++) {
    let column = (workgroup.x * 4u + piece) * 256u + local;
    if (column >= parameters.size) {
      return;
    }
    let at = workgroup.y * parameters.size + column;
    var left = out[at];
    if (parameters.a_source == 1u) {
      left = a[workgroup.y * parameters.a_stride + column];
    }
    var right = 1.0;
    if (parameters.b_source == 0u) {
      right = out[at];
    } else if (parameters.b_source == 1u) {
      right = b[workgroup.y * parameters.b_stride + column];
    }
    let product = left * right;
    if (parameters.limited == 1u) {
      out[at] = max(product, parameters.least);
    } else {
      out[at] = product;
    }
  }
}
