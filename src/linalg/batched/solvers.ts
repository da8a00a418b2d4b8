/** The batched solvers by name. A new solver is one line here. */
import type { VectorSpace } from '../vectorSpace'
import { BatchedBicgstab } from './bicgstab'
import { BatchedCg } from './cg'
import { BatchedGmres } from './gmres'
import type { BatchedSolver } from './solver'

export const batchedSolvers = {
  cg: BatchedCg,
  gmres: BatchedGmres,
  bicgstab: BatchedBicgstab,
} as const satisfies Record<string, new (space: VectorSpace, batch: number, size: number) => BatchedSolver>
