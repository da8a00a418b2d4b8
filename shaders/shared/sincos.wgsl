// (sin x, cos x) to about 1e-7 for |x| up to some thousands. WGSL's own sin and cos promise only 2^-11, and only
// within [-pi, pi]. Cody-Waite reduction by multiples of pi/2, then the polynomials of Cephes' sinf and cosf.
fn sincos(x: f32) -> vec2f {
  let turns = round(x * 0.63661977);
  // pi/2 in three parts whose first two have few bits, so that their products with `turns` are exact
  let r = ((x - turns * 1.5703125) - turns * 4.837512969970703125e-4) - turns * 7.54978995489188216e-8;
  let z = r * r;
  let s = r + r * z * (-1.6666654611e-1 + z * (8.3321608736e-3 - z * 1.9515295891e-4));
  let c = 1.0 - 0.5 * z + z * z * (4.166664568298827e-2 + z * (-1.388731625493765e-3 + z * 2.443315711809948e-5));
  let quadrant = u32(i32(turns)) & 3u;
  let swapped = select(vec2f(s, c), vec2f(c, s), (quadrant & 1u) == 1u);
  let negative = vec2<bool>(quadrant >= 2u, quadrant == 1u || quadrant == 2u);
  return select(swapped, -swapped, negative);
}
