/**
 * How many messages and 64-bit integers a protobuf holds, counted before any is made: a message of two bytes becomes an
 * object of hundreds, an integer of one byte a BigInt of 32, so that a file of some megabytes could fill the memory.
 */
import { ScalarType, type DescField, type DescMessage } from '@bufbuild/protobuf'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'

/** Nested deeper than this is no model; protobuf readers recurse. */
const DEEPEST = 64
/** Lists of these hold shapes, axes and indices; weights are raw bytes. */
const MOST_INTEGERS = 2 ** 22

/**
 * Errors: RangeError or Error (of the reader) where the bytes are no such message, or hold more than `limit` messages and
 * strings or too many 64-bit integers, or nest too deep.
 */
export function checkMessages(bytes: Uint8Array, schema: DescMessage, limit: number): void {
  let left = limit
  let integers = MOST_INTEGERS
  const takeIntegers = (count: number) => {
    integers -= count
    if (integers < 0) throw new RangeError(`it lists more than ${MOST_INTEGERS} 64-bit integers`)
  }
  const visit = (part: Uint8Array, message: DescMessage, depth: number) => {
    if (depth > DEEPEST) throw new RangeError(`it is nested deeper than ${DEEPEST} levels`)
    const reader = new BinaryReader(part)
    while (reader.pos < reader.len) {
      const [number, wire] = reader.tag()
      const field = message.fields.find((each) => each.number === number)
      const isInteger = field !== undefined && listsIntegers(field)
      if (wire !== WireType.LengthDelimited || !field) {
        if (isInteger) takeIntegers(1)
        reader.skip(wire, number)
        continue
      }
      const content = reader.bytes()
      if (--left < 0) throw new RangeError(`it holds more than ${limit} parts`)
      if (isInteger) takeIntegers(countVarints(content))
      if (field.message) visit(content, field.message, depth + 1)
    }
  }
  visit(bytes, schema, 0)
}

function listsIntegers({ fieldKind, scalar }: DescField): boolean {
  return fieldKind === 'list' && (scalar === ScalarType.INT64 || scalar === ScalarType.UINT64)
}

/** The last byte of each has no continuation bit. */
function countVarints(bytes: Uint8Array): number {
  let count = 0
  for (const byte of bytes) if (byte < 128) count++
  return count
}
