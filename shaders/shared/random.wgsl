// Counter-based random numbers: Philox4x32-10 of Salmon, Moraes, Dror & Shaw 2011 ("Parallel random numbers: as
// easy as 1, 2, 3"). Key = (seed, stream), counter = (index, step, block, domain): a number depends on nothing but
// its address, so neither slicing nor scheduling changes it. Needs shared/sincos.wgsl. Twin: src/math/philox.ts.

const DOMAIN_START = 0u;
const DOMAIN_NOISE = 1u;
const DOMAIN_TRAINING = 2u;
const DOMAIN_RESAMPLING = 10u;

// High word of the 64-bit product.
fn mul_high(a: u32, b: u32) -> u32 {
  let al = a & 0xffffu;
  let ah = a >> 16u;
  let bl = b & 0xffffu;
  let bh = b >> 16u;
  let low = al * bl;
  let middle = ah * bl + (low >> 16u);
  let cross = al * bh + (middle & 0xffffu);
  return ah * bh + (middle >> 16u) + (cross >> 16u);
}

fn philox(counter: vec4u, key: vec2u) -> vec4u {
  var c = counter;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    c = vec4u(
      mul_high(0xCD9E8D57u, c.z) ^ c.y ^ k.x,
      0xCD9E8D57u * c.z,
      mul_high(0xD2511F53u, c.x) ^ c.w ^ k.y,
      0xD2511F53u * c.x,
    );
    k += vec2u(0x9E3779B9u, 0xBB67AE85u);
  }
  return c;
}

// Uniform in (0, 1): 23 random bits and a half, exact in f32.
fn unit(r: u32) -> f32 {
  return (f32(r >> 9u) + 0.5) * 1.1920928955078125e-7;
}

// log x for a positive normal x, with small relative error also near 1, where WGSL's log promises only an absolute
// one and could give Box-Muller a negative radicand. x = 2^e m, m in [1/√2, √2), log m = 2 atanh((m - 1)/(m + 1)).
fn natural_log(x: f32) -> f32 {
  let bits = bitcast<u32>(x) + (0x3f800000u - 0x3f3504f3u);
  let e = f32(i32(bits >> 23u) - 127);
  let f = bitcast<f32>((bits & 0x7fffffu) + 0x3f3504f3u) - 1.0;
  let s = f / (2.0 + f);
  let z = s * s;
  let tail = s * z * (2.0 / 3.0 + z * (2.0 / 5.0 + z * (2.0 / 7.0 + z * (2.0 / 9.0))));
  return e * 0.693145751953125 + (2.0 * s + (tail + e * 1.42860682030941723212e-6));
}

// Four standard normals from four random words (Box-Muller).
fn normals(r: vec4u) -> vec4f {
  let a = sqrt(-2.0 * natural_log(unit(r.x))) * sincos(6.2831853 * unit(r.y)).yx;
  let b = sqrt(-2.0 * natural_log(unit(r.z))) * sincos(6.2831853 * unit(r.w)).yx;
  return vec4f(a, b);
}
