// What the node must know before it can act: its keys, unlocked, and the network it belongs to.
import { existsSync } from 'node:fs'
import type { PrivateKey } from '@libp2p/interface'
import { type Artifacts, loadArtifacts } from '@postrider/circuits'
import { PostriderError } from '@postrider/protocol/errors'
import { type Network, parseNetwork } from '@postrider/protocol/network'
import { checkKeySetup, developmentKeys, type Identity, identityFromSecret } from '@postrider/protocol/rln'
import { type LocalAccount, privateKeyToAccount } from 'viem/accounts'
import { type Config, configPaths } from './core/config/index.ts'
import { readFileBounded } from './core/files.ts'
import { decryptAccount, decryptRlnSecret, parseRlnKeystore, readKeyFile } from './core/keystore.ts'
import { loadIdentityKey } from './core/p2p/identity.ts'

/** A network file holds addresses and a few multiaddrs: kilobytes. */
const MAX_NETWORK_FILE_BYTES = 1_048_576

/** The node's own membership, with which it proves for stock clients. */
export type OwnMembership = { identity: Identity; limit: number }

export type NodeKeys = {
  network: Network
  /** libp2p identity. */
  identity: PrivateKey
  /** Hot key: pays gas, is the payee of channels. */
  account: LocalAccount
  /** Undefined if the node was never registered: messages without a proof are refused then. */
  membership: OwnMembership | undefined
}

/**
 * Reads the network file and unlocks the keys.
 *
 * @throws PostriderError `CONFIG_FILE_UNREADABLE`, `CONFIG_NETWORK_INVALID`, `KEYS_*`, `RELAY_IDENTITY_INVALID`
 */
export async function openKeys(config: Config, password: string): Promise<NodeKeys> {
  const paths = configPaths(config)
  const network = await readNetwork(paths.networkFile)
  const { privateKey } = await decryptAccount(await readKeyFile(paths.keystoreFile), password)
  return {
    network,
    identity: await loadIdentityKey(paths.identityFile),
    account: privateKeyToAccount(privateKey),
    membership: await openMembership(paths.rlnKeystoreFile, network, password),
  }
}

/** What proofs are made and checked with. */
export type ProvingKeys = {
  artifacts: Artifacts
  /** What to tell the operator about them, if anything. */
  warning: PostriderError | undefined
}

/**
 * The proving and verification keys: each file has its hash, and their set-up fits the chain.
 *
 * @throws PostriderError `CIRCUITS_ARTIFACT_MISSING`, `CIRCUITS_ARTIFACT_MISMATCH`, `CIRCUITS_DEVELOPMENT_KEYS`
 */
export async function openProvingKeys(zk: Config['zk'], { chainId }: Network): Promise<ProvingKeys> {
  const { keysDir: dir, manifestSha256, allowDevelopmentKeys } = zk
  const artifacts = await loadArtifacts({ dir, manifestSha256 })
  const { setup } = artifacts.manifest
  const isSound = checkKeySetup(setup, { chainId, allowDevelopmentKeys }) === 'sound'
  return { artifacts, warning: isSound ? undefined : developmentKeys(setup, chainId) }
}

async function readNetwork(file: string): Promise<Network> {
  const bytes = await readFileBounded(file, MAX_NETWORK_FILE_BYTES)
  if (bytes === undefined)
    throw new PostriderError('CONFIG_FILE_UNREADABLE', { detail: `${file} does not exist` })
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw new PostriderError('CONFIG_FILE_UNREADABLE', { detail: `${file} is not JSON`, cause })
  }
  return parseNetwork(json)
}

/** A membership of another contract is not used: its ids would be spent on proofs that nobody accepts. */
async function openMembership(
  file: string,
  network: Network,
  password: string,
): Promise<OwnMembership | undefined> {
  if (!existsSync(file)) return undefined
  const keystore = parseRlnKeystore(await readKeyFile(file))
  if (
    keystore.chainId !== network.chainId ||
    !sameAddress(keystore.contract, network.contracts.rlnMembership)
  ) {
    return undefined
  }
  const identity = identityFromSecret(await decryptRlnSecret(keystore, password))
  return { identity, limit: keystore.limit }
}

function sameAddress(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
