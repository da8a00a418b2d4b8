// Posterior denoisers d(x_t | y) for y = A x + n, n ~ N(0, sigma_y² I), from x̂ = d(x_t) and its derivative J:
//
//     MMPS            x̂ + sigma² Jᵀ Aᵀ v,   (sigma_y² I + A V Aᵀ) v = y - A x̂
//     PLAIN           x̂ + V Aᵀ v, with the same v: V from the plan (DiffPIR, V = sigma²/λ I; JFPS, of a Gaussian fit), no VJP
//     DPS             x̂ + (ζ/b) Jᵀ Aᵀ r/‖r‖,   r = y - A x̂; the plan has ζ/b, or 0 where nothing is to be added
//
// MMPS with Tweedie's V = sigma² Jᵀ: the OBSERVED rows of A as cotangents give AJ, the whole small system and Jᵀ Aᵀ v,
// without further products. Other V cost one product for Jᵀ Aᵀ v, TMPD's diag(sigma² Jᵀ 1) one more for itself. With
// PROJECT, V is sigma² times the symmetric matrix nearest to J with eigenvalues in [LEAST_SHARE/(1 + sigma²), 1], in the
// system and in the last factor: then the step moves A x̂ towards y, never past it. That needs all of J, a product a
// feature. The thread that owns a sample solves its system.
//
// Sources: Rozet et al. 2024, algorithm 1; Chung et al. 2023 (DPS); Zhu et al. 2023 (DiffPIR); Boys et al. 2023 (TMPD).
// Constants: METHOD (0 MMPS, 1 DPS, 2 PLAIN), OBSERVED (rows of A) = SIZE of shared/solvers.wgsl, COVARIANCE (0 Tweedie, 1
// scalar times I from the plan, 2 a matrix a step from `covariances`, 3 TMPD), PROJECT (bool, with COVARIANCE 0), LEAST_SHARE.
// Needs a denoiser, shared/solvers.wgsl, shared/chosen_solver.wgsl, shared/spectrum.wgsl, sample.wgsl.
// Twins: src/diffusion/posterior.

@group(0) @binding(5) var<storage, read> observation_matrices: array<f32>; // [count, OBSERVED, FEATURES]
@group(0) @binding(6) var<storage, read> observed: array<f32>; // [count, OBSERVED]
@group(0) @binding(7) var<storage, read> covariances: array<f32>; // [steps, FEATURES, FEATURES] for COVARIANCE 2

fn estimate(
  point: ptr<function, Linearization>,
  sigma: f32,
  step: u32,
  sample: u32,
  owner: bool,
) -> array<f32, FEATURES> {
  let observation = select(sample - parameters.origin, 0u, parameters.shared_observation != 0u);
  var a = array<f32, OBSERVED * FEATURES>();
  var residual = SmallVector(); // y - A x̂
  var result = (*point).x_hat;
  if (owner) {
    for (var j = 0u; j < OBSERVED; j++) {
      residual[j] = observed[observation * OBSERVED + j];
      for (var i = 0u; i < FEATURES; i++) {
        let value = observation_matrices[(observation * OBSERVED + j) * FEATURES + i];
        a[j * FEATURES + i] = value;
        residual[j] -= value * result[i];
      }
    }
  }
  var cotangent = array<f32, FEATURES>();
  if (METHOD == 1u) {
    let pull = plan[2u * step + 1u].y;
    if (pull == 0.0) {
      return result;
    }
    let norm = sqrt(small_dot(&residual, &residual));
    if (norm > 0.0) {
      for (var i = 0u; i < FEATURES; i++) {
        for (var j = 0u; j < OBSERVED; j++) {
          cotangent[i] += a[j * FEATURES + i] * (residual[j] / norm);
        }
      }
    }
    let product = vjp(point, &cotangent);
    for (var i = 0u; i < FEATURES; i++) {
      result[i] += pull * product[i];
    }
  } else if (PROJECT) {
    var jacobian = SquareMatrix(); // row i: Jᵀ e_i
    for (var i = 0u; i < FEATURES; i++) {
      for (var k = 0u; k < FEATURES; k++) {
        cotangent[k] = select(0.0, 1.0, k == i);
      }
      let product = vjp(point, &cotangent);
      for (var k = 0u; k < FEATURES; k++) {
        jacobian[i * FEATURES + k] = product[k];
      }
    }
    if (owner) {
      let square = sigma * sigma;
      clamp_spectrum(&jacobian, LEAST_SHARE / (1.0 + square), 1.0);
      var va = array<f32, OBSERVED * FEATURES>(); // row j: V A_jᵀ
      for (var j = 0u; j < OBSERVED; j++) {
        for (var i = 0u; i < FEATURES; i++) {
          var sum = 0.0;
          for (var k = 0u; k < FEATURES; k++) {
            sum += jacobian[i * FEATURES + k] * a[j * FEATURES + k];
          }
          va[j * FEATURES + i] = square * sum;
        }
      }
      add_correction(&result, &a, &va, &residual);
    }
  } else if (COVARIANCE == 0u) {
    var va = array<f32, OBSERVED * FEATURES>(); // row j: sigma² Jᵀ A_jᵀ
    for (var j = 0u; j < OBSERVED; j++) {
      for (var i = 0u; i < FEATURES; i++) {
        cotangent[i] = sigma * sigma * a[j * FEATURES + i];
      }
      let product = vjp(point, &cotangent);
      for (var i = 0u; i < FEATURES; i++) {
        va[j * FEATURES + i] = product[i];
      }
    }
    if (owner) {
      add_correction(&result, &a, &va, &residual);
    }
  } else {
    var variances = array<f32, FEATURES>(); // the diagonal of TMPD's V
    if (COVARIANCE == 3u) {
      for (var i = 0u; i < FEATURES; i++) {
        cotangent[i] = sigma * sigma;
      }
      variances = vjp(point, &cotangent);
      cotangent = array<f32, FEATURES>();
    }
    if (owner) {
      var va = given_rows(&a, &variances, step);
      if (METHOD == 2u) {
        add_correction(&result, &a, &va, &residual);
      } else {
        let v = solve_system(&a, &va, &residual);
        for (var i = 0u; i < FEATURES; i++) {
          for (var j = 0u; j < OBSERVED; j++) {
            cotangent[i] += sigma * sigma * v[j] * a[j * FEATURES + i];
          }
        }
      }
    }
    if (METHOD == 0u) {
      let product = vjp(point, &cotangent);
      for (var i = 0u; i < FEATURES; i++) {
        result[i] += product[i];
      }
    }
  }
  return result;
}

