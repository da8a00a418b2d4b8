// A mixture of Gaussians as the sampler's denoiser: one thread a sample, all moments at once, J = V[x | x_t]/sigma² held
// as a matrix. Number of components and thickness are no constants, so a change of the mixture compiles nothing.
// Needs FEATURES, shared/mixture.wgsl. Constants: TILE = THREADS.

struct MixtureParameters {
  components: u32,
  thickness: f32,
}

@group(0) @binding(1) var<storage, read> means: array<f32>; // [components, FEATURES]
@group(0) @binding(3) var<uniform> mixture: MixtureParameters;

// The denoiser at a point: its value and derivative, which is symmetric.
struct Linearization {
  x_hat: array<f32, FEATURES>,
  jacobian: array<f32, FEATURES * FEATURES>,
}

fn component_count() -> u32 {
  return mixture.components;
}

fn component_thickness() -> f32 {
  return mixture.thickness;
}

// Nothing is shared between threads.
fn place(index: u32) {
}

fn linearize(x: ptr<function, array<f32, FEATURES>>, sigma: f32, row: u32, owner: bool) -> Linearization {
  let moments = mixture_moments(x, sigma);
  var point = Linearization();
  point.x_hat = moments.mean;
  for (var i = 0u; i < FEATURES * FEATURES; i++) {
    point.jacobian[i] = moments.covariance[i] / (sigma * sigma);
  }
  return point;
}

// Jᵀ v = J v.
fn vjp(point: ptr<function, Linearization>, v: ptr<function, array<f32, FEATURES>>) -> array<f32, FEATURES> {
  var product = array<f32, FEATURES>();
  for (var i = 0u; i < FEATURES; i++) {
    for (var j = 0u; j < FEATURES; j++) {
      product[i] += (*point).jacobian[i * FEATURES + j] * (*v)[j];
    }
  }
  return product;
}
