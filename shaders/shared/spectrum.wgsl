// The symmetric matrix nearest to M whose eigenvalues lie in [low, high]: symmetric part, cyclic Jacobi eigenvalues,
// clamped (Higham 1988; Golub & Van Loan, Matrix Computations). Needs the constant ORDER (u32). Twin:
// src/linalg/spectrum.ts.

alias SquareMatrix = array<f32, ORDER * ORDER>;

// M ← that matrix.
fn clamp_spectrum(m: ptr<function, SquareMatrix>, low: f32, high: f32) {
  var a: SquareMatrix;
  var vectors: SquareMatrix; // column k is the k-th eigenvector
  for (var i = 0u; i < ORDER; i++) {
    for (var j = 0u; j < ORDER; j++) {
      a[i * ORDER + j] = 0.5 * ((*m)[i * ORDER + j] + (*m)[j * ORDER + i]);
    }
    vectors[i * ORDER + i] = 1.0;
  }
  for (var sweep = 0u; sweep < 8u; sweep++) {
    for (var p = 0u; p + 1u < ORDER; p++) {
      for (var q = p + 1u; q < ORDER; q++) {
        let off = a[p * ORDER + q];
        let app = a[p * ORDER + p];
        let aqq = a[q * ORDER + q];
        // below rounding beside the diagonal, the rotation would change nothing
        if (abs(off) <= 1e-9 * sqrt(abs(app * aqq)) || off == 0.0) {
          continue;
        }
        let theta = (aqq - app) / (2.0 * off);
        // the root of least size of t² + 2 theta t - 1; for a huge theta the square would overflow
        var t = 0.5 / theta;
        if (abs(theta) < 1e8) {
          t = select(-1.0, 1.0, theta >= 0.0) / (abs(theta) + sqrt(theta * theta + 1.0));
        }
        let c = inverseSqrt(t * t + 1.0);
        let s = t * c;
        for (var k = 0u; k < ORDER; k++) {
          let akp = a[k * ORDER + p];
          let akq = a[k * ORDER + q];
          a[k * ORDER + p] = c * akp - s * akq;
          a[k * ORDER + q] = s * akp + c * akq;
        }
        for (var k = 0u; k < ORDER; k++) {
          let apk = a[p * ORDER + k];
          let aqk = a[q * ORDER + k];
          a[p * ORDER + k] = c * apk - s * aqk;
          a[q * ORDER + k] = s * apk + c * aqk;
          let vkp = vectors[k * ORDER + p];
          let vkq = vectors[k * ORDER + q];
          vectors[k * ORDER + p] = c * vkp - s * vkq;
          vectors[k * ORDER + q] = s * vkp + c * vkq;
        }
      }
    }
  }
  for (var i = 0u; i < ORDER; i++) {
    for (var j = 0u; j < ORDER; j++) {
      var sum = 0.0;
      for (var k = 0u; k < ORDER; k++) {
        sum += clamp(a[k * ORDER + k], low, high) * vectors[i * ORDER + k] * vectors[j * ORDER + k];
      }
      (*m)[i * ORDER + j] = sum;
    }
  }
}
