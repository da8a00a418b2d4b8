// Pair and single marginals of a sample on a regular grid, by atomic counts. One thread a sample.
//
// Bins cover [-range, range]; what lies outside, or is not a number, is not counted. Constants: FEATURES, BINS.

struct HistogramParameters {
  count: u32,
  range: f32,
  scale: f32, // BINS / (2 range), divided on the host: division here may round differently
}

const PAIRS = FEATURES * (FEATURES - 1u) / 2u;
const OUTSIDE = 0xffffffffu;

@group(0) @binding(0) var<uniform> parameters: HistogramParameters;
@group(0) @binding(1) var<storage, read> samples: array<f32>; // [count, FEATURES]
@group(0) @binding(2) var<storage, read_write> counts: array<atomic<u32>>; // joint [PAIRS, BINS, BINS], marginal [FEATURES, BINS]

// Bin of x, by its bits where it could be NaN: WGSL lets comparisons assume there is none.
fn bin(x: f32) -> u32 {
  let magnitude = bitcast<u32>(x) & 0x7fffffffu;
  if (magnitude > bitcast<u32>(parameters.range)) {
    return OUTSIDE;
  }
  return min(u32((x + parameters.range) * parameters.scale), BINS - 1u);
}

@compute @workgroup_size(64)
fn histogram(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let sample = id.y * groups.x * 64u + id.x;
  if (sample >= parameters.count) {
    return;
  }
  var bins: array<u32, FEATURES>;
  for (var i = 0u; i < FEATURES; i++) {
    bins[i] = bin(samples[sample * FEATURES + i]);
    if (bins[i] != OUTSIDE) {
      atomicAdd(&counts[PAIRS * BINS * BINS + i * BINS + bins[i]], 1u);
    }
  }
  var pair = 0u;
  for (var i = 0u; i < FEATURES; i++) {
    for (var j = i + 1u; j < FEATURES; j++) {
      if (bins[i] != OUTSIDE && bins[j] != OUTSIDE) {
        atomicAdd(&counts[(pair * BINS + bins[j]) * BINS + bins[i]], 1u);
      }
      pair++;
    }
  }
}
