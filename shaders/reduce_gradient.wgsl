// Adds up the partial gradients of weight_gradient.wgsl in a fixed order, and sums squares for the global norm.
//
//     gradient = Σ_split partials[split]      norms[workgroup] = Σ gradient² over the workgroup's parameters
//
// Workgroup 0 also closes the step's forward half: losses[step] = Σ loss partials, then step += 1.
// Constant: PARAMETERS. Modules: shared/train_state.wgsl.

struct ReduceParameters {
  splits: u32,
  loss_partials: u32,
}

@group(0) @binding(0) var<uniform> parameters: ReduceParameters;
@group(0) @binding(1) var<storage, read> partials: array<vec4f>; // [splits, PARAMETERS]
@group(0) @binding(2) var<storage, read> loss_partials: array<f32>;
@group(0) @binding(3) var<storage, read_write> gradient: array<vec4f>; // [PARAMETERS]
@group(0) @binding(4) var<storage, read_write> norms: array<f32>; // [workgroups]
@group(0) @binding(5) var<storage, read_write> losses: array<f32>; // [steps]
@group(0) @binding(6) var<storage, read_write> state: TrainState;

var<workgroup> sums: array<f32, 256>;

// Σ over the workgroup, the same order every time; the result is at sums[0].
fn workgroup_sum(local: u32, value: f32) {
  sums[local] = value;
  for (var stride = 128u; stride > 0u; stride /= 2u) {
    workgroupBarrier();
    if (local < stride) {
      sums[local] += sums[local + stride];
    }
  }
  workgroupBarrier();
}

@compute @workgroup_size(256)
fn reduce_gradient(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(workgroup_id) workgroup: vec3u,
) {
  var total = vec4f();
  if (id.x < PARAMETERS / 4u) {
    for (var split = 0u; split < parameters.splits; split++) {
      total += partials[split * (PARAMETERS / 4u) + id.x];
    }
    gradient[id.x] = total;
  }
  workgroup_sum(local, dot(total, total));
  if (local == 0u) {
    norms[workgroup.x] = sums[0];
  }
  if (workgroup.x == 0u) {
    workgroupBarrier();
    var loss = 0.0;
    for (var i = local; i < parameters.loss_partials; i += 256u) {
      loss += loss_partials[i];
    }
    workgroup_sum(local, loss);
    if (local == 0u) {
      losses[state.step] = sums[0];
      state.loss_sum += sums[0];
      state.step += 1u;
    }
  }
}
