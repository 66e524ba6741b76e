/** SHA-256 as lower-case hex. In a browser it exists on secure pages only: https, or http on loopback. */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as BufferSource))
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
