// Runs a short program on the scalars of every sample, a thread a sample: the coefficients of iterative solvers.
// Instruction: x = operation + 256 where a is a number + 512 where b is, y = out, z = a, w = b (slots, or bits of numbers).

struct ScalarProgram {
  batch: u32,
  length: u32,
  instructions: array<vec4u, 250>,
}

@group(0) @binding(0) var<uniform> program: ScalarProgram;
@group(0) @binding(1) var<storage, read_write> bank: array<f32>;

fn operand(word: u32, is_number: bool, sample: u32) -> f32 {
  if (is_number) {
    return bitcast<f32>(word);
  }
  return bank[word + sample];
}

// By the bits: WGSL lets comparisons assume that there is no NaN.
fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

@compute @workgroup_size(64)
fn scalar_program(@builtin(global_invocation_id) id: vec3u) {
  let sample = id.x;
  if (sample >= program.batch) {
    return;
  }
  for (var i = 0u; i < program.length; i++) {
    let instruction = program.instructions[i];
    let a = operand(instruction.z, (instruction.x & 256u) != 0u, sample);
    let b = operand(instruction.w, (instruction.x & 512u) != 0u, sample);
    let out = instruction.y + sample;
    switch instruction.x & 255u {
      case 0u: { bank[out] = a + b; }
      case 1u: { bank[out] = a - b; }
      case 2u: { bank[out] = a * b; }
      case 3u: {
        if (b == 0.0) {
          bank[out] = 0.0;
        } else {
          bank[out] = a / b;
        }
      }
      case 4u: {
        if (a < 0.0 && !is_nan(a)) {
          bank[out] = 0.0;
        } else {
          bank[out] = sqrt(a);
        }
      }
      case 5u: { bank[out] = abs(a); }
      case 6u: {
        if (a > b && !is_nan(a) && !is_nan(b)) {
          bank[out] = 1.0;
        } else {
          bank[out] = 0.0;
        }
      }
      default: {
        if (a != 0.0 || is_nan(a)) {
          bank[out] = b;
        }
      }
    }
  }
}
