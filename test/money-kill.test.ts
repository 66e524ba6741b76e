import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DevChain, startDevChain } from '../node/chain/testing/devchain.ts'
import { provision } from '../node/chain/testing/harness.ts'
import { dieAt, namesOfMoments } from './support/money-walk.ts'

/** Every moment when set, as the soak does; else the last one of each kind. */
const EVERY = process.env.POSTRIDER_SOAK === '1'

let dev: DevChain
let names: string[]

beforeAll(async () => {
  dev = await startDevChain()
  await provision(dev, dev.account(2))
  names = await namesOfMoments(dev, dev.account(2))
})
afterAll(() => dev?.stop())

describe('a node killed on the way of money', () => {
  it('passes voucher, tick, charge, redemption and transaction', () => {
    expect([...new Set(names)].sort()).toEqual([
      'charge committed',
      'charge taken',
      'payment committed',
      'payment taken',
      'redemption becomes approved',
      'redemption becomes done',
      'redemption is approved',
      'redemption is done',
      'transaction end recorded',
      'transaction leaves',
      'transaction left',
      'transaction mined',
      'transaction recorded',
      'transaction signed',
    ])
  })

  it('agrees with its client and the contract to the last unit, whichever moment it was', async () => {
    const moments = names.map((name, index) => ({ name, at: index + 1 }))
    const chosen = EVERY ? moments : moments.filter(({ name, at }) => names.lastIndexOf(name) === at - 1)
    const queue = [...chosen]
    const walk = async (payer: number) => {
      for (let moment = queue.shift(); moment; moment = queue.shift()) {
        try {
          await dieAt(dev, dev.account(payer), moment.at)
        } catch (cause) {
          throw new Error(`killed at "${moment.name}"`, { cause })
        }
      }
    }
    await provision(dev, dev.account(3))
    await Promise.all([walk(2), walk(3)])
  })
})
