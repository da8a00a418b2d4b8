// A training batch given from outside: element b has sample b, and its noise and time from `given`.
// Needs denoising_loss.wgsl.

@group(0) @binding(4) var<storage, read> given: array<f32>; // [batch, FEATURES + 1]: z, then t

fn batch_element(b: u32) -> Element {
  var element: Element;
  for (var i = 0u; i < FEATURES; i++) {
    element.x[i] = samples[b * FEATURES + i];
    element.z[i] = given[b * (FEATURES + 1u) + i];
  }
  element.t = given[b * (FEATURES + 1u) + FEATURES];
  return element;
}
