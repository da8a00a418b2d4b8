// The training batch of step k = state[0]: element b draws its sample, its time t ~ Beta(alpha, beta) (an order
// statistic of alpha + beta - 1 uniforms) and its noise. Counter (b, k, block, 2): block 0 picks the sample, blocks 1
// to 4 hold the uniforms, blocks from 5 on the noise. Needs shared/random.wgsl and denoising_loss.wgsl.

@group(0) @binding(4) var<storage, read> state: array<u32>; // element 0: the training step

fn batch_element(b: u32) -> Element {
  var element: Element;
  let key = vec2u(parameters.seed, parameters.stream);
  let pick = mul_high(philox(vec4u(b, state[0], 0u, DOMAIN_TRAINING), key).x, parameters.sample_count);
  for (var first = 0u; first < FEATURES; first += 4u) {
    let z = normals(philox(vec4u(b, state[0], 5u + first / 4u, DOMAIN_TRAINING), key));
    for (var c = 0u; c < 4u && first + c < FEATURES; c++) {
      element.x[first + c] = samples[pick * FEATURES + first + c];
      element.z[first + c] = z[c];
    }
  }
  let draws = parameters.alpha + parameters.beta - 1u;
  var uniforms: array<u32, 16>;
  for (var first = 0u; first < draws; first += 4u) {
    let r = philox(vec4u(b, state[0], 1u + first / 4u, DOMAIN_TRAINING), key);
    for (var c = 0u; c < 4u; c++) {
      uniforms[first + c] = r[c] >> 9u;
    }
  }
  for (var i = 0u; i < draws; i++) {
    var rank = 0u;
    for (var j = 0u; j < draws; j++) {
      if (uniforms[j] < uniforms[i] || (uniforms[j] == uniforms[i] && j < i)) {
        rank++;
      }
    }
    if (rank + 1u == parameters.alpha) {
      element.t = unit(uniforms[i] << 9u);
    }
  }
  return element;
}
