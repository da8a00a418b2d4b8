// out ← Σ factor · vector, one to four terms, a sample a row of workgroups. A factor is a number times, where it has a slot,
// the sample's scalar in the bank. A factor of 0 adds nothing, even of what is not a number.

struct Term {
  factor: f32,
  slot: u32, // NO_SLOT: the factor is a number
  source: u32, // 0: out itself, t: binding of input t
  stride: u32, // 0 where all samples share one row
}

struct CombineParameters {
  size: u32,
  count: u32,
  // uniform arrays begin at multiples of 16 bytes
  unused0: u32,
  unused1: u32,
  terms: array<Term, 4>,
}

const NO_SLOT = 0xffffffffu;

@group(0) @binding(0) var<uniform> parameters: CombineParameters;
@group(0) @binding(1) var<storage, read> bank: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>; // [batch, size]
@group(0) @binding(3) var<storage, read> input1: array<f32>;
@group(0) @binding(4) var<storage, read> input2: array<f32>;
@group(0) @binding(5) var<storage, read> input3: array<f32>;
@group(0) @binding(6) var<storage, read> input4: array<f32>;

fn element(source: u32, at: u32) -> f32 {
  switch source {
    case 1u: { return input1[at]; }
    case 2u: { return input2[at]; }
    case 3u: { return input3[at]; }
    case 4u: { return input4[at]; }
    default: { return out[at]; }
  }
}

@compute @workgroup_size(256)
fn combine(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let sample = workgroup.y;
  var factors = vec4f();
  for (var t = 0u; t < parameters.count; t++) {
    factors[t] = parameters.terms[t].factor;
    if (parameters.terms[t].slot != NO_SLOT) {
      factors[t] *= bank[parameters.terms[t].slot + sample];
    }
  }
  for (var piece = 0u; piece < 4u; piece++) {
    let column = (workgroup.x * 4u + piece) * 256u + local;
    if (column >= parameters.size) {
      return;
    }
    var total = 0.0;
    for (var t = 0u; t < parameters.count; t++) {
      if (factors[t] != 0.0) {
        total += factors[t] * element(parameters.terms[t].source, sample * parameters.terms[t].stride + column);
      }
    }
    out[sample * parameters.size + column] = total;
  }
}
