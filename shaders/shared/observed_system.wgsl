// One observation y = A x + n, n ~ N(0, sigma_y² I), that all points share: its residual and its system sigma_y² I + A V Aᵀ.
// Needs FEATURES, shared/solvers.wgsl (SIZE rows), parameters.sigma_y, and the buffer `observation` with A [SIZE, FEATURES]
// and y [SIZE] first.

// y - A x.
fn residual_at(x: ptr<function, array<f32, FEATURES>>) -> SmallVector {
  var residual: SmallVector = SmallVector();
  for (var r = 0u; r < SIZE; r++) {
    residual[r] = observation[SIZE * FEATURES + r];
    for (var i = 0u; i < FEATURES; i++) {
      residual[r] -= observation[r * FEATURES + i] * (*x)[i];
    }
  }
  return residual;
}

// Rows V A_rᵀ.
fn observed_rows(v: ptr<function, array<f32, FEATURES * FEATURES>>) -> array<f32, SIZE * FEATURES> {
  var rows: array<f32, SIZE * FEATURES> = array<f32, SIZE * FEATURES>();
  for (var r = 0u; r < SIZE; r++) {
    for (var i = 0u; i < FEATURES; i++) {
      var sum = 0.0;
      for (var j = 0u; j < FEATURES; j++) {
        sum += (*v)[i * FEATURES + j] * observation[r * FEATURES + j];
      }
      rows[r * FEATURES + i] = sum;
    }
  }
  return rows;
}

// sigma_y² I + A V Aᵀ from the rows V A_rᵀ.
fn observed_system(rows: ptr<function, array<f32, SIZE * FEATURES>>) -> SmallMatrix {
  var system: SmallMatrix = SmallMatrix();
  for (var r = 0u; r < SIZE; r++) {
    for (var q = 0u; q < SIZE; q++) {
      var sum = select(0.0, parameters.sigma_y * parameters.sigma_y, r == q);
      for (var i = 0u; i < FEATURES; i++) {
        sum += observation[r * FEATURES + i] * (*rows)[q * FEATURES + i];
      }
      system[r * SIZE + q] = sum;
    }
  }
  return system;
}
