import { attachProof } from '@postrider/protocol/rln'
import { describe, expect, it } from 'vitest'
import { rerandomize, seededRandom } from '../../circuits/testing/corrupt.ts'
import { until } from '../../devnet/figures.ts'
import type { Operator } from '../../devnet/operators.ts'
import { dataOf, gossip, HONEST_TOPIC, openPeer, PATIENCE_MS, prove, relayOf, type Scene } from './scene.ts'

/**
 * Breaches sent at the same time. In each, two nodes may accept different halves and forward them to each other, or
 * one half may be first everywhere: a matter of milliseconds.
 */
const BREACHES = 4

type PeerAnswer = { peerId: string; score: number | null; meshTopics: string[] }

/** What the attacks must not have done; comes last, because it looks at everything before. */
export function describeNeighbours(scene: Scene): void {
  const expectFriends = async () => {
    const { node, neighbour } = scene
    const peerOf = async (operator: Operator, { peerId }: Operator) =>
      (await operator.get<{ items: PeerAnswer[] }>('/v1/peers')).items.find((peer) => peer.peerId === peerId)
    for (const seen of [await peerOf(node, neighbour), await peerOf(neighbour, node)]) {
      expect(seen?.score).toBeGreaterThanOrEqual(0)
      expect(seen?.meshTopics).toHaveLength(2)
    }
  }

  describe('honest neighbours', () => {
    it('that heard different copies of a message, or halves of a breach, stay friends', async () => {
      const { node, neighbour, newId } = scene
      await using left = await openPeer(scene, node)
      await using right = await openPeer(scene, neighbour)
      const good = await prove(scene)
      const again = { ...good.proof, proof: rerandomize(good.proof.proof, seededRandom(3)) }
      const copy = { ...good, message: attachProof(good.message, again) }
      await Promise.all([gossip(left, node, dataOf(good)), gossip(right, neighbour, dataOf(copy))])

      // All proven before the first is sent: after it, the member is slashed.
      const breaches = []
      for (let count = 0; count < BREACHES; count++) {
        const id = newId()
        breaches.push([await prove(scene, id, 'one half'), await prove(scene, id, 'the other')] as const)
      }
      await Promise.all(
        breaches.flatMap(([one, other]) => [
          gossip(left, node, dataOf(one)),
          gossip(right, neighbour, dataOf(other)),
        ]),
      )
      await until('every breach is found', PATIENCE_MS, async () => {
        const found = await Promise.all([node, neighbour].map(relayOf))
        return found.reduce((sum, { verdicts }) => sum + (verdicts.breach ?? 0), 0) >= BREACHES
      })
      await expectFriends()
    })
  })

  describe('the honest client', () => {
    it('was served by both nodes all the time', async () => {
      const { node, neighbour, honest, alice } = scene
      const receipts = await honest.stop()
      expect(receipts.flatMap(({ attempts }) => attempts)).toEqual([])
      const servedBy = new Set(receipts.map(({ node: served }) => served.peerId))
      expect(servedBy).toEqual(new Set([node.peerId, neighbour.peerId]))
      const found: string[] = []
      for await (const { payload } of alice.client.query({ contentTopics: [HONEST_TOPIC] })) {
        found.push(new TextDecoder().decode(payload))
      }
      expect(found).toEqual(receipts.map((_, index) => `honest message ${index}`))
    })

    it('finds the node alive and ready', async () => {
      expect(await scene.node.get('/livez')).toEqual({ alive: true })
      expect(await scene.node.get('/readyz')).toMatchObject({ ready: true })
    })
  })

  // Later than the attacks, when every verdict of theirs is counted.
  it('honest neighbours punished each other for nothing that the attacks made them forward', async () => {
    await expectFriends()
    expect((await relayOf(scene.neighbour)).verdicts.reject).toBe(0)
  })
}
