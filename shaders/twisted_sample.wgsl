// Twisted diffusion sampling under a mixture prior: a workgroup takes its population of PARTICLES particles through the
// plan steps first .. last - 1. At each step, with d = E[x | x_t] and d_y = E[x | x_t, y] of MMPS,
//
//     log weight  ℓ(x_t) + carried,   ℓ = log N(y | A d, sigma_y² I + A V Aᵀ)
//     resample    x_t, d, d_y, ℓ ← those of the ancestor
//     move        x ← a x + b d_y + c ε,   Δ = b (d_y - d),   carried ← -(2 c ε·Δ + ‖Δ‖²)/(2 c²) - ℓ
//
// carried (log p/q of the move less ℓ before it) is 0 at the start. Resampling is systematic and exact: weights are
// integers, 2^22 the largest, so neither the order of a sum nor rounding picks an ancestor. Random numbers depend on
// particle or population and step only, so slicing changes no bit.
//
// Source: Wu et al. 2023, "Practical and asymptotically exact conditional sampling in diffusion models".
// Constants: FEATURES = ORDER, SIZE (rows of A), PARTICLES (a power of two up to 256), COVARIANCE (0 Tweedie, 1 scalar times I
// from the plan, 2 a matrix a step from `covariances`, 3 TMPD), PROJECT (bool, with COVARIANCE 0), LEAST_SHARE.
// Modules: shared/sincos.wgsl, random, draws, solvers, chosen_solver, spectrum, log_normal, mixture, observed_system.
// Twin: src/diffusion/posterior/tds.ts.

struct Parameters {
  mean: array<vec4f, 2>,
  first_population: u32, // populations first .. first + populations - 1
  populations: u32,
  first: u32, // steps first .. last - 1
  last: u32,
  seed: u32,
  stream: u32,
  start: u32, // 1: x is drawn from N(mean, start_sigma² I) first
  count: u32, // particles in all
  components: u32,
  particles: u32, // PARTICLES; drivers unroll loops to a bound they know
  iterations: u32, // of the solver
  thickness: f32,
  sigma_y: f32,
  start_sigma: f32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> means: array<f32>; // [components, FEATURES]
@group(0) @binding(2) var<storage, read> observation: array<f32>; // A [SIZE, FEATURES], y [SIZE]
// [steps, 2]: (sigma, a, b, c), (log sigma, v of V = v I, number of the frame from 1 on or 0, 0)
@group(0) @binding(3) var<storage, read> plan: array<vec4f>;
@group(0) @binding(4) var<storage, read> covariances: array<f32>; // [steps, FEATURES, FEATURES] for COVARIANCE 2
@group(0) @binding(5) var<storage, read_write> state: array<f32>; // x [count, FEATURES], carried [count]
@group(0) @binding(6) var<storage, read_write> frames: array<f32>; // [frames, count, FEATURES]

const FULL_WEIGHT = 4194304.0; // times 256 particles: 2^30

var<workgroup> exchange: array<f32, PARTICLES * FEATURES>; // value i of particle k at i PARTICLES + k
var<workgroup> largest: array<f32, PARTICLES>;
var<workgroup> cumulated: array<u32, PARTICLES>;

fn component_count() -> u32 {
  return parameters.components;
}

fn component_thickness() -> f32 {
  return parameters.thickness;
}

// A log weight, with IMPOSSIBLE for what is no number.
fn log_weight(log_likelihood: f32, carried: f32) -> f32 {
  let sum = log_likelihood + carried;
  let finite = (bitcast<u32>(sum) & 0x7f800000u) != 0x7f800000u;
  return select(IMPOSSIBLE, sum, finite && log_likelihood > IMPOSSIBLE && carried > IMPOSSIBLE);
}

// The particle whose copy particle k becomes; k itself where no particle is possible. All invocations must call it.
fn ancestor_of(k: u32, weight: f32, population: u32, step: u32) -> u32 {
  largest[k] = weight;
  for (var half = parameters.particles / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (k < half) {
      largest[k] = max(largest[k], largest[k + half]);
    }
  }
  workgroupBarrier();
  let top = largest[0];
  var share = 0.0;
  if (weight > IMPOSSIBLE) {
    share = exp(max(weight - top, -80.0));
  }
  cumulated[k] = u32(FULL_WEIGHT * share + 0.5);
  for (var offset = 1u; offset < parameters.particles; offset *= 2u) {
    workgroupBarrier();
    var before = 0u;
    if (k >= offset) {
      before = cumulated[k - offset];
    }
    workgroupBarrier();
    cumulated[k] += before;
  }
  workgroupBarrier();
  // floor((k + u) total/PARTICLES), u the middle of one of 2^23 intervals, in integers
  let word = philox(vec4u(population, step, 0u, DOMAIN_RESAMPLING), vec2u(parameters.seed, parameters.stream)).x;
  let total = cumulated[PARTICLES - 1u];
  let shift = mul_high((word & 0xfffffe00u) | 256u, total);
  let position = k * (total / PARTICLES) + (k * (total % PARTICLES) + shift) / PARTICLES;
  var low = 0u;
  var high = PARTICLES - 1u;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (cumulated[middle] > position) {
      high = middle;
    } else {
      low = middle + 1u;
    }
  }
  return select(k, low, top > IMPOSSIBLE);
}

