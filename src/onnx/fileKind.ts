/** What a file that is no ONNX model looks like, from its first bytes, and what to do with it. */

const MAGIC: readonly (readonly [offset: number, magic: string, kind: string])[] = [
  [0, '\x89PNG', 'a PNG image'],
  [0, '\xff\xd8\xff', 'a JPEG image'],
  [0, 'GIF8', 'a GIF image'],
  [0, '%PDF', 'a PDF document'],
  [0, 'GGUF', 'a GGUF model. Export it to ONNX instead'],
  [0, '\x89HDF', 'an HDF5 file, perhaps a Keras model. Convert it with tf2onnx'],
  [4, 'TFL3', 'a TensorFlow Lite model. Convert it with tf2onnx'],
  [4, 'ORTM', 'a model in ONNX Runtime’s own format. Use the .onnx file that it was made from'],
  [0, '\x1f\x8b', 'a gzip archive. Unpack it'],
  [
    0,
    '\x80\x02',
    'a Python pickle, perhaps PyTorch weights. Load them in PyTorch and call torch.onnx.export',
  ],
  [
    0,
    '\x80\x04',
    'a Python pickle, perhaps PyTorch weights. Load them in PyTorch and call torch.onnx.export',
  ],
  [
    0,
    'version https://git-lfs',
    'a Git LFS pointer, not the file itself. Run git lfs pull, or download it from its page',
  ],
]

/** "an HTML page. Do this"; undefined where nothing is recognised. */
export function recognisedKind(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return 'an empty file'
  const start = latin1(bytes.subarray(0, 4096))
  const known = MAGIC.find(([offset, magic]) => start.startsWith(magic, offset))
  if (known) return known[2]
  if (start.startsWith('PK\x03\x04')) {
    return /data\.pkl|\/version|\.data\//.test(start)
      ? 'a PyTorch checkpoint. Load it in PyTorch and call torch.onnx.export'
      : 'a zip archive. Unpack it'
  }
  if (isSafetensors(bytes, start)) {
    return 'a safetensors file: weights without a network. Load them in PyTorch and call torch.onnx.export'
  }
  const text = start.trimStart()
  if (/^<(!doctype|html|\?xml|head|body)/i.test(text)) {
    return 'a web page. Perhaps the download needs a login, or a link to the raw file'
  }
  if (/^[{[]\s*["{[\]}\d-]/.test(text))
    return 'a JSON file. Choose the .onnx file; a denoiser.json goes beside it'
  return isText(start) ? 'a text file' : undefined
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
}

/** An eight-byte length, then a JSON header of that length. */
function isSafetensors(bytes: Uint8Array, start: string): boolean {
  if (bytes.length < 10) return false
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)
  return length < BigInt(bytes.length) && /^\{\s*"/.test(start.slice(8))
}

function isText(start: string): boolean {
  // The protobuf of a model begins with control characters.
  return !/[^\t\n\r -~\x80-\xff]/.test(start) && /^[\t\n\r -~]{4}/.test(start)
}
