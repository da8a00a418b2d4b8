// Second half of ⟨a_i, b_i⟩: a workgroup adds up the at most 64 partial sums of its sample.

struct TotalParameters {
  chunks: u32,
  slot: u32, // where the scalars of out begin in the bank
}

@group(0) @binding(0) var<uniform> parameters: TotalParameters;
@group(0) @binding(1) var<storage, read> partials: array<f32>; // [batch, chunks]
@group(0) @binding(2) var<storage, read_write> bank: array<f32>;

var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn dot_total(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  sums[local] = 0.0;
  if (local < parameters.chunks) {
    sums[local] = partials[workgroup.x * parameters.chunks + local];
  }
  for (var stride = 32u; stride > 0u; stride /= 2u) {
    workgroupBarrier();
    if (local < stride) {
      sums[local] += sums[local + stride];
    }
  }
  if (local == 0u) {
    bank[parameters.slot + workgroup.x] = sums[0];
  }
}
