import { isPostriderError } from '@postrider/protocol/errors'
import type { Network } from '@postrider/protocol/network'
import type { Config } from '../../core/config/index.ts'
import { type Check, failed, skipped } from '../../operator/checks.ts'
import type { Cli } from '../cli.ts'
import { chainChecks } from './chain.ts'
import { diskCheck, folderCheck, keyChecks, nodeVersionCheck, portChecks } from './machine.ts'
import { runningNodeChecks } from './node.ts'
import { provingKeysCheck } from './proving-keys.ts'

/** Every check, in the order in which one depends on the other. */
export async function diagnose(cli: Cli): Promise<Check[]> {
  const version = nodeVersionCheck(process.versions.node)
  const config = await tryTo('configuration', () => cli.loadConfig(), 'postrider init')
  if ('check' in config) return [version, config.check]
  const network = await tryTo(
    'network file',
    () => cli.loadNetwork(config.value),
    'postrider init --network <file>',
  )
  const running = await runningNodeChecks(cli)
  return [
    version,
    await folderCheck(config.value),
    { name: 'configuration', state: 'ok', reason: cli.configFile, fix: null },
    ...(await keyChecks(cli, config.value)),
    await diskCheck(config.value),
    ...(await portChecks(config.value, running.isRunning)),
    ...(await networkChecks(cli, config.value, network)),
    ...running.checks,
  ]
}

async function networkChecks(cli: Cli, config: Config, network: Tried<Network>): Promise<Check[]> {
  if ('check' in network) return [network.check, skipped('chain', 'there is no network to look for')]
  const { name, chainId } = network.value
  return [
    { name: 'network file', state: 'ok', reason: `${name}, chain ${chainId}`, fix: null },
    await provingKeysCheck(config, network.value),
    ...(await chainChecks(cli, config, network.value)),
  ]
}

type Tried<T> = { value: T } | { check: Check }

async function tryTo<T>(name: string, act: () => Promise<T>, fix: string): Promise<Tried<T>> {
  try {
    return { value: await act() }
  } catch (error) {
    if (!isPostriderError(error)) throw error
    return { check: failed(name, error.message, error.code === 'CLI_NOT_INITIALIZED' ? fix : error.fix) }
  }
}
