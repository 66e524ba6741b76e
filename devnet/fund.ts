// Gives an account test ether and test tokens on a devnet that runs.
//
//   node scripts/bootstrap.mjs run devnet/fund.ts ADDRESS [--post 2000] [--network FILE]
//
// Without --network it is the one devnet that runs from this checkout.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseNetwork } from '@postrider/protocol/network'
import { formatEther, isAddress } from 'viem'
import { ROOT } from './processes.ts'
import { createTreasury, ETHER_GRANT, POST } from './treasury.ts'

const USAGE = `usage: node scripts/bootstrap.mjs run devnet/fund.ts ADDRESS [options]
  --post N        how many whole POST, up to 1000000 (2000)
  --network FILE  network file of the devnet (that of the one that runs from this checkout)`
const EXIT_USAGE = 2
const DEVNET_CHAIN_ID = 31_337

function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { post: { type: 'string', default: '2000' }, network: { type: 'string' } },
  })
  const [to] = positionals
  if (to === undefined || !isAddress(to)) throw new TypeError(`not an address: ${to ?? 'none given'}`)
  if (!/^\d{1,7}$/.test(values.post)) throw new TypeError(`--post ${values.post}`)
  const found = values.network
    ? [values.network]
    : globSync(join(ROOT, '.postrider', 'devnet*', 'network.json'))
  const [file] = found
  if (file === undefined || found.length > 1)
    throw new TypeError(`${found.length} devnets run from this checkout: pass --network FILE`)
  const network = parseNetwork(JSON.parse(readFileSync(file, 'utf8')))
  if (network.chainId !== DEVNET_CHAIN_ID) throw new TypeError(`${file} is not of a devnet`)
  return { to, tokens: BigInt(values.post) * POST, network }
}

async function main(): Promise<void> {
  const { to, tokens, network } = readOptions()
  const treasury = await createTreasury(network)
  await treasury.grant(to, tokens)
  const held = await treasury.tokensOf(to)
  process.stdout.write(`${to} has ${formatEther(ETHER_GRANT)} ETH and ${formatEther(held)} POST\n`)
}

await main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n${USAGE}\n`)
  process.exitCode = EXIT_USAGE
})
