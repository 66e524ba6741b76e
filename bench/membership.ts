// The member list of a large group: checked against the running hash, built into a tree, updated, stored and restored;
// beside it the same with @zk-kit/imt over poseidon-lite.
import {
  createMembershipTree,
  decodeChanges,
  EMPTY_ACCUMULATOR,
  encodeChanges,
  FIELD_MODULUS,
  foldChanges,
  leavesOfChanges,
  type MembershipChange,
  type MembershipTree,
  restoreMembershipTree,
} from '@postrider/protocol/rln'
import { IMT } from '@zk-kit/imt'
import { poseidon2 } from 'poseidon-lite/poseidon2'
import { missedBounds } from './bounds.ts'
import { medians, round } from './measure.ts'
import type { Outcome } from './types.ts'

export const title = 'Member list and tree: @zk-kit/imt over poseidon-lite against ours, one thread each'

const MEMBERS = 100_000

/** Members in the trees that are compared: the peer needs minutes for all. */
const SAMPLE = 1_000

/** Members that join in one block, for each of which the nodes above are hashed together. */
const BLOCK = 100

/** Longest time for the list of all members to be checked and built, ms. */
const MAX_READY_MS = 10_000

/** Updates of one member in one round, for each tree. */
const UPDATES = 10

const ROUNDS = 7
const DEPTH = 20

export async function run(): Promise<Outcome> {
  const changes = makeChanges(MEMBERS)
  const bytes = encodeChanges(changes)
  const sample = changes.slice(0, SAMPLE)
  build(encodeChanges(sample))

  const verify = timed(() => foldChanges(EMPTY_ACCUMULATOR, bytes))
  const snapshot = timed(() => build(bytes))
  const stored = snapshot.result.serialize()
  const restore = timed(() => restoreMembershipTree(stored))
  if (restore.result.root() !== snapshot.result.root()) throw new Error('the restored tree has another root')

  const peer = buildPeer(sample)
  if (peer.root !== build(encodeChanges(sample)).root()) throw new Error('the peer has another root')
  const at = createPositions()
  const times = await medians(
    {
      peerBuild: () => buildPeer(sample),
      build: () => build(encodeChanges(sample)),
      peerUpdate: () => {
        for (let i = 0; i < UPDATES; i++) updatePeer(peer, at(SAMPLE))
      },
      update: () => {
        for (let i = 0; i < UPDATES; i++) update(snapshot.result, at(MEMBERS))
      },
      path: () => {
        for (let i = 0; i < UPDATES; i++) snapshot.result.path(at(MEMBERS))
      },
      joined: () => snapshot.result.setMany(leavesOfChanges(joining(snapshot.result.size()))),
    },
    ROUNDS,
  )
  const peerSnapshotMs = (times.peerBuild / SAMPLE) * MEMBERS
  const [pathUs, joinedUs] = [(times.path / UPDATES) * 1000, (times.joined / BLOCK) * 1000]
  const [updateUs, peerUpdateUs] = [(times.update / UPDATES) * 1000, (times.peerUpdate / UPDATES) * 1000]
  const count = MEMBERS.toLocaleString('en')
  const row = (what: string, ours: number, theirs?: number) => ({
    what,
    'ours, ms': round(ours),
    'imt + poseidon-lite, ms': theirs === undefined ? '' : round(theirs),
    times: theirs === undefined ? '' : round(theirs / ours),
  })
  return {
    rows: [
      row(`running hash over ${count} changes`, verify.ms),
      row(`tree of ${count} members (peer: from ${SAMPLE})`, snapshot.ms, peerSnapshotMs),
      row(`tree of ${SAMPLE} members`, times.build, times.peerBuild),
      row('one member changed, with a path', updateUs / 1000, peerUpdateUs / 1000),
      row(`one of ${BLOCK} members that join in one block`, joinedUs / 1000),
      row('one path', pathUs / 1000),
      row(`tree of ${count} restored from ${round(stored.length / 1_048_576)} MiB`, restore.ms),
    ],
    result: {
      members: MEMBERS,
      snapshot_ms: round(snapshot.ms),
      verify_ms: round(verify.ms),
      update_us: round(updateUs),
      joined_us: round(joinedUs),
      path_us: round(pathUs),
      restore_ms: round(restore.ms),
      peer_snapshot_ms: round(peerSnapshotMs),
      peer_update_us: round(peerUpdateUs),
      speedup_snapshot: round(times.peerBuild / times.build),
      speedup_update: round(peerUpdateUs / updateUs),
    },
    missed: missedBounds([
      { what: 'snapshot_ms + verify_ms', value: snapshot.ms + verify.ms, below: MAX_READY_MS },
    ]),
  }
}

/** Members with commitments that have no pattern. */
function makeChanges(count: number): MembershipChange[] {
  let commitment = 7n
  return Array.from({ length: count }, (_, index) => {
    commitment = (commitment * commitment + BigInt(index) + 1n) % FIELD_MODULUS
    return { index, commitment, limit: 1 + (index % 600) }
  })
}

/** The next members, as a block brings them. */
function joining(size: number): MembershipChange[] {
  return makeChanges(BLOCK).map((change, i) => ({ ...change, index: size + i }))
}

/** As a client does with what a node gave it. */
function build(bytes: Uint8Array): MembershipTree {
  const tree = createMembershipTree()
  tree.setMany(leavesOfChanges(decodeChanges(bytes)))
  return tree
}

function update(tree: MembershipTree, index: number): void {
  tree.set(index, BigInt(index) + 1n)
  tree.path(index)
}

function buildPeer(changes: readonly MembershipChange[]): IMT {
  const leaves = changes.map(({ commitment, limit }) => poseidon2([commitment, BigInt(limit)]))
  return new IMT(poseidon2 as never, DEPTH, 0n, 2, leaves)
}

function updatePeer(tree: IMT, index: number): void {
  tree.update(index, BigInt(index) + 1n)
  tree.createProof(index)
}

/** Positions all over a tree, each time another one. */
function createPositions(): (size: number) => number {
  let next = 0
  return (size) => {
    next += 7_919
    return next % size
  }
}

function timed<T>(task: () => T): { result: T; ms: number } {
  const before = performance.now()
  const result = task()
  return { result, ms: performance.now() - before }
}
