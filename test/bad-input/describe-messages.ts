import { attachProof } from '@postrider/protocol/rln'
import { describe, expect, it } from 'vitest'
import { rerandomize, seededRandom } from '../../circuits/testing/corrupt.ts'
import { until } from '../../devnet/figures.ts'
import { badMessages } from './messages.ts'
import { countOf, dataOf, gossip, lightpush, openPeer, PATIENCE_MS, prove, type Scene } from './scene.ts'

/** Messages that are not what was proven, by lightpush and by gossip. */
export function describeMessages(scene: Scene): void {
  describe('messages that are not what was proven', () => {
    it.each(badMessages)('$name: $kind, $code', async (bad) => {
      await using peer = await openPeer(scene)
      const good = await prove(scene)
      const forged = bad.forge(good)
      const before = await countOf(scene, bad.code, bad.kind)
      const byLightpush = async () => {
        if (bad.status === undefined) return
        const answer = await lightpush(peer, forged)
        expect([answer.desc.split(':')[0], answer.status]).toEqual([bad.code, bad.status])
      }
      const byGossip = async () => {
        if (bad.gossip === false) return
        await gossip(peer, scene.node, forged)
        await until(
          `the node counts ${bad.code}`,
          PATIENCE_MS,
          async () => (await countOf(scene, bad.code, bad.kind)) > before,
        )
      }
      await Promise.all([byLightpush(), byGossip()])
      // No bad copy stands in the way of the good one.
      expect(await lightpush(peer, dataOf(good))).toMatchObject({ status: 200, desc: 'OK' })
    })

    it('a proof of another epoch under the name of this one: reject, RLN_PROOF_INVALID', async () => {
      await using peer = await openPeer(scene)
      const { pubsubTopic, message, proof } = await prove(scene)
      const other = await scene.mallory.prove(message, scene.newId(), proof.epoch - 1n)
      const relabelled = attachProof(message, { ...other, epoch: proof.epoch })
      const answer = await lightpush(peer, dataOf({ pubsubTopic, message: relabelled }))
      expect(answer).toMatchObject({ status: 420, desc: expect.stringContaining('RLN_PROOF_INVALID') })
    })

    it('a re-randomised proof: valid, and no second message', async () => {
      await using peer = await openPeer(scene)
      const good = await prove(scene)
      const { proof } = good.proof
      const again = { ...good.proof, proof: rerandomize(proof, seededRandom(1)) }
      const copy = { ...good, message: attachProof(good.message, again) }
      expect(dataOf(copy).data).not.toEqual(dataOf(good).data)
      expect((await lightpush(peer, dataOf(good))).status).toBe(200)

      const duplicates = await countOf(scene, 'RLN_DUPLICATE', 'ignore')
      const answer = await lightpush(peer, dataOf(copy))
      expect(answer).toMatchObject({ status: 200, desc: expect.stringContaining('RLN_DUPLICATE') })
      const third = { ...good.proof, proof: rerandomize(proof, seededRandom(2)) }
      await gossip(peer, scene.node, dataOf({ ...good, message: attachProof(good.message, third) }))
      await until(
        'the node counts it',
        PATIENCE_MS,
        async () => (await countOf(scene, 'RLN_DUPLICATE', 'ignore')) >= duplicates + 2,
      )
    })
  })
}
