// Bytes that are no request of any protocol, from a seed.
import { concatBytes } from '@postrider/protocol/wire'
import { createSeededRandom } from '../../node/core/testing/seeded-random.ts'

/** Frames are announced with a varint. */
function lengthPrefix(length: number): Uint8Array {
  const bytes: number[] = []
  let rest = length
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80)
  return Uint8Array.of(...bytes, rest)
}

/** Whole frames: random content, and a valid request cut at random places. */
export function badFrames(seed: string, valid: Uint8Array): Uint8Array[] {
  const random = createSeededRandom(seed)
  return [
    new Uint8Array(),
    ...Array.from({ length: 6 }, () => random.bytes(1 + random.int(400))),
    ...Array.from({ length: 4 }, () => valid.subarray(0, 1 + random.int(valid.length - 1))),
  ]
}

/** Bytes that are not even a frame. */
export function badStreams(seed: string): { name: string; bytes: Uint8Array }[] {
  const random = createSeededRandom(seed)
  return [
    { name: 'nothing', bytes: new Uint8Array() },
    { name: 'a frame that ends early', bytes: concatBytes(lengthPrefix(1_000), random.bytes(10)) },
    { name: 'a frame of 200 MB', bytes: concatBytes(lengthPrefix(200_000_000), random.bytes(100)) },
    { name: 'a length that does not fit', bytes: new Uint8Array(12).fill(0xff) },
    { name: 'noise', bytes: random.bytes(5_000) },
  ]
}
