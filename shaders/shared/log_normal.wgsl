// The log density of a small normal distribution by its Cholesky factor, C = L Lᵀ:
//
//     log N(r | 0, C) = -‖L⁻¹ r‖²/2 - Σ log L_ii - SIZE/2 log 2π
//
// IMPOSSIBLE stands for -∞, which WGSL does not promise to keep. Needs shared/solvers.wgsl (SIZE and its types).
// Twin: src/diffusion/mixture/normal.ts.

const IMPOSSIBLE = -3.4e38;
const LOG_TWO_PI = 1.8378770664093453;

// Lower triangle of M ← that of L; false where M is not positive definite.
fn factor_cholesky(m: ptr<function, SmallMatrix>) -> bool {
  for (var i = 0u; i < SIZE; i++) {
    for (var j = 0u; j <= i; j++) {
      var sum = (*m)[i * SIZE + j];
      for (var k = 0u; k < j; k++) {
        sum -= (*m)[i * SIZE + k] * (*m)[j * SIZE + k];
      }
      if (i > j) {
        (*m)[i * SIZE + j] = sum / (*m)[j * SIZE + j];
      } else {
        if (!(sum > 0.0)) {
          return false;
        }
        (*m)[i * SIZE + i] = sqrt(sum);
      }
    }
  }
  return true;
}

// ‖L⁻¹ r‖².
fn whitened_square(factor: ptr<function, SmallMatrix>, r: ptr<function, SmallVector>) -> f32 {
  var whitened: SmallVector = SmallVector();
  var square = 0.0;
  for (var i = 0u; i < SIZE; i++) {
    var sum = (*r)[i];
    for (var k = 0u; k < i; k++) {
      sum -= (*factor)[i * SIZE + k] * whitened[k];
    }
    whitened[i] = sum / (*factor)[i * SIZE + i];
    square += whitened[i] * whitened[i];
  }
  return square;
}

// -Σ log L_ii - SIZE/2 log 2π.
fn log_normalizer(factor: ptr<function, SmallMatrix>) -> f32 {
  var sum = -0.5 * f32(SIZE) * LOG_TWO_PI;
  for (var i = 0u; i < SIZE; i++) {
    sum -= log((*factor)[i * SIZE + i]);
  }
  return sum;
}

// log N(r | 0, C), C symmetric; IMPOSSIBLE where C is not positive definite.
fn log_normal(r: ptr<function, SmallVector>, covariance: ptr<function, SmallMatrix>) -> f32 {
  var factor = *covariance;
  if (!factor_cholesky(&factor)) {
    return IMPOSSIBLE;
  }
  return log_normalizer(&factor) - 0.5 * whitened_square(&factor, r);
}
