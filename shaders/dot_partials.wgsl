// First half of ⟨a_i, b_i⟩: every workgroup sums one chunk of one sample, in the same order every time.
// Where one chunk is the whole sample, its sum goes to the bank and there is no second half (dot_total.wgsl).

struct DotParameters {
  size: u32,
  chunk: u32,
  chunks: u32,
  slot: u32, // where the scalars of out begin in the bank
}

@group(0) @binding(0) var<uniform> parameters: DotParameters;
@group(0) @binding(1) var<storage, read> a: array<f32>; // [batch, size]
@group(0) @binding(2) var<storage, read> b: array<f32>; // [batch, size]
@group(0) @binding(3) var<storage, read_write> partials: array<f32>; // [batch, chunks]
@group(0) @binding(4) var<storage, read_write> bank: array<f32>;

var<workgroup> sums: array<f32, 256>;

@compute @workgroup_size(256)
fn dot_partials(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let sample = workgroup.y;
  let begin = workgroup.x * parameters.chunk;
  let end = min(begin + parameters.chunk, parameters.size);
  var sum = 0.0;
  for (var column = begin + local; column < end; column += 256u) {
    let at = sample * parameters.size + column;
    sum += a[at] * b[at];
  }
  sums[local] = sum;
  for (var stride = 128u; stride > 0u; stride /= 2u) {
    workgroupBarrier();
    if (local < stride) {
      sums[local] += sums[local + stride];
    }
  }
  if (local == 0u) {
    if (parameters.chunks == 1u) {
      bank[parameters.slot + sample] = sums[0];
    } else {
      partials[sample * parameters.chunks + workgroup.x] = sums[0];
    }
  }
}
