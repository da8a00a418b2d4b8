// The MLP denoiser's layers for a workgroup that owns a tile of TILE samples.
//
//     h ← LayerNorm(SiLU(h W + b)) for each hidden layer, then h W + b; and the derivative of this map, in both
//     directions:  SiLU'(a) = s (1 + a (1 - s)), s = 1/(1 + e^-a);
//                  LayerNorm's derivative is symmetric: g ← rstd (g - mean(g) - x̂ mean(g x̂))
//
// A thread ("worker") keeps 4 VECTORS neurons × 4 QUADS samples of the layer in `block`, the same ones in every
// layer and in both directions, so what a derivative needs of the forward pass stays private to it. `tile` holds the layer's input, row = neuron,
// four samples a vec4: the workers of a product read it by broadcast and a weight row by consecutive vec4s. Between
// two products its rows serve as scratch for reductions, which lets 16 samples × 256 neurons live in 16 KiB.
//
// Only the inner product is meant to be unrolled (its operands then live in registers); all other loops run to a
// bound that the compiler does not know (`rolled`), else drivers unroll them and compile for minutes.
//
// Constants: FEATURES, EMBEDDING, HIDDEN, LAYERS (hidden ones), INPUTS (FEATURES + EMBEDDING), TILE, QUADS, VECTORS, ROWS,
// THREADS, PARTS, NARROW (vec4s that hold the features), NARROW_PARTS; places in the weights, in vec4s: SECOND
// (parameters of layer 1), FINAL (of the last), FIRST_TRANSPOSED, SECOND_TRANSPOSED, FINAL_TRANSPOSED.
// The module with the entry point declares `weights: array<vec4f>` (see src/gpu/network.ts).

const TILE_QUADS = TILE / 4u;
const COLUMNS = HIDDEN / 4u;
const STRIDE = COLUMNS / VECTORS; // workers along neurons
const WORKERS = STRIDE * TILE_QUADS / QUADS;
const BLOCK = 4u * VECTORS * QUADS;
const RECORD = FEATURES / 4u + 1u; // vec4s that hold the features and one more value
const RECORDS = ROWS * TILE_QUADS - TILE * RECORD; // at the end of the tile
const LAYER_NORM_EPSILON = 1e-5;

alias Block = array<vec4f, BLOCK>;

// One quad's partial sums over neurons, or the result.
struct Pair {
  first: vec4f,
  second: vec4f,
}

var<workgroup> tile: array<vec4f, ROWS * TILE_QUADS>;

// Element (q VECTORS + v) 4 + c: samples of quad q, neuron c of the four of vector v.
var<private> block: Block;
// Of each hidden layer's elements, what its derivative needs:
var<private> slope: array<vec4f, LAYERS * BLOCK>; // SiLU'(pre-activation)
var<private> normalized: array<vec4f, LAYERS * BLOCK>; // the layer's output
var<private> deviation: array<vec4f, LAYERS * QUADS>; // LayerNorm's 1/√(variance + epsilon)

// This thread's place; set by `place`.
var<private> thread: u32;
var<private> column: u32; // neurons 4 (column + v STRIDE) + 0 .. 3 for v < VECTORS
var<private> quad: u32; // samples 4 quad .. 4 (quad + QUADS) - 1

// `count`, hidden from the compiler: a loop to it is not unrolled.
fn rolled(count: u32) -> u32 {
  return min(count, count * arrayLength(&weights));
}

fn place(index: u32) {
  thread = index;
  column = index % STRIDE;
  quad = index / STRIDE * QUADS;
  if (WORKERS == STRIDE) {
    quad = 0u; // known to be the same in all threads: drivers then read the tile once for all of them
  }
}

// One value of the tile, for the thread that owns the sample.
fn tile_value(row: u32, sample: u32) -> f32 {
  return tile[row * TILE_QUADS + sample / 4u][sample % 4u];
}

