/** Compiled artifacts: where they are, and how they are made. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const CONTRACTS_DIRECTORY = join(import.meta.dirname, '..')

/** Committed typed ABIs. */
export const ABI_DIRECTORY = join(CONTRACTS_DIRECTORY, 'abi')

/** What a compiled contract consists of; `linkReferences` names the libraries to deploy first. */
export type Artifact = {
  readonly contractName: string
  readonly sourceName: string
  readonly abi: readonly unknown[]
  readonly bytecode: `0x${string}`
  readonly linkReferences: Record<string, Record<string, readonly { start: number; length: number }[]>>
}

/** Compiles what is stale; quick when nothing is. */
export async function buildContracts(): Promise<void> {
  const { default: hre } = await import('hardhat')
  await hre.tasks.getTask('build').run({ quiet: true, noTests: true })
}

/** Reads one artifact of `contracts/<name>.sol`. */
export async function readArtifact(name: string): Promise<Artifact> {
  const path = join(CONTRACTS_DIRECTORY, '.hardhat', 'artifacts', 'contracts', `${name}.sol`, `${name}.json`)
  return JSON.parse(await readFile(path, 'utf8')) as Artifact
}
