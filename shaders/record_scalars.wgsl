// out[i, column + c] ← scalar c of sample i: numbers kept in a vector until it is read.

struct RecordParameters {
  batch: u32,
  size: u32,
  column: u32,
  count: u32,
  slots: vec4u,
}

@group(0) @binding(0) var<uniform> parameters: RecordParameters;
@group(0) @binding(1) var<storage, read> bank: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>; // [batch, size]

@compute @workgroup_size(64)
fn record_scalars(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= parameters.batch) {
    return;
  }
  for (var c = 0u; c < parameters.count; c++) {
    out[id.x * parameters.size + parameters.column + c] = bank[parameters.slots[c] + id.x];
  }
}
