// Moments of x given x_t under the mixture p(x) = 1/K Σ N(mu_k, s² I), s the thickness:
//
//     w_k ∝ exp(-‖x_t - mu_k‖²/(2 (s² + sigma²))),  rho = sigma²/(s² + sigma²)
//     E[x | x_t] = x_t + rho (m - x_t) = s²/(s² + sigma²) x_t + rho m
//     V[x | x_t] = rho s² I + rho² (Σ w_k mu_k mu_kᵀ - m mᵀ),  m = Σ w_k mu_k
//
// The first form keeps the score's digits where sigma is small, the second the mean's where x_t is far off. All sums are
// about the nearest component mu_c, delta_k = mu_k - mu_c: the exponent against its own is
// delta_k · (x_t - mu_c - delta_k/2)/(s² + sigma²) ≤ 0, so nothing overflows, and neighbours' weights keep their digits
// however far x_t is. As w_c ≥ 1/K, the last difference of V loses at most the digits of K (a second pass about m gained
// nothing at 512 components).
//
// Needs FEATURES, and from the including kernel component_count, component_thickness and the buffer `means: array<f32>`
// [components, FEATURES].
// Twin: src/diffusion/mixture.ts.

struct MixtureMoments {
  offset: array<f32, FEATURES>, // E[x | x_t] - x_t
  mean: array<f32, FEATURES>, // E[x | x_t]
  covariance: array<f32, FEATURES * FEATURES>, // V[x | x_t]
}

fn component_mean(k: u32, i: u32) -> f32 {
  return means[k * FEATURES + i];
}

// The component with the least ‖x - mu_k‖.
fn nearest_component(x: ptr<function, array<f32, FEATURES>>) -> u32 {
  var nearest = 0u;
  var least = 3.4e38;
  let count = component_count();
  for (var k = 0u; k < count; k++) {
    var distance = 0.0;
    for (var i = 0u; i < FEATURES; i++) {
      let away = component_mean(k, i) - (*x)[i];
      distance += away * away;
    }
    if (distance < least) {
      least = distance;
      nearest = k;
    }
  }
  return nearest;
}

// sigma > 0. A point that is not finite gives moments that are not.
fn mixture_moments(x: ptr<function, array<f32, FEATURES>>, sigma: f32) -> MixtureMoments {
  let thickness = component_thickness();
  let variance = thickness * thickness + sigma * sigma;
  let nearest = nearest_component(x);
  var center: array<f32, FEATURES> = array<f32, FEATURES>();
  var away: array<f32, FEATURES> = array<f32, FEATURES>(); // x - center
  var first: array<f32, FEATURES> = array<f32, FEATURES>();
  var second: array<f32, FEATURES * FEATURES> = array<f32, FEATURES * FEATURES>(); // its lower triangle
  for (var i = 0u; i < FEATURES; i++) {
    center[i] = component_mean(nearest, i);
    away[i] = (*x)[i] - center[i];
  }
  var total = 0.0;
  let count = component_count();
  for (var k = 0u; k < count; k++) {
    var delta: array<f32, FEATURES> = array<f32, FEATURES>();
    var exponent = 0.0;
    for (var i = 0u; i < FEATURES; i++) {
      delta[i] = component_mean(k, i) - center[i];
      exponent += delta[i] * (away[i] - 0.5 * delta[i]);
    }
    let weight = exp(min(exponent / variance, 0.0));
    total += weight;
    for (var i = 0u; i < FEATURES; i++) {
      let weighted = weight * delta[i];
      first[i] += weighted;
      for (var j = 0u; j <= i; j++) {
        second[i * FEATURES + j] += weighted * delta[j];
      }
    }
  }
  let rho = sigma * sigma / variance;
  var moments: MixtureMoments = MixtureMoments();
  for (var i = 0u; i < FEATURES; i++) {
    first[i] /= total;
    moments.offset[i] = rho * (first[i] - away[i]);
    moments.mean[i] = rho * (center[i] + first[i]) + thickness * thickness / variance * (*x)[i];
    for (var j = 0u; j <= i; j++) {
      let covariance = rho * rho * (second[i * FEATURES + j] / total - first[i] * first[j]);
      moments.covariance[i * FEATURES + j] = covariance;
      moments.covariance[j * FEATURES + i] = covariance;
    }
    moments.covariance[i * FEATURES + i] += rho * thickness * thickness;
  }
  return moments;
}
