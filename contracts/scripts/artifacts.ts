/** Compiled artifacts: where they are, and how they are made. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Artifact, ArtifactResolver, BuildInfo } from '@nomicfoundation/ignition-core'

const CONTRACTS_DIRECTORY = join(import.meta.dirname, '..')
const ARTIFACTS_DIRECTORY = join(CONTRACTS_DIRECTORY, '.hardhat', 'artifacts')

/** Touched by each build: hardhat leaves artifacts alone that did not change, so their times say little. */
const BUILD_STAMP = join(CONTRACTS_DIRECTORY, '.hardhat', 'built')

/** Committed typed ABIs. */
export const ABI_DIRECTORY = join(CONTRACTS_DIRECTORY, 'abi')

/** Where the artifact of each deployable contract is. */
const ARTIFACT_FOLDERS: Readonly<Record<string, string>> = {
  PostToken: 'contracts/src/PostToken.sol',
  NodeRegistry: 'contracts/src/NodeRegistry.sol',
  PaymentChannels: 'contracts/src/PaymentChannels.sol',
  RlnMembership: 'contracts/src/RlnMembership.sol',
  PoseidonT2: 'poseidon-solidity/PoseidonT2.sol',
  IERC20Metadata: '@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol',
}

/** Folders with sources whose change makes artifacts stale. */
const SOURCE_FOLDERS = ['src', 'interfaces', 'libraries']

/** Compiles what is stale. Loads hardhat, about a second when nothing is. */
export async function buildContracts(): Promise<void> {
  const { default: hre } = await import('hardhat')
  await hre.tasks.getTask('build').run({ quiet: true, noTests: true })
  await writeFile(BUILD_STAMP, '')
}

/** Compiles only if an artifact is missing or a source is newer than the last build; else hardhat is not loaded. */
export async function ensureBuilt(): Promise<void> {
  const artifacts = await Promise.all(
    Object.keys(ARTIFACT_FOLDERS).map((name) => modifiedAt(artifactPath(name))),
  )
  const sources = await Promise.all(SOURCE_FOLDERS.map(newestSource))
  const stale = (await modifiedAt(BUILD_STAMP)) < Math.max(...sources)
  if (stale || artifacts.includes(0)) await buildContracts()
}

/** Reads one artifact by contract name. */
export async function readArtifact(name: string): Promise<Artifact> {
  return JSON.parse(await readFile(artifactPath(name), 'utf8')) as Artifact
}

/** Gives Ignition the artifacts without a hardhat runtime. */
export const artifactResolver: ArtifactResolver = {
  loadArtifact: readArtifact,
  getBuildInfo: async (name) => {
    const { buildInfoId } = await readArtifact(name)
    if (buildInfoId === undefined) return undefined
    const path = join(ARTIFACTS_DIRECTORY, 'build-info', `${buildInfoId}.json`)
    return JSON.parse(await readFile(path, 'utf8')) as BuildInfo
  },
}

function artifactPath(name: string): string {
  const folder = ARTIFACT_FOLDERS[name]
  if (folder === undefined) throw new RangeError(`no artifact is known for ${name}`)
  return join(ARTIFACTS_DIRECTORY, folder, `${name}.json`)
}

/** Milliseconds since the epoch; 0 if there is no such file. */
async function modifiedAt(path: string): Promise<number> {
  return stat(path).then(
    (s) => s.mtimeMs,
    () => 0,
  )
}

async function newestSource(folder: string): Promise<number> {
  const directory = join(CONTRACTS_DIRECTORY, folder)
  const files = (await readdir(directory)).filter((name) => name.endsWith('.sol'))
  return Math.max(0, ...(await Promise.all(files.map((name) => modifiedAt(join(directory, name))))))
}
