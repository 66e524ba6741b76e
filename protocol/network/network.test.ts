import { describe, expect, it } from 'vitest'
import { parseNetwork } from './index.ts'

const address = (digit: string) => `0x${digit.repeat(40)}`
const valid = {
  name: 'devnet',
  chainId: 31337,
  rpcUrls: ['http://127.0.0.1:8545'],
  contracts: {
    token: address('1'),
    nodeRegistry: address('2'),
    paymentChannels: address('3'),
    rlnMembership: address('4'),
  },
  deployBlock: 1,
  networkId: 'postrider-devnet',
  clusterId: 66,
  shardCount: 8,
  epochSeconds: 10,
  bootstrap: [],
}

describe('parseNetwork', () => {
  it('accepts a file and drops what it does not know', () => {
    expect(parseNetwork(JSON.parse(JSON.stringify({ ...valid, comment: 'x' })))).toEqual(valid)
  })

  it.each([
    ['network', null],
    ['network', []],
    ['name', { ...valid, name: '' }],
    ['chainId', { ...valid, chainId: 1.5 }],
    ['rpcUrls', { ...valid, rpcUrls: 'http://127.0.0.1' }],
    ['rpcUrls', { ...valid, rpcUrls: Array(17).fill('x') }],
    ['contracts', { ...valid, contracts: undefined }],
    ['token', { ...valid, contracts: { ...valid.contracts, token: '0x12' } }],
    ['deployBlock', { ...valid, deployBlock: -1 }],
    ['clusterId', { ...valid, clusterId: 65_536 }],
    ['shardCount', { ...valid, shardCount: 0 }],
    ['epochSeconds', { ...valid, epochSeconds: 86_401 }],
    ['bootstrap', { ...valid, bootstrap: [1] }],
  ])('names the bad key %s', (key, json) => {
    expect(() => parseNetwork(json)).toThrow(
      expect.objectContaining({ code: 'CONFIG_NETWORK_INVALID', data: { key } }),
    )
  })
})
