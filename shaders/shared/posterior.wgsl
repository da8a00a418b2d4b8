// Moment matching posterior sampling: the posterior denoiser for y = A x + n, n ~ N(0, sigma_y² I),
//
//     d(x_t | y) = x̂ + sigma² Jᵀ Aᵀ v,   (sigma_y² I + A V Aᵀ) v = y - A x̂
//
// (Rozet et al. 2024, algorithm 1). With Tweedie's V = sigma² Jᵀ the OBSERVED rows of A as cotangents give AJ: the
// whole small system, and Jᵀ Aᵀ v, without further products. Other V are given, and cost one product for Jᵀ Aᵀ v.
// With PROJECT, V is sigma² times the symmetric matrix nearest to J with eigenvalues in [LEAST_SHARE/(1 + sigma²), 1], in
// the system and in the last factor: then the step moves A x̂ towards y, never past it. That needs all of J, a product
// a feature. The thread that owns a sample solves its system.
//
// Constants: OBSERVED (rows of A) = SIZE of shared/solvers.wgsl, COVARIANCE (0 Tweedie, 1 scalar times I from the
// plan, 2 a matrix a step from `covariances`), METHOD (0 exact, 1 cg, 2 gmres, 3 bicgstab), PROJECT (bool, with
// COVARIANCE 0), LEAST_SHARE. Needs shared/denoiser.wgsl, shared/solvers.wgsl, shared/spectrum.wgsl, sample.wgsl.

@group(0) @binding(5) var<storage, read> observation_matrices: array<f32>; // [count, OBSERVED, FEATURES]
@group(0) @binding(6) var<storage, read> observed: array<f32>; // [count, OBSERVED]
@group(0) @binding(7) var<storage, read> covariances: array<f32>; // [steps, FEATURES, FEATURES] for COVARIANCE 2

fn estimate(
  x_hat: ptr<function, array<f32, FEATURES>>,
  scales: Scales,
  sigma: f32,
  step: u32,
  sample: u32,
  owner: bool,
) -> array<f32, FEATURES> {
  let observation = select(sample - parameters.origin, 0u, parameters.shared_observation != 0u);
  var a: array<f32, OBSERVED * FEATURES>;
  var residual: SmallVector; // y - A x̂
  if (owner) {
    for (var j = 0u; j < OBSERVED; j++) {
      residual[j] = observed[observation * OBSERVED + j];
      for (var i = 0u; i < FEATURES; i++) {
        let value = observation_matrices[(observation * OBSERVED + j) * FEATURES + i];
        a[j * FEATURES + i] = value;
        residual[j] -= value * (*x_hat)[i];
      }
    }
  }
  var result = *x_hat;
  var cotangent: array<f32, FEATURES>;
  if (PROJECT) {
    var jacobian: SquareMatrix; // row i: Jᵀ e_i
    for (var i = 0u; i < FEATURES; i++) {
      for (var k = 0u; k < FEATURES; k++) {
        cotangent[k] = select(0.0, 1.0, k == i);
      }
      let product = vector_jacobian(&cotangent, scales);
      for (var k = 0u; k < FEATURES; k++) {
        jacobian[i * FEATURES + k] = product[k];
      }
    }
    if (owner) {
      let square = sigma * sigma;
      clamp_spectrum(&jacobian, LEAST_SHARE / (1.0 + square), 1.0);
      var va: array<f32, OBSERVED * FEATURES>; // row j: V A_jᵀ
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
    var va: array<f32, OBSERVED * FEATURES>; // row j: sigma² Jᵀ A_jᵀ
    for (var j = 0u; j < OBSERVED; j++) {
      for (var i = 0u; i < FEATURES; i++) {
        cotangent[i] = sigma * sigma * a[j * FEATURES + i];
      }
      let product = vector_jacobian(&cotangent, scales);
      for (var i = 0u; i < FEATURES; i++) {
        va[j * FEATURES + i] = product[i];
      }
    }
    if (owner) {
      add_correction(&result, &a, &va, &residual);
    }
  } else {
    if (owner) {
      var va: array<f32, OBSERVED * FEATURES>; // row j: V A_jᵀ
      for (var j = 0u; j < OBSERVED; j++) {
        for (var i = 0u; i < FEATURES; i++) {
          if (COVARIANCE == 1u) {
            va[j * FEATURES + i] = plan[2u * step + 1u].y * a[j * FEATURES + i];
          } else {
            var sum = 0.0;
            for (var k = 0u; k < FEATURES; k++) {
              sum += covariances[(step * FEATURES + i) * FEATURES + k] * a[j * FEATURES + k];
            }
            va[j * FEATURES + i] = sum;
          }
        }
      }
      let v = solve_system(&a, &va, &residual);
      for (var i = 0u; i < FEATURES; i++) {
        for (var j = 0u; j < OBSERVED; j++) {
          cotangent[i] += sigma * sigma * v[j] * a[j * FEATURES + i];
        }
      }
    }
    let product = vector_jacobian(&cotangent, scales);
    for (var i = 0u; i < FEATURES; i++) {
      result[i] += product[i];
    }
  }
  return result;
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
  var system: SmallMatrix;
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
  if (METHOD == 0u) {
    return solve_exact(&system, residual);
  }
  if (METHOD == 1u) {
    return solve_cg(&system, residual, parameters.iterations);
  }
  if (METHOD == 2u) {
    return solve_gmres(&system, residual, parameters.iterations);
  }
  return solve_bicgstab(&system, residual, parameters.iterations);
}
