/**
 * How many messages a protobuf holds, counted before any is made: a message of two bytes becomes an object of hundreds, so
 * that a file of some megabytes could fill the memory.
 */
import type { DescMessage } from '@bufbuild/protobuf'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'

/** Nested deeper than this is no model; protobuf readers recurse. */
const DEEPEST = 64

/**
 * Errors: RangeError or Error (of the reader) where the bytes are no such message, or hold more than `limit` messages and
 * strings, or nest too deep.
 */
export function checkMessages(bytes: Uint8Array, schema: DescMessage, limit: number): void {
  let left = limit
  const visit = (part: Uint8Array, message: DescMessage, depth: number) => {
    if (depth > DEEPEST) throw new RangeError(`it is nested deeper than ${DEEPEST} levels`)
    const reader = new BinaryReader(part)
    while (reader.pos < reader.len) {
      const [number, wire] = reader.tag()
      const field = message.fields.find((each) => each.number === number)
      if (wire !== WireType.LengthDelimited || !field) {
        reader.skip(wire, number)
        continue
      }
      const content = reader.bytes()
      if (--left < 0) throw new RangeError(`it holds more than ${limit} parts`)
      if (field.message) visit(content, field.message, depth + 1)
    }
  }
  visit(bytes, schema, 0)
}
