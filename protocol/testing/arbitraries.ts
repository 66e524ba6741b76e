import { createWakuMessage } from '../wire/index.ts'
import { fc } from './fc.ts'

/** Random bytes of up to `maxLength`, each a Uint8Array of its own buffer. */
export const bytes = (maxLength = 64) => fc.uint8Array({ maxLength })

/** Exactly `length` random bytes. */
export const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

export const uint = (bits: number) => fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n })

const topicPart = fc.stringMatching(/^[a-z0-9.-]{1,12}$/)

export const contentTopic = fc
  .tuple(topicPart, topicPart, topicPart, topicPart, fc.constantFrom('', '/0'))
  .map(([application, version, name, encoding, generation]) =>
    [generation, application, version, name, encoding].join('/'),
  )

export const wakuMessage = fc
  .record(
    {
      payload: bytes(256),
      contentTopic,
      timestamp: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
      version: fc.nat(),
      meta: bytes(64),
      ephemeral: fc.boolean(),
    },
    { requiredKeys: ['payload', 'contentTopic', 'timestamp'] },
  )
  .map(createWakuMessage)

/** Valid bytes with a few flipped, cut or added: closer to a decoder's branches than random ones. */
export const mutated = (original: fc.Arbitrary<Uint8Array>) =>
  fc
    .tuple(original, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(), bytes(8))
    .map(([source, flips, cut, tail]) => {
      const copy = Uint8Array.from([
        ...source.subarray(0, source.length - (cut % 4 === 0 ? cut % 16 : 0)),
        ...tail,
      ])
      for (const [at, value] of flips) if (copy.length > 0) copy[at % copy.length] = value
      return copy
    })
