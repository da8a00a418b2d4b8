/**
 * What the command-line programs have in common: help, a backend, progress, and exit codes 0 done, 1 the run failed,
 * 2 the options or a file cannot be used.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createCpuBackend } from '../diffusion/cpuBackend'
import type { Backend } from '../diffusion/backend'
import { createWebGpuBackend } from '../gpu/backend'
import { createNodeGpu } from './nodeGpu'

/** Something on the command line cannot be used: exit code 2. */
export class UsageError extends Error {}

interface Program<Command> {
  /** Of its npm script. */
  readonly name: string
  usage(): string
  /** Errors: UsageError. */
  read(args: readonly string[]): Command | Promise<Command>
  run(command: Command): Promise<void>
}

/** Runs a program; resolves with its exit code. */
export async function runProgram<Command>(
  { name, usage, read, run }: Program<Command>,
  args: readonly string[],
): Promise<number> {
  let command: Command
  try {
    if (args.includes('--help')) {
      process.stdout.write(usage())
      return 0
    }
    command = await read(args)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`${name}: ${error.message}\nRun \`npm run ${name} -- --help\` for the options.\n`)
    return 2
  }
  try {
    await run(command)
    return 0
  } catch (error) {
    process.stderr.write(`\n${name}: ${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  }
}

/** A program's `run` on WebGPU, or on the CPU where the command says so. */
export function onBackend<Command extends { readonly cpu: boolean }>(
  run: (command: Command, backend: Backend) => Promise<void>,
): (command: Command) => Promise<void> {
  return async (command) => {
    const backend = command.cpu ? createCpuBackend() : await createWebGpuBackend(await createNodeGpu())
    try {
      await run(command, backend)
    } finally {
      backend.destroy()
    }
  }
}

export type Options = Readonly<Record<string, string | boolean | undefined>>

/** Options `names` with a value, and flags. Error: UsageError for any other. */
export function parseOptions(
  args: readonly string[],
  names: readonly string[],
  flags: readonly string[] = ['json', 'cpu'],
): Options {
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...Object.fromEntries(names.map((name) => [name, { type: 'string' } as const])),
        ...Object.fromEntries(flags.map((flag) => [flag, { type: 'boolean' } as const])),
      },
      allowPositionals: false,
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** Where a file of the command line is, or would be written: npm starts in the repository, INIT_CWD is where the person is. */
export function placeOf(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? '.', path)
}

/** As `placeOf`, for a file that should be there: also looked for in the repository. */
export function givenFile(path: string): string {
  const places = [placeOf(path), resolve(path)]
  return places.find((place) => existsSync(place)) ?? places[0]!
}

/** Progress on stderr: a line that is rewritten on a terminal, silence elsewhere. */
export function progressLine() {
  const live = process.stderr.isTTY
  return {
    show(text: string): void {
      if (live) process.stderr.write(`\r\u001b[K${text}`)
    },
    clear(): void {
      if (live) process.stderr.write('\r\u001b[K')
    },
  }
}
