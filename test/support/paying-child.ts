/**
 * A client that opens a channel and tops it up, and kills itself by SIGKILL with its n-th transaction `signed` (on disk,
 * and not sent) or `sent` (and not seen in a block).
 *
 *     node paying-child.ts <network file> <storage> <key> <operator> <signed|sent> <n>
 */
import { readFileSync } from 'node:fs'
import { parseNetwork } from '@postrider/protocol/network'
import type { Address } from '@postrider/protocol/wire'
import { createSqliteStorage } from '../../client/node/sqlite-storage.ts'
import { decodeRecord, type RecordValue } from '../../client/storage/records.ts'
import { createWallet } from '../../client/wallet/keys.ts'
import { DEPOSIT, openPayingClient } from './paying-client.ts'

const [networkFile = '', file = '', privateKey = '', operator = '', point = '', nth = ''] =
  process.argv.slice(2)

const storage = createSqliteStorage(file)
let signed = 0
let mined = 0
const die = (now: string, count: number) => {
  if (now === point && count === Number(nth)) process.kill(process.pid, 'SIGKILL')
}
const client = await openPayingClient({
  network: parseNetwork(JSON.parse(readFileSync(networkFile, 'utf8'))),
  wallet: createWallet({ privateKey }),
  storage: {
    ...storage,
    async batch(writes) {
      for (const write of writes) {
        if (!('key' in write) || !write.key.startsWith('wallet/spending/') || !write.value) continue
        const entry = decodeRecord<{ mined: boolean; transaction?: RecordValue }>(write.key, write.value)
        if (entry.mined) die('sent', ++mined)
        else if (entry.transaction) {
          await storage.batch(writes)
          die('signed', ++signed)
        }
      }
      return storage.batch(writes)
    },
  },
})
await client.raise(operator as Address, DEPOSIT + 1n)
