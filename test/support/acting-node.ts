/**
 * A node that adds to its stake as its operator told it, and kills itself by SIGKILL at the n-th moment on the way; 0 lets
 * it live and name every moment.
 *
 *     node acting-node.ts <network file> <database> <key> <n>
 */
import { readFileSync, writeSync } from 'node:fs'
import { parseNetwork } from '@postrider/protocol/network'
import type { Hex } from '@postrider/protocol/wire'
import { privateKeyToAccount } from 'viem/accounts'
import { openActor } from './acting.ts'

const [networkFile = '', file = '', key = '', at = ''] = process.argv.slice(2)
const network = parseNetwork(JSON.parse(readFileSync(networkFile, 'utf8')))
let moments = 0
const reach = (point: string) => {
  moments++
  if (at === '0') writeSync(1, `${point}\n`)
  if (moments === Number(at)) process.kill(process.pid, 'SIGKILL')
}
const actor = await openActor({ file, network, account: privateKeyToAccount(key as Hex), reach })
await actor.addStake()
await actor.stop()