// Rows 0 .. FEATURES - 1 of the tile ← `values` of the samples, each given by the thread that owns the sample
// (thread < TILE). Only whole vec4s are written: single components of one vec4 must not be written by several
// threads (Direct3D would write all four). So each owner leaves a record, which others transpose. `extra` is
// value FEATURES of the record, which stays until the last rows are overwritten. Begins and ends with a barrier.
fn set_features(values: ptr<function, array<f32, FEATURES>>, extra: f32) {
  workgroupBarrier();
  if (thread < TILE) {
    for (var r = 0u; r < RECORD; r++) {
      var record: vec4f;
      for (var c = 0u; c < 4u; c++) {
        let i = 4u * r + c;
        record[c] = extra;
        if (i < FEATURES) {
          record[c] = (*values)[i];
        }
      }
      tile[RECORDS + thread * RECORD + r] = record;
    }
  }
  workgroupBarrier();
  for (var task = thread; task < FEATURES * TILE_QUADS; task += THREADS) {
    tile[task] = recorded(task / TILE_QUADS, task % TILE_QUADS);
  }
  workgroupBarrier();
}

// Value i of the records of a quad's four samples.
fn recorded(i: u32, at: u32) -> vec4f {
  let first = RECORDS + 4u * at * RECORD + i / 4u;
  let c = i % 4u;
  return vec4f(tile[first][c], tile[first + RECORD][c], tile[first + 2u * RECORD][c], tile[first + 3u * RECORD][c]);
}

fn sigmoid(a: vec4f) -> vec4f {
  // below -80 the exponential would overflow; the sigmoid is then 0 to all digits
  return 1.0 / (1.0 + exp(-max(a, vec4f(-80.0))));
}

// First vec4 of the parameters of layer l: hidden layers from 1 on have equal sizes.
fn parameters_of(l: u32) -> u32 {
  return select(SECOND + (l - 1u) * (HIDDEN + 1u) * COLUMNS, 0u, l == 0u);
}

// First vec4 of the bias of hidden layer l.
fn bias_of(l: u32) -> u32 {
  return parameters_of(l) + select(HIDDEN, INPUTS, l == 0u) * COLUMNS;
}

// block = a row of neurons, from vec4 `first` of the weights, for all samples.
fn set_block(first: u32) {
  for (var i = 0u; i < rolled(BLOCK); i++) {
    block[i] = vec4f(weights[first + column + i / 4u % VECTORS * STRIDE][i % 4u]);
  }
}

// block += (rows of tile) × (rows × HIDDEN matrix at vec4 `first`).
fn multiply(first: u32, rows: u32) {
  var b = block;
  var weight = first + column;
  var input = quad;
  for (var k = 0u; k < rows; k++) {
    var a: array<vec4f, QUADS>;
    for (var q = 0u; q < QUADS; q++) {
      a[q] = tile[input + q];
    }
    for (var v = 0u; v < VECTORS; v++) {
      let w = weights[weight + v * STRIDE];
      for (var q = 0u; q < QUADS; q++) {
        let i = (q * VECTORS + v) * 4u;
        b[i] = fma(vec4f(w.x), a[q], b[i]);
        b[i + 1u] = fma(vec4f(w.y), a[q], b[i + 1u]);
        b[i + 2u] = fma(vec4f(w.z), a[q], b[i + 2u]);
        b[i + 3u] = fma(vec4f(w.w), a[q], b[i + 3u]);
      }
    }
    weight += COLUMNS;
    input += TILE_QUADS;
  }
  block = b;
}

// Adds two partial sums; with `moments`, (sum, sum of squared deviations from the own mean) of `count` and `size`
// values (Chan, Golub & LeVeque 1979), which no large mean can spoil.
fn merge(total: Pair, count: u32, part: Pair, size: u32, moments: bool) -> Pair {
  var second = total.second + part.second;
  if (moments && count > 0u) {
    let shift = part.first / f32(size) - total.first / f32(count);
    second += shift * shift * (f32(count) * f32(size) / f32(count + size));
  }
  return Pair(total.first + part.first, second);
}

