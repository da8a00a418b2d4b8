// What sigma contributes to the first layer, for a range of plan steps:
//
//     table[step - first] = b + emb(log sigma_step) W[FEATURES:]
//
// All samples share a step's sigma, so this leaves only FEATURES rows of the first layer to the sampler.
// One thread a step and vec4 of neurons. Modules: shared/sincos.wgsl.
// Constants: FEATURES, EMBEDDING, INPUTS, HIDDEN.

struct Parameters {
  first: u32,
  count: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;
@group(0) @binding(2) var<storage, read> frequencies: array<f32>; // [EMBEDDING / 2]
@group(0) @binding(3) var<storage, read> plan: array<vec4f>; // [steps, 2], see sample.wgsl
@group(0) @binding(4) var<storage, read_write> table: array<vec4f>; // [count, HIDDEN / 4]

const COLUMNS = HIDDEN / 4u;

@compute @workgroup_size(64)
fn embedding_table(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let place = id.y * groups.x * 64u + id.x;
  let step = place / COLUMNS;
  let column = place % COLUMNS;
  if (step >= parameters.count) {
    return;
  }
  let log_sigma = plan[2u * (parameters.first + step) + 1u].x;
  var sum = weights[INPUTS * COLUMNS + column];
  for (var k = 0u; k < EMBEDDING / 2u; k++) {
    let value = sincos(frequencies[k] * log_sigma);
    let row = FEATURES + k;
    sum = fma(vec4f(value.x), weights[row * COLUMNS + column], sum);
    sum = fma(vec4f(value.y), weights[(row + EMBEDDING / 2u) * COLUMNS + column], sum);
  }
  table[place] = sum;
}
