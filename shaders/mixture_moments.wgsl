// Exact moments of x at noisy points under a mixture, and likelihoods of one observation y = A x + n, n ~ N(0, sigma_y² I):
//
//     moments          E[x | x_t], score (E - x_t)/sigma², V = V[x | x_t], V Aᵀ (sigma_y² I + A V Aᵀ)⁻¹ (y - A E)/sigma²
//     log_likelihoods  log p(y | x_t) = log Σ w_k N(y | A m_k, rho s² A Aᵀ + sigma_y² I),  m_k = x_t + rho (mu_k - x_t),
//                      and log N(y | A E, sigma_y² I + A V Aᵀ) for each covariance V of the comparison
//
// One thread a point. V = diag(V 1) (TMPD) may be indefinite: IMPOSSIBLE then. The Gaussian fit's V is diagonal on the
// eigenvectors of its Sigma_x. Source: Rozet et al. 2024, section 4. Twin: src/diffusion/mixture.ts.
// Constants: FEATURES, SIZE (rows of A). Modules: shared/solvers.wgsl,
// shared/log_normal.wgsl, shared/mixture.wgsl, shared/observed_system.wgsl.

struct Parameters {
  count: u32,
  begin: u32, // points begin .. end - 1
  end: u32,
  components: u32,
  thickness: f32,
  sigma_y: f32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> means: array<f32>; // [components, FEATURES]
@group(0) @binding(2) var<storage, read> points: array<f32>; // [count, FEATURES]
@group(0) @binding(3) var<storage, read> levels: array<f32>; // sigma, [count]
// A [SIZE, FEATURES], y [SIZE], A U [SIZE, FEATURES], λ [FEATURES] of Sigma_x = U diag(λ) Uᵀ
@group(0) @binding(4) var<storage, read> observation: array<f32>;
// one after the other; moments: E, score, mmps_score [count, FEATURES] each, V [count, FEATURES, FEATURES];
// log_likelihoods: exact, tweedie, zero, identity, pigdm, gaussian, tmpd [count] each
@group(0) @binding(5) var<storage, read_write> results: array<f32>;

const EIGENVECTORS = SIZE * FEATURES + SIZE;
const EIGENVALUES = EIGENVECTORS + SIZE * FEATURES;

fn component_count() -> u32 {
  return parameters.components;
}

fn component_thickness() -> f32 {
  return parameters.thickness;
}

fn point_at(point: u32) -> array<f32, FEATURES> {
  var x: array<f32, FEATURES> = array<f32, FEATURES>();
  for (var i = 0u; i < FEATURES; i++) {
    x[i] = points[point * FEATURES + i];
  }
  return x;
}

// sigma_y² I + Σ_i variance_i c_i c_iᵀ, c_i the columns of the matrix [SIZE, FEATURES] at `first` of the observation.
fn diagonal_system(variances: ptr<function, array<f32, FEATURES>>, first: u32) -> SmallMatrix {
  var system: SmallMatrix = SmallMatrix();
  for (var r = 0u; r < SIZE; r++) {
    for (var q = 0u; q < SIZE; q++) {
      var sum = select(0.0, parameters.sigma_y * parameters.sigma_y, r == q);
      for (var i = 0u; i < FEATURES; i++) {
        sum += (*variances)[i] * observation[first + r * FEATURES + i] * observation[first + q * FEATURES + i];
      }
      system[r * SIZE + q] = sum;
    }
  }
  return system;
}

// The point of this invocation; beyond `end` where there is none.
fn assigned_point(id: vec3u, groups: vec3u) -> u32 {
  return parameters.begin + id.y * groups.x * 64u + id.x;
}

@compute @workgroup_size(64)
fn moments(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let point = assigned_point(id, groups);
  if (point >= parameters.end) {
    return;
  }
  var x = point_at(point);
  let sigma = levels[point];
  var moments = mixture_moments(&x, sigma);
  var covariance = moments.covariance;
  var rows = observed_rows(&covariance);
  var system = observed_system(&rows);
  var mean = moments.mean;
  var residual = residual_at(&mean);
  let v = solve_exact(&system, &residual);
  let plane = parameters.count * FEATURES;
  for (var i = 0u; i < FEATURES; i++) {
    let at = point * FEATURES + i;
    var pull = 0.0;
    for (var r = 0u; r < SIZE; r++) {
      pull += rows[r * FEATURES + i] * v[r];
    }
    results[at] = mean[i];
    results[plane + at] = moments.offset[i] / (sigma * sigma);
    results[2u * plane + at] = pull / (sigma * sigma);
    for (var j = 0u; j < FEATURES; j++) {
      results[3u * plane + at * FEATURES + j] = moments.covariance[i * FEATURES + j];
    }
  }
}

// log p(y | x_t): the weighted densities and the weights are summed side by side, each against its running maximum.
fn exact_log_likelihood(x: ptr<function, array<f32, FEATURES>>, sigma: f32) -> f32 {
  let variance = parameters.thickness * parameters.thickness + sigma * sigma;
  let rho = sigma * sigma / variance;
  let within = rho * parameters.thickness * parameters.thickness;
  var variances: array<f32, FEATURES> = array<f32, FEATURES>();
  for (var i = 0u; i < FEATURES; i++) {
    variances[i] = within;
  }
  var factor = diagonal_system(&variances, 0u);
  if (!factor_cholesky(&factor)) {
    return IMPOSSIBLE;
  }
  let nearest = nearest_component(x);
  var center: array<f32, FEATURES> = array<f32, FEATURES>();
  var center_mean: array<f32, FEATURES> = array<f32, FEATURES>();
  for (var i = 0u; i < FEATURES; i++) {
    center[i] = component_mean(nearest, i);
    center_mean[i] = rho * center[i] + parameters.thickness * parameters.thickness / variance * (*x)[i];
  }
  let center_residual = residual_at(&center_mean);
  var weights = 0.0;
  var top = IMPOSSIBLE;
  var total = 0.0;
  for (var k = 0u; k < parameters.components; k++) {
    var exponent = 0.0;
    var residual = center_residual;
    for (var i = 0u; i < FEATURES; i++) {
      let delta = component_mean(k, i) - center[i];
      exponent += delta * ((*x)[i] - center[i] - 0.5 * delta);
      for (var r = 0u; r < SIZE; r++) {
        residual[r] -= rho * delta * observation[r * FEATURES + i];
      }
    }
    exponent = min(exponent / variance, 0.0);
    weights += exp(exponent);
    let term = exponent - 0.5 * whitened_square(&factor, &residual);
    if (term > top) {
      total = total * exp(top - term) + 1.0;
      top = term;
    } else {
      total += exp(term - top);
    }
  }
  return top + log(total) - log(weights) + log_normalizer(&factor);
}

@compute @workgroup_size(64)
fn log_likelihoods(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let point = assigned_point(id, groups);
  if (point >= parameters.end) {
    return;
  }
  var x = point_at(point);
  let sigma = levels[point];
  let square = sigma * sigma;
  var moments = mixture_moments(&x, sigma);
  var mean = moments.mean;
  var residual = residual_at(&mean);
  var covariance = moments.covariance;
  var rows = observed_rows(&covariance);
  var system = observed_system(&rows);
  results[point] = exact_log_likelihood(&x, sigma);
  results[parameters.count + point] = log_normal(&residual, &system);
  var variances: array<f32, FEATURES> = array<f32, FEATURES>();
  for (var name = 2u; name < 7u; name++) {
    for (var i = 0u; i < FEATURES; i++) {
      if (name == 2u) {
        variances[i] = 0.0;
      } else if (name == 3u) {
        variances[i] = square;
      } else if (name == 4u) {
        variances[i] = square / (1.0 + square);
      } else if (name == 5u) {
        let eigenvalue = observation[EIGENVALUES + i];
        variances[i] = eigenvalue * square / (eigenvalue + square);
      } else {
        variances[i] = 0.0;
        for (var j = 0u; j < FEATURES; j++) {
          variances[i] += moments.covariance[i * FEATURES + j];
        }
      }
    }
    system = diagonal_system(&variances, select(0u, EIGENVECTORS, name == 5u));
    results[name * parameters.count + point] = log_normal(&residual, &system);
  }
}
