import { isPostriderError, PostriderError } from '@postrider/protocol/errors'
import { toHex } from 'viem'
import type { Clock } from '../core/clock.ts'
import type { Metrics } from '../core/metrics.ts'
import { HEAD_TIMEOUT_MS } from './constants.ts'
import { toHeader } from './headers.ts'
import { comparedHeight, type HeadFault, judgeHeads, type Reading } from './heads-rules.ts'
import type { RpcPool } from './rpc.ts'
import type { BlockHeader } from './types.ts'

/** Compares what several endpoints say of the chain. */
export type HeadWatch = {
  /**
   * Asks all endpoints for their newest block and for the one that has the confirmations. Those that contradict most
   * others are set aside until they agree again; while there is no telling whom to believe, no request is answered.
   *
   * @returns the newest block that every endpoint has that is believed; undefined if none is
   * @throws PostriderError `CHAIN_ENDPOINTS_DISAGREE`
   */
  look(): Promise<BlockHeader | undefined>
}

export type HeadWatchOptions = {
  /** Blocks on top of the compared one. */
  confirmations: number
}

type Answer = { at: number; head: BlockHeader }

/** With these an endpoint is not believed when it is the only one that answers; one that lagged is. */
const LIES: ReadonlySet<HeadFault | undefined> = new Set<HeadFault>(['ahead', 'forked', 'misdated'])

export function createHeadWatch(
  components: {
    endpoints: Pick<RpcPool, 'size' | 'ask' | 'setAside' | 'hold'>
    clock: Clock
    metrics?: Metrics
  },
  { confirmations }: HeadWatchOptions,
): HeadWatch {
  const { endpoints, clock, metrics } = components
  const aside = new Map<number, HeadFault>()
  metrics?.gauge('rpc_endpoints_aside', {
    help: 'RPC endpoints that answer and contradict the others',
    collect: (gauge) => gauge.set(aside.size),
  })

  const readBlock = async (at: number, tag: string): Promise<BlockHeader | null | undefined> => {
    const request = { method: 'eth_getBlockByNumber', params: [tag, false] }
    const block = await endpoints.ask(at, request, HEAD_TIMEOUT_MS)
    return block === undefined ? undefined : (toHeader(block) ?? null)
  }

  const readHeads = async (): Promise<Answer[]> => {
    const all = Array.from({ length: endpoints.size }, (_, at) => at)
    const heads = await Promise.all(all.map((at) => readBlock(at, 'latest')))
    return all.flatMap((at) => {
      const head = heads[at]
      return head ? [{ at, head }] : []
    })
  }

  const readSafe = async (answers: readonly Answer[], height: number): Promise<(Answer & Reading)[]> => {
    const read = async ({ at, head }: Answer): Promise<(Answer & Reading)[]> => {
      if (head.number < height) return [{ at, head, safe: undefined }]
      const safe = head.number === height ? head : await readBlock(at, toHex(height))
      return safe === undefined ? [] : [{ at, head, safe: safe ?? undefined }]
    }
    return (await Promise.all(answers.map(read))).flat()
  }

  const judge = (at: number, fault: HeadFault | undefined): void => {
    if (fault) aside.set(at, fault)
    else aside.delete(at)
    endpoints.setAside(
      at,
      fault && new PostriderError('CHAIN_ENDPOINT_SET_ASIDE', { detail: fault, data: { fault } }),
    )
  }

  /** Those who are left when nobody contradicts the others any more. */
  const compare = async (answers: readonly Answer[]): Promise<readonly Answer[]> => {
    for (let left = answers; ; ) {
      const height = comparedHeight(
        left.map(({ head }) => head),
        confirmations,
      )
      const readings = await readSafe(left, height)
      if (readings.length === 0) return []
      const { agreed, faults } = judgeHeads(readings, height, clock.nowMs())
      if (!agreed) throw new PostriderError('CHAIN_ENDPOINTS_DISAGREE')
      for (const [index, { at }] of readings.entries()) if (faults[index]) judge(at, faults[index])
      left = readings.filter((_, index) => !faults[index])
      if (left.length === readings.length) return left
    }
  }

  const believed = async (answers: readonly Answer[]): Promise<readonly Answer[]> => {
    const [first, ...others] = answers
    if (!first) return []
    if (others.length === 0) return LIES.has(aside.get(first.at)) ? [] : answers
    return allEqual(answers) ? answers : compare(answers)
  }

  return {
    async look() {
      try {
        const answers = await believed(await readHeads())
        for (const { at } of answers) judge(at, undefined)
        endpoints.hold(undefined)
        return lowest(answers.map(({ head }) => head))
      } catch (error) {
        if (isPostriderError(error) && error.code === 'CHAIN_ENDPOINTS_DISAGREE') endpoints.hold(error)
        throw error
      }
    },
  }
}

/** Whether all have the same newest block: its hash fixes all that are below. */
function allEqual(answers: readonly Answer[]): boolean {
  const [first] = answers
  return answers.every(({ head }) => first && isSame(head, first.head))
}

function isSame(a: BlockHeader, b: BlockHeader): boolean {
  return a.hash === b.hash && a.number === b.number && a.timestamp === b.timestamp
}

function lowest(heads: readonly BlockHeader[]): BlockHeader | undefined {
  return heads.reduce<BlockHeader | undefined>(
    (least, head) => (least && least.number <= head.number ? least : head),
    undefined,
  )
}