// Sums over all neurons of what each worker contributes for its neurons, per sample. Overwrites the tile, whose
// content must no longer be needed; ends with a barrier, so that the tile can be written.
fn reduce(parts: array<Pair, QUADS>, moments: bool) -> array<Pair, QUADS> {
  workgroupBarrier(); // the product has read the tile
  if (thread < WORKERS) {
    for (var q = 0u; q < QUADS; q++) {
      tile[2u * column * TILE_QUADS + quad + q] = parts[q].first;
      tile[(2u * column + 1u) * TILE_QUADS + quad + q] = parts[q].second;
    }
  }
  workgroupBarrier();
  // PARTS × TILE_QUADS threads sum STRIDE / PARTS columns each, into rows that nobody else touches
  for (var task = thread; task < PARTS * TILE_QUADS; task += THREADS) {
    let part = task / TILE_QUADS;
    let at = task % TILE_QUADS;
    var sum = Pair(vec4f(0.0), vec4f(0.0));
    var count = 0u;
    for (var k = part * STRIDE / PARTS; k < (part + 1u) * STRIDE / PARTS; k++) {
      let one = Pair(tile[2u * k * TILE_QUADS + at], tile[(2u * k + 1u) * TILE_QUADS + at]);
      sum = merge(sum, count, one, 4u * VECTORS, moments);
      count += 4u * VECTORS;
    }
    tile[(2u * (STRIDE + part)) * TILE_QUADS + at] = sum.first;
    tile[(2u * (STRIDE + part) + 1u) * TILE_QUADS + at] = sum.second;
  }
  workgroupBarrier();
  var result: array<Pair, QUADS>;
  for (var q = 0u; q < QUADS; q++) {
    var sum = Pair(vec4f(0.0), vec4f(0.0));
    var count = 0u;
    for (var part = 0u; part < rolled(PARTS); part++) {
      let row = 2u * (STRIDE + part) * TILE_QUADS + quad + q;
      let size = 4u * VECTORS * ((part + 1u) * STRIDE / PARTS - part * STRIDE / PARTS);
      sum = merge(sum, count, Pair(tile[row], tile[row + TILE_QUADS]), size, moments);
      count += size;
    }
    result[q] = sum;
  }
  workgroupBarrier();
  return result;
}

// Writes the block to the tile: the next product's input. Ends with a barrier.
fn publish() {
  if (thread < WORKERS) {
    for (var i = 0u; i < rolled(BLOCK); i++) {
      let neuron = 4u * (column + i / 4u % VECTORS * STRIDE) + i % 4u;
      tile[neuron * TILE_QUADS + quad + i / (4u * VECTORS)] = block[i];
    }
  }
  workgroupBarrier();
}

// Hidden layer l of the inputs in the tile, with `rows` rows of W, on top of the bias in block; block and tile
// become its output.
fn hidden_layer(l: u32, rows: u32) {
  var parts: array<Pair, QUADS>;
  if (thread < WORKERS) {
    multiply(parameters_of(l), rows);
    for (var i = 0u; i < rolled(BLOCK); i++) {
      let a = block[i];
      let s = sigmoid(a);
      block[i] = a * s;
      slope[l * BLOCK + i] = s * (1.0 + a * (1.0 - s));
    }
    for (var q = 0u; q < QUADS; q++) {
      var sum = vec4f(0.0);
      for (var i = 0u; i < rolled(4u * VECTORS); i++) {
        sum += block[q * 4u * VECTORS + i];
      }
      var squares = vec4f(0.0);
      for (var i = 0u; i < rolled(4u * VECTORS); i++) {
        let d = block[q * 4u * VECTORS + i] - sum / f32(4u * VECTORS);
        squares += d * d;
      }
      parts[q] = Pair(sum, squares);
    }
  }
  let moments = reduce(parts, true);
  for (var q = 0u; q < QUADS; q++) {
    let mean = moments[q].first / f32(HIDDEN);
    let r = inverseSqrt(moments[q].second / f32(HIDDEN) + LAYER_NORM_EPSILON);
    deviation[l * QUADS + q] = r;
    for (var c = 0u; c < rolled(4u * VECTORS); c++) {
      let i = q * 4u * VECTORS + c;
      block[i] = (block[i] - mean) * r;
      normalized[l * BLOCK + i] = block[i];
    }
  }
  publish();
}

