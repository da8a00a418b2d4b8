/** Writes public/models/denoiser.schema.json: `node scripts/run.mjs scripts/contractSchema.ts`. */
import { writeFile } from 'node:fs/promises'
import { contractJsonSchema } from '../src/onnx/contract'

export async function main(): Promise<number> {
  const path = new URL('../public/models/denoiser.schema.json', import.meta.url)
  await writeFile(path, `${JSON.stringify(contractJsonSchema(), null, 2)}\n`)
  return 0
}
