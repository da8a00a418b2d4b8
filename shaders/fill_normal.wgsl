// out ← ε ~ N(0, I), four numbers a thread: component j of sample i is number j % 4 of the block at counter
// (first_index + i, step, j / 4, domain). Modules: shared/sincos.wgsl, shared/random.wgsl.

struct NormalParameters {
  size: u32,
  first_index: u32,
  step: u32,
  domain: u32,
  seed: u32,
  stream: u32,
}

@group(0) @binding(0) var<uniform> parameters: NormalParameters;
@group(0) @binding(1) var<storage, read_write> out: array<f32>; // [batch, size]

@compute @workgroup_size(64)
fn fill_normal(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) workgroup: vec3u) {
  let column = id.x * 4u;
  if (column >= parameters.size) {
    return;
  }
  let counter = vec4u(parameters.first_index + workgroup.y, parameters.step, id.x, parameters.domain);
  let epsilon = normals(philox(counter, vec2u(parameters.seed, parameters.stream)));
  for (var i = 0u; i < min(4u, parameters.size - column); i++) {
    out[workgroup.y * parameters.size + column + i] = epsilon[i];
  }
}
