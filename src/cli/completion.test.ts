import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandWorld } from '../../test/support/command-world.ts'
import { bash } from './completion-bash.ts'
import { fish } from './completion-fish.ts'
import { childrenOf, describe } from './completion-tree.ts'
import { zsh } from './completion-zsh.ts'
import { program } from './program.ts'
import { Session } from './session.ts'

const tree = describe(program(new Session(commandWorld())))

test('the tree has every command, also those under another', () => {
  const names = tree.map(({ path }) => path.join(' '))
  for (const name of ['', 'backup', 'config', 'config check', 'completion'])
    assert.ok(names.includes(name), name)
  assert.deepEqual(
    childrenOf(tree, ['config']).map(({ path }) => path[1]),
    ['check', 'schema'],
  )
})

for (const [shell, script] of Object.entries({ bash: bash(tree), zsh: zsh(tree), fish: fish(tree) })) {
  test(`the script for ${shell} has every command and every long option`, () => {
    for (const { path, options } of tree) {
      for (const word of path) assert.ok(script.includes(word), word)
      for (const flag of options.flatMap(({ flags }) => flags).filter((each) => each.startsWith('--'))) {
        assert.ok(script.includes(shell === 'fish' ? `-l ${flag.slice(2)}` : flag), flag)
      }
    }
  })
}

test('a summary with quotes and brackets cannot break out of its script', () => {
  const odd = { path: ['odd'], summary: "it's [a] \\ test: $(no)", choices: [] }
  const option = { flags: ['--odd'], value: true, summary: "don't [x]" }
  const root = { path: [], summary: '', options: [], choices: [] }
  const own = [root, { ...odd, options: [option] }]
  assert.ok(zsh(own).includes("'odd:it'\\''s [a] \\ test: $(no)'"))
  assert.ok(zsh(own).includes("'*--odd[don'\\''t \\[x\\]]:value:_files'"))
  assert.ok(fish(own).includes("-d 'it\\'s [a] \\\\ test: $(no)'"))
})
