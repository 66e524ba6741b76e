import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_CRITERIA_PER_SUBSCRIBER, MAX_SUBSCRIBERS } from './constants.ts'
import { createSubscriptions } from './subscriptions.ts'

describe('subscriptions', () => {
  it('match by pubsub topic and content topic', () => {
    const subscriptions = createSubscriptions()
    subscriptions.add('alice', 'p', ['a', 'b'])
    subscriptions.add('bob', 'p', ['b'])
    subscriptions.add('carol', 'q', ['b'])
    expect(subscriptions.match('p', 'b')).toEqual(['alice', 'bob'])
    expect(subscriptions.match('q', 'a')).toEqual([])
    subscriptions.remove('alice', 'p', ['b', 'unknown'])
    expect(subscriptions.match('p', 'b')).toEqual(['bob'])
    expect(subscriptions.has('alice')).toBe(true)
  })

  it('refuse to remove what is not there', () => {
    const subscriptions = createSubscriptions()
    subscriptions.add('alice', 'p', ['a'])
    const notSubscribed = expect.objectContaining({ code: 'LIGHT_NOT_SUBSCRIBED' })
    expect(() => subscriptions.remove('alice', 'p', ['b'])).toThrow(notSubscribed)
    expect(() => subscriptions.remove('bob', 'p', ['a'])).toThrow(notSubscribed)
    expect(subscriptions.removeAll('bob')).toBe(false)
  })

  it('stay within their caps, and take nothing of a request that goes beyond', () => {
    const subscriptions = createSubscriptions()
    const full = expect.objectContaining({ code: 'LIGHT_TOO_MANY_SUBSCRIPTIONS' })
    const topics = Array.from({ length: MAX_CRITERIA_PER_SUBSCRIBER - 1 }, (_, i) => `t${i}`)
    subscriptions.add('alice', 'p', topics)
    expect(() => subscriptions.add('alice', 'p', ['x', 'y'])).toThrow(full)
    expect(subscriptions.match('p', 'x')).toEqual([])
    subscriptions.add('alice', 'p', ['x', 't0'])
    for (let i = 1; i < MAX_SUBSCRIBERS; i++) subscriptions.add(`peer${i}`, 'p', ['x'])
    expect(() => subscriptions.add('late', 'p', ['x'])).toThrow(full)
    expect(subscriptions.has('late')).toBe(false)
    subscriptions.add('peer1', 'p', ['y'])
    subscriptions.removeAll('peer1')
    subscriptions.add('late', 'p', ['x'])
    expect(subscriptions.clients()).toBe(MAX_SUBSCRIBERS)
  })

  it('agree with a plain model after any sequence', () => {
    const name = fc.constantFrom('a', 'b', 'c')
    const step = fc.record({
      kind: fc.constantFrom('add', 'remove', 'all'),
      peer: name,
      pubsub: name,
      topics: fc.array(name),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const subscriptions = createSubscriptions()
        const model = new Set<string>()
        for (const { kind, peer, pubsub, topics } of steps) {
          if (kind === 'add' && topics.length > 0) {
            subscriptions.add(peer, pubsub, topics)
            for (const topic of topics) model.add(`${peer} ${pubsub} ${topic}`)
          } else if (kind === 'remove') {
            const there = topics.some((topic) => model.has(`${peer} ${pubsub} ${topic}`))
            if (there) subscriptions.remove(peer, pubsub, topics)
            else expect(() => subscriptions.remove(peer, pubsub, topics)).toThrow()
            for (const topic of topics) model.delete(`${peer} ${pubsub} ${topic}`)
          } else if (kind === 'all') {
            subscriptions.removeAll(peer)
            for (const key of model) if (key.startsWith(`${peer} `)) model.delete(key)
          }
        }
        expect(subscriptions.criteria()).toBe(model.size)
        for (const pubsub of ['a', 'b', 'c'])
          for (const topic of ['a', 'b', 'c'])
            expect([...subscriptions.match(pubsub, topic)].sort()).toEqual(
              ['a', 'b', 'c'].filter((peer) => model.has(`${peer} ${pubsub} ${topic}`)),
            )
        for (const peer of ['a', 'b', 'c'])
          expect(subscriptions.has(peer)).toBe([...model].some((key) => key.startsWith(`${peer} `)))
      }),
    )
  })
})
