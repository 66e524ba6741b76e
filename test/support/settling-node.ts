/**
 * A node that takes money and settles it, and kills itself by SIGKILL at the n-th moment on the way; 0 lets it live and
 * name every moment.
 *
 *     node settling-node.ts <network file> <database> <key> <payer> <payer's address> <n>
 */
import { readFileSync, writeSync } from 'node:fs'
import { parseNetwork } from '@postrider/protocol/network'
import type { Hex } from '@postrider/protocol/wire'
import { privateKeyToAccount } from 'viem/accounts'
import { createPayer } from '../../node/payments/testing/kit.ts'
import { openSettler, playMoney, type Said } from './settling.ts'

const [networkFile = '', file = '', key = '', name = '', address = '', at = ''] = process.argv.slice(2)
const network = parseNetwork(JSON.parse(readFileSync(networkFile, 'utf8')))
const account = privateKeyToAccount(key as Hex)
const { paymentChannels: contract, token } = network.contracts
const domain = { chainId: network.chainId, contract, token }
const payer = createPayer(name, { domain, payee: account.address, payer: address as Hex })

const say = (line: Said) => writeSync(1, `${JSON.stringify(line)}\n`)
let moments = 0
const reach = (point: string) => {
  moments++
  if (at === '0') say({ point })
  if (moments === Number(at)) process.kill(process.pid, 'SIGKILL')
}
const settler = await openSettler({ file, network, account, payer, reach })
await playMoney(settler, payer, say)
await settler.stop()
