/** One vector file: what it is for and its cases. */
export type VectorFile = { description: string; [part: string]: unknown }

/**
 * The JSON of a vector file: bigints as decimal strings, bytes as 0x-hex, absent values left out.
 */
export function toJson(file: VectorFile): string {
  const text = JSON.stringify(
    file,
    (_key, value: unknown) => {
      if (typeof value === 'bigint') return value.toString()
      return value instanceof Uint8Array ? `0x${Buffer.from(value).toString('hex')}` : value
    },
    2,
  )
  return `${text}\n`
}
