// The start of a stage of epsilon scaling: f ← f + extrapolation · (f - previous), previous ← f.

struct ExtrapolationParameters {
  count: u32,
  extrapolation: f32,
}

@group(0) @binding(0) var<uniform> parameters: ExtrapolationParameters;
@group(0) @binding(1) var<storage, read_write> potentials: array<f32>;
@group(0) @binding(2) var<storage, read_write> previous: array<f32>;

@compute @workgroup_size(64)
fn extrapolate_potentials(
  @builtin(global_invocation_id) invocation: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let i = invocation.y * groups.x * 64u + invocation.x; // a long dispatch is folded into rows
  if (i >= parameters.count) {
    return;
  }
  let value = potentials[i];
  potentials[i] = value + parameters.extrapolation * (value - previous[i]);
  previous[i] = value;
}
