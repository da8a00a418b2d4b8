// Small dense systems M x = b on private arrays: exact (LU), CG, GMRES, BiCGSTAB, and the projection onto
// positive semi-definite matrices. Iterates start from zero. No division by zero: a breakdown keeps the iterate.
//
// Sources: Golub & Van Loan, Matrix Computations (LU, CG); Saad & Schultz 1986 (GMRES);
// van der Vorst 1992 (BiCGSTAB). Needs the constant SIZE (u32, 1 to 16). Twin: src/linalg.

alias SmallVector = array<f32, SIZE>;
alias SmallMatrix = array<f32, SIZE * SIZE>;

fn small_dot(a: ptr<function, SmallVector>, b: ptr<function, SmallVector>) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < SIZE; i++) {
    sum += (*a)[i] * (*b)[i];
  }
  return sum;
}

fn small_product(m: ptr<function, SmallMatrix>, x: ptr<function, SmallVector>) -> SmallVector {
  var y: SmallVector;
  for (var i = 0u; i < SIZE; i++) {
    var sum = 0.0;
    for (var j = 0u; j < SIZE; j++) {
      sum += (*m)[i * SIZE + j] * (*x)[j];
    }
    y[i] = sum;
  }
  return y;
}

// Gaussian elimination with partial pivoting; a zero pivot leaves its unknown at zero.
fn solve_exact(m: ptr<function, SmallMatrix>, b: ptr<function, SmallVector>) -> SmallVector {
  var a = *m;
  var x = *b;
  for (var k = 0u; k < SIZE; k++) {
    var pivot = k;
    for (var i = k + 1u; i < SIZE; i++) {
      if (abs(a[i * SIZE + k]) > abs(a[pivot * SIZE + k])) {
        pivot = i;
      }
    }
    for (var j = k; j < SIZE; j++) {
      let swapped = a[k * SIZE + j];
      a[k * SIZE + j] = a[pivot * SIZE + j];
      a[pivot * SIZE + j] = swapped;
    }
    let swapped = x[k];
    x[k] = x[pivot];
    x[pivot] = swapped;
    let diagonal = a[k * SIZE + k];
    if (diagonal == 0.0) {
      continue;
    }
    for (var i = k + 1u; i < SIZE; i++) {
      let factor = a[i * SIZE + k] / diagonal;
      for (var j = k + 1u; j < SIZE; j++) {
        a[i * SIZE + j] -= factor * a[k * SIZE + j];
      }
      x[i] -= factor * x[k];
    }
  }
  for (var row = 0u; row < SIZE; row++) {
    let k = SIZE - 1u - row;
    var sum = x[k];
    for (var j = k + 1u; j < SIZE; j++) {
      sum -= a[k * SIZE + j] * x[j];
    }
    let diagonal = a[k * SIZE + k];
    x[k] = select(0.0, sum / diagonal, diagonal != 0.0);
  }
  return x;
}

// Conjugate gradient; stops at a zero residual and at non-positive curvature pᵀMp.
fn solve_cg(m: ptr<function, SmallMatrix>, b: ptr<function, SmallVector>, iterations: u32) -> SmallVector {
  var x: SmallVector;
  var r = *b;
  var p = r;
  var rr = small_dot(&r, &r);
  for (var k = 0u; k < iterations; k++) {
    if (!(rr > 0.0)) {
      break;
    }
    var mp = small_product(m, &p);
    let curvature = small_dot(&p, &mp);
    if (!(curvature > 0.0)) {
      break;
    }
    let alpha = rr / curvature;
    for (var i = 0u; i < SIZE; i++) {
      x[i] += alpha * p[i];
      r[i] -= alpha * mp[i];
    }
    let next = small_dot(&r, &r);
    let beta = next / rr;
    rr = next;
    for (var i = 0u; i < SIZE; i++) {
      p[i] = r[i] + beta * p[i];
    }
  }
  return x;
}

