// Makes messages of the given indices, one after the other.
import { parentPort, workerData } from 'node:worker_threads'
import { loadArtifacts } from '@postrider/circuits'
import { createProver } from '@postrider/circuits/engine'
import { attachProof, epochAt, externalNullifier, signalX } from '@postrider/protocol/rln'
import { createWakuMessage, encode, msToTimestamp, WakuMessageSchema } from '@postrider/protocol/wire'
import { CONTENT_TOPIC, createGroup, IDENTITY, LIMIT, MESSAGE_TIME_MS, NETWORK, TOPIC } from './network.ts'
import { payloadOf } from './payload.ts'

export type MakeOrder = { indices: readonly number[] }
export type MadeMessage = { index: number; data: Uint8Array }

const { root, path } = createGroup()
const epoch = epochAt(MESSAGE_TIME_MS, NETWORK.epochSeconds)
const scope = externalNullifier({ epoch, networkId: NETWORK.networkId, pubsubTopic: TOPIC })

async function make(indices: readonly number[]): Promise<void> {
  const prover = createProver(await loadArtifacts())
  for (const index of indices) {
    const message = createWakuMessage({
      payload: payloadOf(index),
      contentTopic: CONTENT_TOPIC,
      timestamp: msToTimestamp(MESSAGE_TIME_MS),
    })
    const x = signalX(TOPIC, message)
    const { proof, signals } = await prover.prove({
      identitySecret: IDENTITY.secret,
      userMessageLimit: LIMIT,
      messageId: index,
      pathElements: path.siblings,
      identityPathIndex: path.indices,
      x,
      externalNullifier: scope,
    })
    const [y, , nullifier] = signals
    const data = encode(WakuMessageSchema, attachProof(message, { proof, root, epoch, x, y, nullifier }))
    parentPort?.postMessage({ index, data } satisfies MadeMessage)
  }
  await prover.close()
}

await make((workerData as MakeOrder).indices)
