#!/usr/bin/env node
// Plain JavaScript that any Node can read: says what to do when this one is too old for the rest.
const MIN_NODE_MAJOR = 24
const major = Number.parseInt(process.versions.node, 10)

if (major < MIN_NODE_MAJOR) {
  process.stderr.write(
    `postrider needs Node.js ${MIN_NODE_MAJOR} or newer; this is ${process.version}.\n` +
      `Install it, or run: npx -y -p node@${MIN_NODE_MAJOR} postrider …\n`,
  )
  process.exitCode = 1
} else {
  await import('../main.ts')
}