// block ← block × SiLU' of hidden layer l.
fn silu_derivative(l: u32) {
  for (var i = 0u; i < rolled(BLOCK); i++) {
    block[i] *= slope[l * BLOCK + i];
  }
}

// block ← derivative of hidden layer l's LayerNorm applied to block (symmetric).
fn layer_norm_derivative(l: u32) {
  var parts: array<Pair, QUADS>;
  if (thread < WORKERS) {
    for (var q = 0u; q < QUADS; q++) {
      var sum = Pair(vec4f(0.0), vec4f(0.0));
      for (var c = 0u; c < rolled(4u * VECTORS); c++) {
        let i = q * 4u * VECTORS + c;
        sum.first += block[i];
        sum.second += block[i] * normalized[l * BLOCK + i];
      }
      parts[q] = sum;
    }
  }
  let sums = reduce(parts, false);
  for (var q = 0u; q < QUADS; q++) {
    let g = sums[q].first / f32(HIDDEN);
    let gx = sums[q].second / f32(HIDDEN);
    for (var c = 0u; c < rolled(4u * VECTORS); c++) {
      let i = q * 4u * VECTORS + c;
      block[i] = deviation[l * QUADS + q] * (block[i] - g - normalized[l * BLOCK + i] * gx);
    }
  }
}

// Jᵀ of hidden layer l: from the derivative by its output (`rows` rows in the tile, before the product with the
// transposed next layer) to the derivative by its pre-activation, in block and tile.
fn hidden_layer_backward(l: u32) {
  let last = l + 1u == LAYERS;
  block = Block();
  if (thread < WORKERS) {
    multiply(
      select(SECOND_TRANSPOSED + l * HIDDEN * COLUMNS, FINAL_TRANSPOSED, last),
      select(HIDDEN, FEATURES, last),
    );
  }
  layer_norm_derivative(l);
  silu_derivative(l);
  publish();
}

// J of hidden layer l: tangent of its input in the tile → tangent of its output, in block and tile.
fn hidden_layer_tangent(l: u32) {
  block = Block();
  if (thread < WORKERS) {
    multiply(parameters_of(l), select(HIDDEN, FEATURES, l == 0u));
  }
  silu_derivative(l);
  layer_norm_derivative(l);
  publish();
}

// Product of the tile's HIDDEN rows with a HIDDEN × FEATURES matrix at vec4 `first` (rows of NARROW vec4s), split
// over NARROW_PARTS ranges of rows; `narrow_value` then sums the parts. Ends with a barrier.
fn narrow_product(first: u32) {
  var sums: array<vec4f, 4>;
  let busy = thread < NARROW_PARTS * NARROW * TILE_QUADS;
  let at = thread % TILE_QUADS;
  let output = thread / TILE_QUADS % NARROW;
  let part = thread / (TILE_QUADS * NARROW);
  if (busy) {
    for (var k = part * HIDDEN / NARROW_PARTS; k < (part + 1u) * HIDDEN / NARROW_PARTS; k++) {
      let w = weights[first + k * NARROW + output];
      let a = tile[k * TILE_QUADS + at];
      for (var c = 0u; c < 4u; c++) {
        sums[c] = fma(vec4f(w[c]), a, sums[c]);
      }
    }
  }
  workgroupBarrier();
  if (busy) {
    for (var c = 0u; c < 4u; c++) {
      tile[((part * NARROW + output) * 4u + c) * TILE_QUADS + at] = sums[c];
    }
  }
  workgroupBarrier();
}

// Feature i of `narrow_product` for a sample of the tile.
fn narrow_value(i: u32, sample: u32) -> f32 {
  var sum = 0.0;
  for (var part = 0u; part < rolled(NARROW_PARTS); part++) {
    sum += tile_value(part * NARROW * 4u + i, sample);
  }
  return sum;
}

// Feature i of the network's output for a sample, after `narrow_product(FINAL)`.
fn output_value(i: u32, sample: u32) -> f32 {
  return narrow_value(i, sample) + weights[FINAL + HIDDEN * NARROW + i / 4u][i % 4u];
}
