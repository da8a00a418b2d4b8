// One Adam step (Kingma & Ba 2015) with global-norm clipping, a linear learning-rate schedule and an exponential
// moving average of the weights.
//
//     g ← gradient · min(1, clipNorm / ‖gradient‖)
//     m ← β1 m + (1 - β1) g,  v ← β2 v + (1 - β2) g²
//     w ← w - rate m/(1 - β1^k) / (√(v/(1 - β2^k)) + ε),   k = steps finished, this one included
//     rate = start + (end - start) min(k/(steps + 1), 1),  average ← d average + (1 - d) w
//     d = min(decay, k/(k + 9)): a short run does not average in its starting weights
//
// Also writes the transposed copies that the backward pass reads. Layout: src/gpu/network.ts.
// Constants: LAYERS, PARAMETERS, NORMS (workgroups of reduce_gradient) and per layer OUTPUT_STRIDE, OUTPUTS,
// PARAMETER_OFFSET, TRANSPOSED_INPUTS, TRANSPOSED_STRIDE, TRANSPOSED_OFFSET. Modules: shared/train_state.wgsl.

struct AdamParameters {
  steps: f32,
  rate_start: f32,
  rate_end: f32,
  clip_norm: f32,
  // 1 - β come from the host: in float32 the difference would have lost its digits
  beta1: f32,
  one_minus_beta1: f32,
  log_beta1: f32,
  beta2: f32,
  one_minus_beta2: f32,
  log_beta2: f32,
  epsilon: f32,
  one_minus_decay: f32, // 1: no averaging
}

@group(0) @binding(0) var<uniform> parameters: AdamParameters;
@group(0) @binding(1) var<storage, read> state: TrainState;
@group(0) @binding(2) var<storage, read> gradient: array<vec4f>; // [PARAMETERS]
@group(0) @binding(3) var<storage, read> norms: array<f32>; // [NORMS]
@group(0) @binding(4) var<storage, read_write> weights: array<f32>; // parameters, then transposed copies
@group(0) @binding(5) var<storage, read_write> moments: array<vec4f>; // m [PARAMETERS], v [PARAMETERS]
@group(0) @binding(6) var<storage, read_write> average: array<vec4f>; // [PARAMETERS]

var<workgroup> sums: array<f32, 256>;

// 1 - e^x for x ≤ 0 without cancellation near zero.
fn one_minus_exp(x: f32) -> f32 {
  if (x > -0.1) {
    return -x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0)))));
  }
  return 1.0 - exp(x);
}

@compute @workgroup_size(256)
fn adam(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
  // every workgroup sums the same norms in the same order, which spares a dispatch
  var square = 0.0;
  for (var i = local; i < NORMS; i += 256u) {
    square += norms[i];
  }
  sums[local] = square;
  for (var stride = 128u; stride > 0u; stride /= 2u) {
    workgroupBarrier();
    if (local < stride) {
      sums[local] += sums[local + stride];
    }
  }
  workgroupBarrier();
  let norm = sqrt(sums[0]);
  if (id.x >= PARAMETERS / 4u) {
    return;
  }
  let k = f32(state.step);
  let rate = parameters.rate_start
    + (parameters.rate_end - parameters.rate_start) * min(k / (parameters.steps + 1.0), 1.0);
  var scale = 1.0;
  if (norm > parameters.clip_norm) {
    scale = parameters.clip_norm / norm;
  }
  let g = gradient[id.x] * scale;
  let m = parameters.beta1 * moments[id.x] + parameters.one_minus_beta1 * g;
  let v = parameters.beta2 * moments[id.x + PARAMETERS / 4u] + parameters.one_minus_beta2 * g * g;
  moments[id.x] = m;
  moments[id.x + PARAMETERS / 4u] = v;
  let m_hat = m / one_minus_exp(k * parameters.log_beta1);
  let v_hat = v / one_minus_exp(k * parameters.log_beta2);
  let first = id.x * 4u;
  let old = vec4f(weights[first], weights[first + 1u], weights[first + 2u], weights[first + 3u]);
  let w = old - rate * m_hat / (sqrt(v_hat) + parameters.epsilon);
  for (var i = 0u; i < 4u; i++) {
    weights[first + i] = w[i];
  }
  average[id.x] += max(parameters.one_minus_decay, 9.0 / (k + 9.0)) * (w - average[id.x]);

  var layer = 0u;
  while (layer + 1u < LAYERS && first >= PARAMETER_OFFSET[layer + 1u]) {
    layer++;
  }
  let inner = first - PARAMETER_OFFSET[layer];
  let row = inner / OUTPUT_STRIDE[layer];
  let column = inner % OUTPUT_STRIDE[layer];
  if (row < TRANSPOSED_INPUTS[layer]) {
    for (var i = 0u; i < min(4u, OUTPUTS[layer] - column); i++) {
      weights[TRANSPOSED_OFFSET[layer] + (column + i) * TRANSPOSED_STRIDE[layer] + row] = w[i];
    }
  }
}
