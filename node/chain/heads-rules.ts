import { HEAD_BEHIND_SECONDS, HEAD_FUTURE_SECONDS, HEAD_TOLERANCE_BLOCKS } from './constants.ts'
import type { BlockHeader } from './types.ts'

/** What one endpoint says of the chain. */
export type Reading = {
  /** Its newest block. */
  readonly head: BlockHeader
  /** Its block at the height where all are compared; undefined if it has none there. */
  readonly safe: BlockHeader | undefined
}

/**
 * What is wrong with an endpoint. ahead, behind: its newest block is too far from that of most others; forked: most
 * have another block at the compared height; misdated: its times contradict the others'.
 */
export type HeadFault = 'ahead' | 'behind' | 'forked' | 'misdated'

/** By reading; `agreed` is false if there is no telling whom to believe. */
export type Judgement = { agreed: boolean; faults: (HeadFault | undefined)[] }

/**
 * The height at which endpoints are compared: under its confirmations for every one that is near the others, so that
 * all of those have a say.
 */
export function comparedHeight(heads: readonly Pick<BlockHeader, 'number'>[], confirmations: number): number {
  const usual = majorityHeight(heads)
  const near = heads
    .map(({ number }) => number)
    .filter((number) => Math.abs(number - usual) <= HEAD_TOLERANCE_BLOCKS)
  return Math.max(0, Math.min(...near) - confirmations)
}

/** The greatest height that more than half of the endpoints have reached; of two, the lower one. */
function majorityHeight(heads: readonly Pick<BlockHeader, 'number'>[]): number {
  const heights = heads.map(({ number }) => number).sort((a, b) => b - a)
  return heights[Math.floor(heights.length / 2)] ?? 0
}

/**
 * Judges what the endpoints say at one time. More than half decide; of two that are too far apart, the clock does, if
 * it can.
 *
 * @param height where `safe` was read
 */
export function judgeHeads(readings: readonly Reading[], height: number, nowMs: number): Judgement {
  const faults: (HeadFault | undefined)[] = readings.map(() => undefined)
  const majority = majorityBlock(readings)
  if (!majority) return { agreed: false, faults }
  for (const [at, { head, safe }] of readings.entries()) {
    if (safe ? keyOf(safe) !== majority : head.number >= height) faults[at] = 'forked'
  }
  const left = [...readings.keys()].filter((at) => !faults[at])
  const heads = left.map((at) => readings[at]?.head as BlockHeader)
  for (const [index, head] of heads.entries()) {
    if (isMisdated(head, heads.toSpliced(index, 1), nowMs)) faults[left[index] as number] = 'misdated'
  }
  return { agreed: placeHeads(readings, faults, nowMs), faults }
}

/** The block that more than half have at the compared height. */
function majorityBlock(readings: readonly Reading[]): string | undefined {
  const votes = Map.groupBy(readings, ({ safe }) => safe && keyOf(safe))
  return [...votes].find(([block, same]) => block && same.length * 2 > readings.length)?.[0]
}

/** The hash fixes the time too, but only for those who compute it. */
function keyOf({ hash, timestamp }: BlockHeader): string {
  return `${hash}/${timestamp}`
}

/** Finds heads that are too far ahead or behind; false if two are too far apart and the clock does not tell. */
function placeHeads(readings: readonly Reading[], faults: (HeadFault | undefined)[], nowMs: number): boolean {
  const left = [...readings.keys()].filter((at) => !faults[at])
  const head = (at: number) => readings[at]?.head as BlockHeader
  const [one, two] = left
  if (one === undefined) return false
  if (two !== undefined && left.length === 2) {
    const [lower, upper] = head(one).number <= head(two).number ? [one, two] : [two, one]
    if (head(upper).number - head(lower).number <= HEAD_TOLERANCE_BLOCKS) return true
    const fault = judgePair(head(lower), head(upper), nowMs)
    if (fault) faults[fault === 'ahead' ? upper : lower] = fault
    return fault !== undefined
  }
  const usual = majorityHeight(left.map(head))
  for (const at of left) {
    const distance = head(at).number - usual
    if (Math.abs(distance) > HEAD_TOLERANCE_BLOCKS) faults[at] = distance > 0 ? 'ahead' : 'behind'
  }
  return true
}

function judgePair(lower: BlockHeader, upper: BlockHeader, nowMs: number): 'ahead' | 'behind' | undefined {
  const latest = nowMs / 1_000 + HEAD_FUTURE_SECONDS
  if (upper.timestamp > latest && lower.timestamp <= latest) return 'ahead'
  return upper.timestamp - lower.timestamp > HEAD_BEHIND_SECONDS ? 'behind' : undefined
}

/** Times only grow along a chain. Whoever contradicts most others is wrong; of two, the one further from the clock. */
function isMisdated(head: BlockHeader, others: readonly BlockHeader[], nowMs: number): boolean {
  const against = others.filter((other) => contradict(head, other))
  if (against.length * 2 <= others.length) return false
  const [other] = others
  if (others.length > 1 || !other) return true
  const distance = ({ timestamp }: BlockHeader) => Math.abs(nowMs / 1_000 - timestamp)
  return distance(head) > distance(other)
}

/** Newest blocks may be of short-lived branches, whose times differ by some seconds. */
function contradict(a: BlockHeader, b: BlockHeader): boolean {
  if (a.hash === b.hash) return a.timestamp !== b.timestamp
  const [lower, upper] = a.number <= b.number ? [a, b] : [b, a]
  return lower.timestamp - upper.timestamp > HEAD_BEHIND_SECONDS
}