// GMRES without restart: minimises ‖b - M x‖ over the Krylov space of that many products. Arnoldi by modified
// Gram-Schmidt; Givens rotations keep R upper triangular.
fn solve_gmres(m: ptr<function, SmallMatrix>, b: ptr<function, SmallVector>, iterations: u32) -> SmallVector {
  var x: SmallVector;
  let scale = sqrt(small_dot(b, b));
  if (!(scale > 0.0)) {
    return x;
  }
  var basis: SmallMatrix; // row k is the k-th Arnoldi vector
  var triangle: SmallMatrix; // column k belongs to step k
  var cosines: SmallVector;
  var sines: SmallVector;
  var g: SmallVector; // the rotated right-hand side
  var q: SmallVector;
  for (var i = 0u; i < SIZE; i++) {
    q[i] = (*b)[i] / scale;
  }
  var residual = scale;
  var steps = 0u;
  for (var k = 0u; k < min(iterations, SIZE); k++) {
    for (var i = 0u; i < SIZE; i++) {
      basis[k * SIZE + i] = q[i];
    }
    var w = small_product(m, &q);
    let size = sqrt(small_dot(&w, &w));
    for (var j = 0u; j <= k; j++) {
      var h = 0.0;
      for (var i = 0u; i < SIZE; i++) {
        h += w[i] * basis[j * SIZE + i];
      }
      for (var i = 0u; i < SIZE; i++) {
        w[i] -= h * basis[j * SIZE + i];
      }
      triangle[j * SIZE + k] = h;
    }
    var below = sqrt(small_dot(&w, &w));
    // what is left of w is rounding: the Krylov space is exhausted and the solution is in it
    let exhausted = below <= 1e-6 * size;
    if (exhausted) {
      below = 0.0;
    }
    for (var j = 0u; j < k; j++) {
      let upper = triangle[j * SIZE + k];
      let lower = triangle[(j + 1u) * SIZE + k];
      triangle[j * SIZE + k] = cosines[j] * upper + sines[j] * lower;
      triangle[(j + 1u) * SIZE + k] = cosines[j] * lower - sines[j] * upper;
    }
    let diagonal = triangle[k * SIZE + k];
    let radius = sqrt(diagonal * diagonal + below * below);
    if (radius <= 1e-7 * size) {
      break; // a singular system: this direction cannot lower the residual
    }
    cosines[k] = diagonal / radius;
    sines[k] = below / radius;
    triangle[k * SIZE + k] = radius;
    g[k] = cosines[k] * residual;
    residual = -sines[k] * residual;
    steps = k + 1u;
    if (exhausted) {
      break;
    }
    for (var i = 0u; i < SIZE; i++) {
      q[i] = w[i] / below;
    }
  }
  for (var back = 0u; back < steps; back++) {
    let k = steps - 1u - back;
    var sum = g[k];
    for (var j = k + 1u; j < steps; j++) {
      sum -= triangle[k * SIZE + j] * g[j];
    }
    g[k] = sum / triangle[k * SIZE + k];
    for (var i = 0u; i < SIZE; i++) {
      x[i] += g[k] * basis[k * SIZE + i];
    }
  }
  return x;
}

// BiCGSTAB with the shadow residual b; two products an iteration. Its residual jumps, and after more than three
// iterations float32 may not come back from a jump: an iterate worse than zero is then replaced by the best one.
fn solve_bicgstab(m: ptr<function, SmallMatrix>, b: ptr<function, SmallVector>, iterations: u32) -> SmallVector {
  var x: SmallVector;
  var shadow = *b;
  var r = *b;
  var p = r;
  var rho = small_dot(&shadow, &r);
  let start = rho; // ‖b‖²
  var best: SmallVector;
  var least = start;
  var size = start; // ‖r‖²
  for (var k = 0u; k < iterations; k++) {
    if (rho == 0.0) {
      break;
    }
    var mp = small_product(m, &p);
    let projection = small_dot(&shadow, &mp);
    if (projection == 0.0) {
      break;
    }
    let alpha = rho / projection;
    var s: SmallVector;
    for (var i = 0u; i < SIZE; i++) {
      x[i] += alpha * p[i];
      s[i] = r[i] - alpha * mp[i];
    }
    var ms = small_product(m, &s);
    let scale = small_dot(&ms, &ms);
    if (scale == 0.0) {
      break;
    }
    let omega = small_dot(&ms, &s) / scale;
    if (omega == 0.0) {
      break;
    }
    for (var i = 0u; i < SIZE; i++) {
      x[i] += omega * s[i];
      r[i] = s[i] - omega * ms[i];
    }
    size = small_dot(&r, &r);
    if (size < least) {
      least = size;
      best = x;
    }
    let next = small_dot(&shadow, &r);
    let beta = next / rho * (alpha / omega);
    rho = next;
    for (var i = 0u; i < SIZE; i++) {
      p[i] = r[i] + beta * (p[i] - omega * mp[i]);
    }
  }
  if (iterations > 3u && !(size <= start)) {
    return best;
  }
  return x;
}
