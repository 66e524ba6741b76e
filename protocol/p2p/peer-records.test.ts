import { expect, it } from 'vitest'
import { rememberProtocols } from './peer-records.ts'

type Data = { protocols?: string[]; tags?: string[] }

/** A store that counts its merges, and a clock. */
function createScene() {
  const records = new Map<string, Set<string>>()
  const scene = { merges: 0, nowMs: 0 }
  const store = {
    async merge(peer: string, { protocols = [] }: Data) {
      scene.merges++
      const known = records.get(peer) ?? new Set()
      for (const protocol of protocols) known.add(protocol)
      records.set(peer, known)
      return { protocols: [...known] }
    },
  }
  rememberProtocols(store, () => scene.nowMs)
  return { scene, store }
}

it('merges a protocol once a minute and answers with the record in between', async () => {
  const { scene, store } = createScene()
  await store.merge('a', { protocols: ['/x'] })
  expect(await store.merge('a', { protocols: ['/x'] })).toEqual({ protocols: ['/x'] })
  expect(scene.merges).toBe(1)
  scene.nowMs = 60_000
  await store.merge('a', { protocols: ['/x'] })
  expect(scene.merges).toBe(2)
})

it('merges what adds something', async () => {
  const { scene, store } = createScene()
  await store.merge('a', { protocols: ['/x'] })
  await store.merge('a', { protocols: ['/x', '/y'] })
  await store.merge('a', { protocols: ['/x'], tags: ['kept'] })
  await store.merge('b', { protocols: ['/x'] })
  expect(scene.merges).toBe(4)
  await store.merge('a', { protocols: ['/y'] })
  expect(scene.merges).toBe(4)
})

it('remembers so many peers', async () => {
  const { scene, store } = createScene()
  for (let peer = 0; peer < 1_025; peer++) await store.merge(String(peer), { protocols: ['/x'] })
  await store.merge('1024', { protocols: ['/x'] })
  expect(scene.merges).toBe(1_025)
  await store.merge('0', { protocols: ['/x'] })
  expect(scene.merges).toBe(1_026)
})
