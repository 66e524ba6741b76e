import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Abi } from 'viem'
import { describe, expect, test } from 'vitest'
import { nodeRegistryAbi, paymentChannelsAbi, postTokenAbi, rlnMembershipAbi } from '../index.ts'

const ABIS: Readonly<Record<string, Abi>> = {
  NodeRegistry: nodeRegistryAbi as Abi,
  PaymentChannels: paymentChannelsAbi as Abi,
  PostToken: postTokenAbi as Abi,
  RlnMembership: rlnMembershipAbi as Abi,
}

/** Functions that come with OpenZeppelin's ERC-20 and are tested there. */
const INHERITED = new Set(['approve', 'permit', 'transfer', 'transferFrom'])

/** Unit tests by convention; `testFuzz_` and reentrancy come on top of the branches. */
async function testsOf(contract: string): Promise<Set<string>> {
  const files = (await readdir(import.meta.dirname)).filter(
    (name) => name.startsWith(`${contract}.`) && name.endsWith('.t.sol'),
  )
  const texts = await Promise.all(files.map((name) => readFile(join(import.meta.dirname, name), 'utf8')))
  return new Set(texts.flatMap((text) => [...text.matchAll(/function (test_\w+)/g)].map((m) => m[1] ?? '')))
}

describe.each(Object.keys(ABIS))('%s.tree', (contract) => {
  const read = () => readFile(join(import.meta.dirname, `${contract}.tree`), 'utf8')

  test('has a tree for every function that changes state', async () => {
    const roots = new Set((await read()).split('\n').filter((line) => /^\w/.test(line)))
    const functions = (ABIS[contract] ?? []).flatMap((item) =>
      item.type === 'function' &&
      (item.stateMutability === 'nonpayable' || item.stateMutability === 'payable')
        ? [item.name]
        : [],
    )
    expect(functions.filter((name) => !INHERITED.has(name) && !roots.has(name))).toEqual([])
  })

  test('every leaf has a test that exists', async () => {
    const lines = (await read()).split('\n')
    const tests = await testsOf(contract)
    const named = lines.flatMap((line) => [...line.matchAll(/\[(test_\w+)\]/g)].map((m) => m[1] ?? ''))
    expect(named.filter((name) => !tests.has(name))).toEqual([])
    // A line is a leaf if the next one is not deeper.
    const depth = (line: string) => line.search(/[\w\d]/)
    const leaves = lines.filter(
      (line, i) => line.includes('─') && depth(lines[i + 1] ?? '') <= depth(line) && !line.includes('['),
    )
    expect(leaves).toEqual([])
  })

  test('every unit test is on a leaf', async () => {
    const text = await read()
    const missing = [...(await testsOf(contract))].filter((name) => !text.includes(`[${name}]`))
    // What a token does in the middle of a transfer is not a branch of the code.
    expect(missing.filter((name) => !/_Inside|InsteadOfRevert|NoReturnValue/.test(name))).toEqual([])
  })
})
