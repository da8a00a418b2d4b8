// Batched dense solve: x_i = M_i⁻¹ b_i, or the iterate after a number of iterations of an iterative solver.
// One thread a system. Constants: SIZE, PROJECT (bool: M ← its positive semi-definite projection first).
// Modules: shared/solvers.wgsl, shared/chosen_solver.wgsl, shared/spectrum.wgsl.

struct SolveParameters {
  count: u32,
  iterations: u32,
}

@group(0) @binding(0) var<uniform> parameters: SolveParameters;
@group(0) @binding(1) var<storage, read> matrices: array<f32>; // [count, SIZE, SIZE]
@group(0) @binding(2) var<storage, read> rights: array<f32>; // [count, SIZE]
@group(0) @binding(3) var<storage, read_write> solutions: array<f32>; // [count, SIZE]

@compute @workgroup_size(64)
fn solve(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let system = id.y * groups.x * 64u + id.x;
  if (system >= parameters.count) {
    return;
  }
  var m: SmallMatrix;
  var b: SmallVector;
  for (var i = 0u; i < SIZE * SIZE; i++) {
    m[i] = matrices[system * SIZE * SIZE + i];
  }
  for (var i = 0u; i < SIZE; i++) {
    b[i] = rights[system * SIZE + i];
  }
  if (PROJECT) {
    clamp_spectrum(&m, 0.0, 3.4e38);
  }
  let x = solve_chosen(&m, &b);
  for (var i = 0u; i < SIZE; i++) {
    solutions[system * SIZE + i] = x[i];
  }
}