// values ← those of the ancestor. All invocations must call it.
fn inherit(values: ptr<function, array<f32, FEATURES>>, k: u32, ancestor: u32) {
  workgroupBarrier();
  for (var i = 0u; i < FEATURES; i++) {
    exchange[i * PARTICLES + k] = (*values)[i];
  }
  workgroupBarrier();
  for (var i = 0u; i < FEATURES; i++) {
    (*values)[i] = exchange[i * PARTICLES + ancestor];
  }
}

struct Proposal {
  mean: array<f32, FEATURES>, // d
  correction: array<f32, FEATURES>, // d_y - d
  log_likelihood: f32, // ℓ
}

fn propose(x: ptr<function, array<f32, FEATURES>>, sigma: f32, step: u32) -> Proposal {
  let moments = mixture_moments(x, sigma);
  let square = sigma * sigma;
  var exact = moments.covariance;
  if (PROJECT) {
    for (var i = 0u; i < FEATURES * FEATURES; i++) {
      exact[i] /= square;
    }
    clamp_spectrum(&exact, LEAST_SHARE / (1.0 + square), 1.0);
    for (var i = 0u; i < FEATURES * FEATURES; i++) {
      exact[i] *= square;
    }
  }
  var v = exact;
  if (COVARIANCE != 0u) {
    for (var i = 0u; i < FEATURES; i++) {
      var sum = 0.0;
      for (var j = 0u; j < FEATURES; j++) {
        sum += exact[i * FEATURES + j];
        v[i * FEATURES + j] = 0.0;
        if (COVARIANCE == 2u) {
          v[i * FEATURES + j] = covariances[(step * FEATURES + i) * FEATURES + j];
        }
      }
      if (COVARIANCE == 1u) {
        v[i * FEATURES + i] = plan[2u * step + 1u].y;
      } else if (COVARIANCE == 3u) {
        v[i * FEATURES + i] = sum;
      }
    }
  }
  var proposal: Proposal = Proposal();
  proposal.mean = moments.mean;
  var mean = moments.mean;
  var residual = residual_at(&mean);
  var rows = observed_rows(&v);
  var system = observed_system(&rows);
  proposal.log_likelihood = log_normal(&residual, &system);
  let w = solve_chosen(&system, &residual);
  let pulls = observed_rows(&exact);
  for (var i = 0u; i < FEATURES; i++) {
    for (var r = 0u; r < SIZE; r++) {
      proposal.correction[i] += w[r] * pulls[r * FEATURES + i];
    }
  }
  return proposal;
}

@compute @workgroup_size(PARTICLES)
fn twisted_sample(
  @builtin(local_invocation_index) k: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let index = group.y * groups.x + group.x;
  if (index >= parameters.populations) {
    return;
  }
  let population = parameters.first_population + index;
  let particle = population * PARTICLES + k;
  let home = particle * FEATURES;
  let carried_home = parameters.count * FEATURES + particle;
  var x: array<f32, FEATURES> = array<f32, FEATURES>();
  var carried = 0.0;
  if (parameters.start != 0u) {
    x = draw_start(particle);
  } else {
    for (var i = 0u; i < FEATURES; i++) {
      x[i] = state[home + i];
    }
    carried = state[carried_home];
  }
  for (var step = parameters.first; step < parameters.last; step++) {
    let coefficients = plan[2u * step];
    let frame = u32(plan[2u * step + 1u].z);
    if (frame > 0u) {
      for (var i = 0u; i < FEATURES; i++) {
        frames[(frame - 1u) * parameters.count * FEATURES + home + i] = x[i];
      }
    }
    let proposal = propose(&x, coefficients.x, step);
    let ancestor = ancestor_of(k, log_weight(proposal.log_likelihood, carried), population, step);
    var mean = proposal.mean;
    var correction = proposal.correction;
    inherit(&x, k, ancestor);
    inherit(&mean, k, ancestor);
    inherit(&correction, k, ancestor);
    workgroupBarrier();
    largest[k] = proposal.log_likelihood;
    workgroupBarrier();
    carried = -largest[ancestor];
    workgroupBarrier();
    let c = coefficients.w;
    let noise = draw(particle, step, DOMAIN_NOISE);
    var square = 0.0;
    for (var i = 0u; i < FEATURES; i++) {
      let delta = coefficients.z * correction[i];
      square += delta * (2.0 * c * noise[i] + delta);
      x[i] = coefficients.y * x[i] + coefficients.z * (mean[i] + correction[i]) + c * noise[i];
    }
    if (carried >= -IMPOSSIBLE) {
      carried = IMPOSSIBLE; // ℓ was of no use: all particles stayed
    } else if (c != 0.0) {
      carried -= square / (2.0 * c * c);
    }
  }
  for (var i = 0u; i < FEATURES; i++) {
    state[home + i] = x[i];
  }
  state[carried_home] = carried;
}
