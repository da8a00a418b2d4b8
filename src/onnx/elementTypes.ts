/** TensorProto.DataType: how files write element types. */
import type { ElementType } from './graph'
import { isFloat } from './tensor'

export const ELEMENT_TYPE_CODES: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
}

export const ELEMENT_TYPES: ReadonlyMap<number, ElementType> = new Map(
  (Object.keys(ELEMENT_TYPE_CODES) as ElementType[]).map((type) => [ELEMENT_TYPE_CODES[type], type]),
)

export function isFloatCode(code: number): boolean {
  const type = ELEMENT_TYPES.get(code)
  return type !== undefined && isFloat(type)
}