// Rows V A_jᵀ of a V that does not need J, or of TMPD's diagonal one.
fn given_rows(
  a: ptr<function, array<f32, OBSERVED * FEATURES>>,
  variances: ptr<function, array<f32, FEATURES>>,
  step: u32,
) -> array<f32, OBSERVED * FEATURES> {
  var va = array<f32, OBSERVED * FEATURES>();
  for (var j = 0u; j < OBSERVED; j++) {
    for (var i = 0u; i < FEATURES; i++) {
      if (COVARIANCE == 1u) {
        va[j * FEATURES + i] = plan[2u * step + 1u].y * (*a)[j * FEATURES + i];
      } else if (COVARIANCE == 3u) {
        va[j * FEATURES + i] = (*variances)[i] * (*a)[j * FEATURES + i];
      } else {
        var sum = 0.0;
        for (var k = 0u; k < FEATURES; k++) {
          sum += covariances[(step * FEATURES + i) * FEATURES + k] * (*a)[j * FEATURES + k];
        }
        va[j * FEATURES + i] = sum;
      }
    }
  }
  return va;
}

// result += V Aᵀ v.
fn add_correction(
  result: ptr<function, array<f32, FEATURES>>,
  a: ptr<function, array<f32, OBSERVED * FEATURES>>,
  va: ptr<function, array<f32, OBSERVED * FEATURES>>,
  residual: ptr<function, SmallVector>,
) {
  let v = solve_system(a, va, residual);
  for (var i = 0u; i < FEATURES; i++) {
    for (var j = 0u; j < OBSERVED; j++) {
      (*result)[i] += v[j] * (*va)[j * FEATURES + i];
    }
  }
}

// v of (sigma_y² I + A V Aᵀ) v = residual, from the rows A_i and V A_jᵀ.
fn solve_system(
  a: ptr<function, array<f32, OBSERVED * FEATURES>>,
  va: ptr<function, array<f32, OBSERVED * FEATURES>>,
  residual: ptr<function, SmallVector>,
) -> SmallVector {
  var system = SmallMatrix();
  for (var i = 0u; i < OBSERVED; i++) {
    for (var j = 0u; j < OBSERVED; j++) {
      var sum = 0.0;
      for (var k = 0u; k < FEATURES; k++) {
        sum += (*a)[i * FEATURES + k] * (*va)[j * FEATURES + k];
      }
      system[i * SIZE + j] = sum;
    }
  }
  for (var i = 0u; i < OBSERVED; i++) {
    system[i * SIZE + i] += parameters.sigma_y * parameters.sigma_y;
  }
  return solve_chosen(&system, residual);
}
