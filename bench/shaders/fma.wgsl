// How fast this adapter multiplies and adds: independent chains a ← a m + s in registers, nothing else.
//
// bench/ceilings.ts puts NUMBER (f32 or vec4f), WORKGROUP, REPEATS and, in place of the lines marked //!, the chains: as many as
// hide an operation's latency without spilling. m and s come from a buffer, so that nothing can be computed beforehand.

@group(0) @binding(0) var<storage, read> factors: array<f32>; // m, s
@group(0) @binding(1) var<storage, read_write> results: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn fma_chains(@builtin(global_invocation_id) id: vec3u) {
  let m = NUMBER(factors[0]);
  let s = NUMBER(factors[1] + f32(id.x)); // above 0, so that no chain decays into slow subnormal numbers
  //! declare
  for (var i = 0u; i < REPEATS; i++) {
    //! chains
  }
  var sum = a0;
  //! sum
  // never the case, which the compiler cannot know
  if (dot(vec4f(sum), vec4f(1)) == 12345.678) {
    results[id.x % arrayLength(&results)] = 1;
  }
}
